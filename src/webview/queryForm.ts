import { EMPTY_VIEW_QUERY, type ViewQuery, type ViewStrings } from '../protocol/view.ts';
import { element, icon, iconButton } from './dom.ts';

export interface QueryFormEvents {
  /** The person typed. */
  onEdit(): void;
  /** The person asked for an answer now: Enter, a chip, a switch. */
  onSubmit(): void;
  onCancel(): void;
  onClear(): void;
  onToResults(): void;
  onLayout(): void;
}

type Box = 'text' | 'include' | 'exclude' | 'languages';

/** The query box with its history, the scope chips and the filter boxes. Holds no state but what is in its fields. */
export class QueryForm {
  readonly root: HTMLElement;
  readonly #events: QueryFormEvents;
  readonly #boxes: Readonly<Record<Box, HTMLInputElement>>;
  readonly #scopes: readonly HTMLInputElement[];
  readonly #excludeSettings: HTMLButtonElement;
  readonly #detailsToggle: HTMLButtonElement;
  readonly #details: HTMLElement;
  readonly #clear: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  #history: readonly string[] = [];
  /** Place in the history; its length stands for the draft being typed. */
  #historyAt = 0;
  #draft = '';

  constructor(strings: ViewStrings, events: QueryFormEvents) {
    this.#events = events;
    this.#boxes = {
      text: textBox(strings.queryLabel, strings.queryPlaceholder, 'query'),
      include: textBox(strings.includeLabel, strings.globPlaceholder, 'include'),
      exclude: textBox(strings.excludeLabel, strings.globPlaceholder, 'exclude'),
      languages: textBox(strings.languagesLabel, strings.languagesPlaceholder, 'languages'),
    };
    const scopes = [
      ['all', strings.scopeAll],
      ['code', strings.scopeCode],
      ['docs', strings.scopeDocs],
    ] as const;
    this.#scopes = scopes.map(([value]) => element('input', { type: 'radio', name: 'scope', value }));
    this.#clear = iconButton('close', strings.clearQuery, () => events.onClear());
    this.#cancel = iconButton('debug-stop', strings.cancelSearch, () => events.onCancel());
    this.#excludeSettings = toggleButton('exclude', strings.useExcludeSettings);
    this.#detailsToggle = toggleButton('filter', strings.toggleDetails);
    this.#detailsToggle.setAttribute('aria-controls', 'details');
    this.#details = element(
      'div',
      { id: 'details', class: 'details', hidden: true },
      ...labelled(strings.includeLabel, this.#boxes.include),
      ...labelled(strings.excludeLabel, this.#boxes.exclude, this.#excludeSettings),
      ...labelled(strings.languagesLabel, this.#boxes.languages),
    );
    this.root = element(
      'form',
      { class: 'query-form', role: 'search' },
      element('div', { class: 'input-frame query' }, this.#boxes.text, this.#cancel, this.#clear),
      element(
        'div',
        { class: 'scope-row' },
        element(
          'div',
          { class: 'chips', role: 'radiogroup', 'aria-label': strings.scopeLabel },
          ...scopes.map(([, label], index) =>
            element('label', { class: 'chip' }, this.#scopes[index] ?? '', element('span', {}, label)),
          ),
        ),
        this.#detailsToggle,
      ),
      this.#details,
    );
    this.value = EMPTY_VIEW_QUERY;
    this.showBusy(false);
    this.#listen();
  }

  get value(): ViewQuery {
    return {
      text: this.#boxes.text.value,
      scope: (this.#scopes.find((radio) => radio.checked)?.value ?? 'all') as ViewQuery['scope'],
      include: this.#boxes.include.value,
      exclude: this.#boxes.exclude.value,
      useExcludeSettings: isPressed(this.#excludeSettings),
      languages: this.#boxes.languages.value,
    };
  }

  set value(query: ViewQuery) {
    for (const box of ['text', 'include', 'exclude', 'languages'] as const) this.#boxes[box].value = query[box];
    for (const radio of this.#scopes) radio.checked = radio.value === query.scope;
    setPressed(this.#excludeSettings, query.useExcludeSettings);
    this.#reflect();
  }

  set history(history: readonly string[]) {
    this.#history = history;
    this.#historyAt = history.length;
  }

  get areDetailsOpen(): boolean {
    return !this.#details.hidden;
  }

  set areDetailsOpen(open: boolean) {
    this.#details.hidden = !open;
    setPressed(this.#detailsToggle, open);
    this.#detailsToggle.setAttribute('aria-expanded', String(open));
  }

  /** While an answer is awaited there is something to cancel. */
  showBusy(isBusy: boolean): void {
    this.#cancel.hidden = !isBusy;
    this.#clear.hidden = isBusy || this.#boxes.text.value === '';
  }

  focus(): void {
    this.#boxes.text.focus();
    this.#boxes.text.select();
  }

  #listen(): void {
    this.root.addEventListener('submit', (event) => event.preventDefault());
    this.root.addEventListener('input', () => {
      this.#reflect();
      this.#historyAt = this.#history.length;
      this.#events.onEdit();
    });
    for (const radio of this.#scopes) radio.addEventListener('change', () => this.#events.onSubmit());
    this.#excludeSettings.addEventListener('click', () => {
      setPressed(this.#excludeSettings, !isPressed(this.#excludeSettings));
      this.#events.onSubmit();
    });
    this.#detailsToggle.addEventListener('click', () => {
      this.areDetailsOpen = !this.areDetailsOpen;
      if (this.areDetailsOpen) this.#boxes.include.focus();
      this.#events.onLayout();
    });
    for (const box of Object.values(this.#boxes)) box.addEventListener('keydown', (event) => this.#key(event));
  }

  #key(event: KeyboardEvent): void {
    // A composition (Chinese, Japanese, accents) uses these keys itself.
    if (event.isComposing) return;
    const isQuery = event.target === this.#boxes.text;
    const withCommand = event.ctrlKey || event.metaKey;
    if (event.key === 'Enter' && !withCommand) this.#events.onSubmit();
    else if (event.key === 'Escape') this.#events.onCancel();
    else if (event.key === 'ArrowDown' && withCommand) this.#events.onToResults();
    else if (isQuery && event.key === 'ArrowUp') this.#recall(-1);
    else if (isQuery && event.key === 'ArrowDown') this.#recall(1);
    else return;
    event.preventDefault();
  }

  #recall(step: number): void {
    const at = Math.min(Math.max(this.#historyAt + step, 0), this.#history.length);
    if (at === this.#historyAt) return;
    if (this.#historyAt === this.#history.length) this.#draft = this.#boxes.text.value;
    this.#historyAt = at;
    const text = this.#history[at] ?? this.#draft;
    this.#boxes.text.value = text;
    this.#boxes.text.setSelectionRange(text.length, text.length);
    this.#reflect();
    this.#events.onEdit();
  }

  #reflect(): void {
    this.#clear.hidden = !this.#cancel.hidden || this.#boxes.text.value === '';
    const hasFilters = [this.#boxes.include, this.#boxes.exclude, this.#boxes.languages].some(
      (box) => box.value.trim() !== '',
    );
    this.#detailsToggle.classList.toggle('has-value', hasFilters);
  }
}

function textBox(label: string, placeholder: string, name: string): HTMLInputElement {
  return element('input', {
    type: 'text',
    name,
    class: 'text-input',
    placeholder,
    'aria-label': label,
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
  });
}

function labelled(label: string, box: HTMLInputElement, ...buttons: readonly HTMLElement[]): readonly HTMLElement[] {
  return [
    element('div', { class: 'details-label', 'aria-hidden': 'true' }, label),
    element('div', { class: 'input-frame' }, box, ...buttons),
  ];
}

function toggleButton(name: string, label: string): HTMLButtonElement {
  return element(
    'button',
    { type: 'button', class: 'icon-button toggle', title: label, 'aria-label': label, 'aria-pressed': 'false' },
    icon(name),
  );
}

function isPressed(button: HTMLElement): boolean {
  return button.getAttribute('aria-pressed') === 'true';
}

function setPressed(button: HTMLElement, pressed: boolean): void {
  button.setAttribute('aria-pressed', String(pressed));
}
