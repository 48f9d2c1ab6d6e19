import type { OpenMode, RowCommand, ViewFile, ViewHit, ViewStrings } from '../protocol/view.ts';
import { element } from './dom.ts';
import { type TreeAction, treeAction } from './treeKeys.ts';
import { TreeModel, type TreeState } from './treeModel.ts';
import { fileRow, hitRow, loadMoreRow, type RowActions } from './rows.ts';

export interface ResultsEvents {
  open(hit: ViewHit, mode: OpenMode, line: number | null): void;
  similar(hit: ViewHit): void;
  copy(hit: ViewHit): void;
  copyPath(file: ViewFile, relative: boolean): void;
  loadMore(): void;
  /** Keys that leave the tree upwards: Esc, Ctrl+Up, Up on the first row. */
  leave(): void;
  /** Something a person would want to find again after a reload changed. */
  changed(): void;
}

/** Files and their hits as an ARIA tree with one row in the tab order. Rows never move while a person is among them. */
export class ResultsTree implements RowActions {
  readonly root: HTMLElement;
  readonly #strings: ViewStrings;
  readonly #events: ResultsEvents;
  readonly #model = new TreeModel();
  #snippetLines: number;

  constructor(strings: ViewStrings, snippetLines: number, events: ResultsEvents) {
    this.#strings = strings;
    this.#snippetLines = snippetLines;
    this.#events = events;
    this.root = element('div', { class: 'results', role: 'tree', 'aria-label': strings.resultsLabel });
    this.root.addEventListener('click', (event) => this.#click(event));
    this.root.addEventListener('dblclick', (event) => this.#doubleClick(event));
    this.root.addEventListener('keydown', (event) => this.#key(event));
    this.root.addEventListener('focusin', (event) => this.#focusMoved(event));
  }

  get state(): TreeState {
    return this.#model.state;
  }

  restore(state: TreeState): void {
    this.#model.restore(state);
  }

  /** Hits that are shown, dismissed ones aside. */
  get hitCount(): number {
    return this.#model.hits.length;
  }

  get hasFocus(): boolean {
    return this.root.contains(document.activeElement);
  }

  show(files: readonly ViewFile[], hasMore: boolean): void {
    this.#model.replace(files, hasMore);
    this.#draw();
  }

  set snippetLines(count: number) {
    this.#snippetLines = count;
    this.#draw();
  }

  markStale(fileKeys: readonly string[]): void {
    this.#model.markStale(new Set(fileKeys));
    // Only the files' own rows: nothing below them may move.
    for (const key of fileKeys) {
      const [row, file] = [this.#row(key), this.#model.file(key)];
      if (row !== undefined && file !== undefined) this.#replace(row, this.#fileRow(file));
    }
  }

  collapseAll(): void {
    this.#model.collapseAll();
    this.#draw();
    this.#events.changed();
  }

  focus(): void {
    (this.#row(this.#model.focused) ?? this.#rows()[0])?.focus();
  }

  /** Opens the hit after or before the focused one, around the ends. Files that are closed open for it. */
  step(by: 1 | -1): void {
    const hit = this.#model.step(by);
    if (hit === undefined) return;
    if (this.#row(hit.id) === undefined) this.#draw();
    this.#setTabStop();
    const row = this.#row(hit.id);
    if (this.hasFocus) row?.focus();
    row?.scrollIntoView({ block: 'nearest' });
    this.#events.changed();
    this.#events.open(hit, 'preview', null);
  }

  run(command: RowCommand, rowId: string | null): void {
    const id = rowId ?? this.#model.focused;
    const hit = this.#model.hit(id);
    const file = this.#model.fileOf(id);
    switch (command) {
      case 'open':
        if (hit !== undefined) this.#events.open(hit, 'focus', null);
        break;
      case 'openToSide':
        if (hit !== undefined) this.openToSide(hit);
        break;
      case 'why':
        if (hit !== undefined) this.toggleWhy(hit);
        break;
      case 'similar':
        if (hit !== undefined) this.similar(hit);
        break;
      case 'copy':
        if (hit !== undefined) this.#events.copy(hit);
        break;
      case 'copyPath':
      case 'copyRelativePath':
        if (file !== undefined) this.#events.copyPath(file, command === 'copyRelativePath');
        break;
      case 'dismiss':
        if (id !== null) this.dismiss(id);
        break;
    }
  }

  openToSide(hit: ViewHit): void {
    this.#events.open(hit, 'side', null);
  }

  similar(hit: ViewHit): void {
    this.#events.similar(hit);
  }

  toggleWhy(hit: ViewHit): void {
    this.#model.toggleHit(hit.id);
    const row = this.#row(hit.id);
    if (row !== undefined) this.#replace(row, this.#hitRow(hit));
    this.#events.changed();
  }

  dismiss(rowId: string): void {
    const hadFocus = this.hasFocus;
    this.#model.dismiss(
      rowId,
      this.#rows().map((row) => row.dataset['row'] ?? ''),
    );
    this.#draw();
    if (hadFocus) this.focus();
    this.#events.changed();
  }

  #draw(): void {
    const hadFocus = this.hasFocus;
    const scrolled = this.root.parentElement?.scrollTop ?? 0;
    const rows = this.#model.files.flatMap((file) => {
      const isCollapsed = this.#model.isCollapsed(file.key);
      return [this.#fileRow(file), ...(isCollapsed ? [] : [this.#hitGroup(file)])];
    });
    if (this.#model.hasMore) rows.push(loadMoreRow(this.#strings.loadMore));
    this.root.replaceChildren(...rows);
    this.#setTabStop();
    if (this.root.parentElement !== null) this.root.parentElement.scrollTop = scrolled;
    // What is on the screen stays there, wherever the focused row is.
    if (hadFocus) (this.#row(this.#model.focused) ?? this.#rows()[0])?.focus({ preventScroll: true });
  }

  #hitGroup(file: ViewFile): HTMLElement {
    return element('div', { class: 'hit-group', role: 'group' }, ...file.hits.map((hit) => this.#hitRow(hit)));
  }

  #fileRow(file: ViewFile): HTMLElement {
    return fileRow(file, this.#model.isCollapsed(file.key), this.#strings, this);
  }

  #hitRow(hit: ViewHit): HTMLElement {
    return hitRow(
      hit,
      { snippetLines: this.#snippetLines, isExpanded: this.#model.isExpanded(hit.id) },
      this.#strings,
      this,
    );
  }

  #replace(row: HTMLElement, fresh: HTMLElement): void {
    const hadFocus = row.contains(document.activeElement);
    row.replaceWith(fresh);
    this.#setTabStop();
    if (hadFocus) fresh.focus();
  }

  #rows(): readonly HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>('.row')];
  }

  #row(id: string | null): HTMLElement | undefined {
    return this.#rows().find((row) => row.dataset['row'] === id);
  }

  #setTabStop(): void {
    const rows = this.#rows();
    const current = rows.find((row) => row.dataset['row'] === this.#model.focused) ?? rows[0];
    for (const row of rows) {
      row.tabIndex = row === current ? 0 : -1;
      const isSelected = row.dataset['row'] === this.#model.focused;
      row.classList.toggle('selected', isSelected);
      row.setAttribute('aria-selected', String(isSelected));
    }
  }

  #focusMoved(event: FocusEvent): void {
    const id =
      event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('.row')?.dataset['row'] : undefined;
    if (id === undefined || id === this.#model.focused) return;
    this.#model.focused = id;
    this.#setTabStop();
    this.#events.changed();
  }

  #toggleFile(file: ViewFile): void {
    this.#model.toggleFile(file.key);
    this.#draw();
    this.#events.changed();
  }

  #click(event: MouseEvent): void {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const row = target?.closest<HTMLElement>('.row');
    const id = row?.dataset['row'];
    if (target === null || id === undefined) return;
    row?.focus();
    if (id === 'more') {
      this.#events.loadMore();
      return;
    }
    const hit = this.#model.hit(id);
    if (hit === undefined) {
      const file = this.#model.fileOf(id);
      if (file !== undefined) this.#toggleFile(file);
      return;
    }
    const line = Number(target.closest<HTMLElement>('.code-line')?.dataset['line'] ?? Number.NaN);
    const toSide = event.ctrlKey || event.metaKey || event.altKey;
    this.#events.open(hit, toSide ? 'side' : 'preview', Number.isNaN(line) ? null : line);
  }

  #doubleClick(event: MouseEvent): void {
    const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('.row') : null;
    const hit = this.#model.hit(row?.dataset['row'] ?? null);
    if (hit !== undefined) this.#events.open(hit, 'pin', null);
  }

  #key(event: KeyboardEvent): void {
    const row = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('.row') : null;
    const id = row?.dataset['row'];
    if (row === null || id === undefined) return;
    const rows = this.#rows();
    const file = this.#model.file(id);
    const action = treeAction(event, {
      kind: id === 'more' ? 'more' : file === undefined ? 'hit' : 'file',
      isFirst: rows[0] === row,
      isOpen: file === undefined ? this.#model.isExpanded(id) : !this.#model.isCollapsed(id),
    });
    // Selected text is what a person means to copy.
    const isSelected = document.getSelection()?.isCollapsed === false;
    if (action === undefined || (action.kind === 'copy' && action.what === 'text' && isSelected)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#act(action, id, rows, rows.indexOf(row));
  }

  #act(action: TreeAction, id: string, rows: readonly HTMLElement[], at: number): void {
    const hit = this.#model.hit(id);
    switch (action.kind) {
      case 'move':
        this.#move(action.to, id, rows, at);
        break;
      case 'leave':
        this.#events.leave();
        break;
      case 'toggle': {
        const file = this.#model.file(id);
        if (file !== undefined) this.#toggleFile(file);
        else if (hit !== undefined) this.toggleWhy(hit);
        break;
      }
      case 'open':
        if (hit !== undefined) this.#events.open(hit, action.mode, null);
        break;
      case 'loadMore':
        this.#events.loadMore();
        break;
      case 'dismiss':
        this.dismiss(id);
        break;
      case 'copy':
        this.run(action.what === 'text' ? 'copy' : action.what === 'path' ? 'copyPath' : 'copyRelativePath', id);
        break;
    }
  }

  #move(to: Extract<TreeAction, { kind: 'move' }>['to'], id: string, rows: readonly HTMLElement[], at: number): void {
    const places = {
      next: at + 1,
      previous: at - 1,
      first: 0,
      last: rows.length - 1,
      pageDown: at + this.#rowsPerPage(),
      pageUp: at - this.#rowsPerPage(),
    };
    const target =
      to === 'parent'
        ? this.#row(this.#model.fileOf(id)?.key ?? null)
        : rows[Math.min(Math.max(places[to], 0), rows.length - 1)];
    target?.focus();
  }

  #rowsPerPage(): number {
    const rows = this.#rows();
    const height = this.root.scrollHeight / Math.max(1, rows.length);
    return Math.max(1, Math.floor((this.root.parentElement?.clientHeight ?? height) / height) - 1);
  }
}
