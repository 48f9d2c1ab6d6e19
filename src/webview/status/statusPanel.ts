import type {
  HostToStatus,
  StatusCard,
  StatusError,
  StatusFileGroup,
  StatusFolder,
  StatusModel,
  StatusSection,
  StatusTable,
  StatusToHost,
} from '../../protocol/statusView.ts';
import { element, icon } from '../dom.ts';
import type { Host } from '../host.ts';
import { progressElement } from '../noticeElement.ts';

interface PanelState {
  readonly scrollTop: number;
  /** What is open: groups of files, details. */
  readonly open: readonly string[];
}

export interface StatusProtocol {
  readonly toHost: StatusToHost;
  readonly toView: HostToStatus;
  readonly state: PanelState;
}

const TONE_ICONS = {
  good: 'pass-filled',
  busy: 'sync',
  warning: 'warning',
  error: 'error',
  quiet: 'circle-large-outline',
} as const;

/** Draws the status page. Keeps scroll position and open groups over a new drawing. */
export class StatusPanel {
  readonly #host: Host<StatusProtocol>;
  readonly #open: Set<string>;

  constructor(host: Host<StatusProtocol>) {
    this.#host = host;
    this.#open = new Set(host.restore()?.open ?? []);
    window.addEventListener('scroll', () => this.#save(), { passive: true });
  }

  show(model: StatusModel): void {
    const isFirst = document.body.children.length <= 1;
    const scrollTop = isFirst ? (this.#host.restore()?.scrollTop ?? 0) : window.scrollY;
    const focused = document.activeElement?.getAttribute('data-key') ?? null;
    const page = element(
      'main',
      { class: 'page' },
      ...model.folders.map((folder) => this.#folder(folder)),
      model.folders.length === 0 ? element('p', { class: 'empty' }, model.empty) : null,
    );
    document.querySelector('main')?.remove();
    document.body.append(page);
    window.scrollTo(0, scrollTop);
    if (focused !== null) page.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #folder(folder: StatusFolder): HTMLElement {
    return element(
      'section',
      { class: 'folder' },
      element(
        'header',
        {},
        element('h1', {}, folder.name),
        element('span', { class: 'path', title: folder.path }, folder.path),
      ),
      element(
        'div',
        { class: `state ${folder.tone}` },
        icon(TONE_ICONS[folder.tone], folder.tone === 'busy' ? 'codicon-modifier-spin' : ''),
        element('span', { class: 'state-name' }, folder.state),
        element('span', { class: 'state-detail' }, folder.detail),
        element(
          'span',
          { class: 'actions' },
          ...folder.actions.map(({ action, label }, at) => this.#action(folder, action, label, at)),
        ),
        folder.progress === null ? null : progressElement(folder.progress, folder.state),
      ),
      folder.cards.length === 0 ? null : element('div', { class: 'cards' }, ...folder.cards.map(cardElement)),
      ...folder.sections.map((section) => this.#section(folder, section)),
    );
  }

  #action(
    folder: StatusFolder,
    action: Extract<StatusToHost, { kind: 'run' }>['action'],
    label: string,
    at: number,
  ): HTMLElement {
    const button = element(
      'button',
      { type: 'button', class: at === 0 ? 'button primary' : 'button', 'data-key': `${folder.path} ${action}` },
      label,
    );
    button.addEventListener('click', () => this.#host.send({ kind: 'run', action }));
    return button;
  }

  #section(folder: StatusFolder, section: StatusSection): HTMLElement {
    const title = element('h2', {}, section.title);
    switch (section.kind) {
      case 'bars':
        return element(
          'div',
          { class: 'section' },
          title,
          element(
            'div',
            { class: 'bars' },
            ...section.bars.flatMap(({ label, share, value }) => {
              const bar = element('span', { class: 'bar' });
              bar.style.width = `${Math.max(0.5, share * 100)}%`;
              return [
                element('span', { class: 'bar-label' }, label),
                element('span', { class: 'bar-track', 'aria-hidden': 'true' }, bar),
                element('span', { class: 'bar-value' }, value),
              ];
            }),
          ),
        );
      case 'facts':
        return element(
          'div',
          { class: 'section' },
          title,
          element(
            'dl',
            {},
            ...section.facts.flatMap(({ label, value }) => [element('dt', {}, label), element('dd', {}, value)]),
          ),
        );
      case 'tables':
        return element(
          'div',
          { class: 'section' },
          title,
          ...section.tables.map(tableElement),
          this.#details(
            `${folder.path} figures`,
            [element('span', {}, section.details.label)],
            ...section.details.tables.map(tableElement),
          ),
        );
      case 'errors':
        return element(
          'div',
          { class: 'section' },
          title,
          element('ul', { class: 'errors' }, ...section.errors.map((error) => this.#error(folder, error))),
        );
      case 'files':
        return element(
          'div',
          { class: 'section' },
          title,
          element('p', { class: 'note' }, section.note),
          ...section.groups.map((group) => this.#group(folder, group)),
        );
    }
  }

  #error(folder: StatusFolder, { time, code, message, actions }: StatusError): HTMLElement {
    const links = actions.map(({ action, label }) => {
      const key = `${folder.path} ${time} ${code} ${action}`;
      const link = element('button', { type: 'button', class: 'link-button', 'data-key': key }, label);
      link.addEventListener('click', () => this.#host.send({ kind: 'run', action }));
      return link;
    });
    return element(
      'li',
      {},
      icon('error'),
      element('span', { class: 'error-message' }, message),
      element('span', { class: 'error-detail' }, `${time} · ${code}`),
      links.length === 0 ? null : element('span', { class: 'error-actions' }, ...links),
    );
  }

  #group(folder: StatusFolder, group: StatusFileGroup): HTMLElement {
    const key = `${folder.path} ${group.label}`;
    return this.#details(
      key,
      [element('span', {}, group.label), element('span', { class: 'badge' }, group.count)],
      element(
        'ul',
        {},
        ...group.files.map(({ path, detail }) => {
          const link = element('button', { type: 'button', class: 'file-link', 'data-key': `${key} ${path}` }, path);
          link.addEventListener('click', () => this.#host.send({ kind: 'openFile', folder: folder.path, path }));
          return element('li', {}, link, element('span', { class: 'file-detail' }, detail));
        }),
        group.more === '' ? null : element('li', { class: 'file-detail' }, group.more),
      ),
    );
  }

  /** Opens on demand, and stays as it was left. `key` names it among all of the page. */
  #details(key: string, summary: readonly HTMLElement[], ...content: readonly HTMLElement[]): HTMLElement {
    const details = element(
      'details',
      { open: this.#open.has(key) },
      element('summary', { 'data-key': key }, icon('chevron-right'), ...summary),
      ...content,
    );
    details.addEventListener('toggle', () => {
      if (details.open) this.#open.add(key);
      else this.#open.delete(key);
      this.#save();
    });
    return details;
  }

  #save(): void {
    this.#host.save({ scrollTop: window.scrollY, open: [...this.#open] });
  }
}

function cardElement({ label, value, detail }: StatusCard): HTMLElement {
  return element(
    'div',
    { class: 'card' },
    element('span', { class: 'card-label' }, label),
    element('span', { class: 'card-value' }, value),
    element('span', { class: 'card-detail' }, detail),
  );
}

function tableElement({ caption, columns, rows }: StatusTable): HTMLElement {
  return element(
    'div',
    { class: 'table-frame' },
    element(
      'table',
      {},
      caption === '' ? null : element('caption', {}, caption),
      columns.length === 0 ? null : element('thead', {}, element('tr', {}, ...columns.map(columnElement))),
      element('tbody', {}, ...rows.map(rowElement)),
    ),
  );
}

/** The corner above the names of rows is no heading. */
function columnElement(column: string): HTMLElement {
  return column === '' ? element('td') : element('th', { scope: 'col' }, column);
}

function rowElement([name = '', ...cells]: readonly string[]): HTMLElement {
  return element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((cell) => element('td', {}, cell)));
}
