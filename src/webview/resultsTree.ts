import type { OpenMode, RowCommand, ViewFile, ViewHit, ViewStrings } from '../protocol/view.ts';
import { AfterPaint } from './afterPaint.ts';
import { type Block, ROW_PX, countFilling, heightOf } from './blocks.ts';
import { element } from './dom.ts';
import { type TreeAction, treeAction } from './treeKeys.ts';
import { RowList } from './rowList.ts';
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
  readonly #drawn: RowList;
  /** The rows below those that fill the screen. */
  readonly #rest = new AfterPaint((draw) => requestAnimationFrame(draw));
  #snippetLines: number;
  #isOutdated = false;

  constructor(strings: ViewStrings, snippetLines: number, events: ResultsEvents) {
    this.#strings = strings;
    this.#snippetLines = snippetLines;
    this.#events = events;
    this.root = element('div', { class: 'results', role: 'tree', 'aria-label': strings.resultsLabel });
    this.isOutdated = false;
    this.#drawn = new RowList(this.root);
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

  /** Who asks for a row asks for any. */
  get #rows(): RowList {
    this.finish();
    return this.#drawn;
  }

  get hasFocus(): boolean {
    return this.root.contains(document.activeElement);
  }

  show(files: readonly ViewFile[], hasMore: boolean): void {
    this.#model.replace(files, hasMore);
    this.#draw();
  }

  /** Whether what is shown answers what was asked before: screen readers wait with it. */
  set isOutdated(isOutdated: boolean) {
    this.#isOutdated = isOutdated;
    this.#tellBusy();
  }

  /** Draws the rows that were left for later. */
  finish(): void {
    this.#rest.doNow();
  }

  set snippetLines(count: number) {
    this.#snippetLines = count;
    this.#draw();
  }

  markStale(fileKeys: readonly string[]): void {
    this.#model.markStale(new Set(fileKeys));
    // Only the files' own rows: nothing below them may move.
    for (const key of fileKeys) {
      const [row, file] = [this.#rows.find(key), this.#model.file(key)];
      if (row !== undefined && file !== undefined) this.#replace(row, this.#fileRow(file));
    }
  }

  collapseAll(): void {
    this.#model.collapseAll();
    this.#draw();
    this.#events.changed();
  }

  focus(): void {
    (this.#rows.find(this.#model.focused) ?? this.#rows.all[0])?.focus();
  }

  /** Opens the hit after or before the focused one, around the ends. Files that are closed open for it. */
  step(by: 1 | -1): void {
    const hit = this.#model.step(by);
    if (hit === undefined) return;
    if (this.#rows.find(hit.id) === undefined) this.#draw();
    this.#rows.select(this.#model.focused);
    const row = this.#rows.find(hit.id);
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
    const row = this.#rows.find(hit.id);
    if (row !== undefined) this.#replace(row, this.#hitRow(hit));
    this.#events.changed();
  }

  dismiss(rowId: string): void {
    const hadFocus = this.hasFocus;
    this.#model.dismiss(
      rowId,
      this.#rows.all.map((row) => row.dataset['row'] ?? ''),
    );
    this.#draw();
    if (hadFocus) this.focus();
    this.#events.changed();
  }

  #draw(): void {
    const hadFocus = this.hasFocus;
    const scrolled = this.root.parentElement?.scrollTop ?? 0;
    const blocks = this.#blocks();
    // Among the rows, and below the first ones, all are there at once: nothing may move under a person.
    const isAtTop = !hadFocus && scrolled === 0 && this.#model.focused === null;
    const first = isAtTop ? countFilling(this.root.parentElement?.clientHeight ?? 0, blocks) : blocks.length;
    this.root.replaceChildren(...blocks.slice(0, first).map(({ draw }) => draw()));
    this.#rest.drop();
    if (first < blocks.length) this.#drawLater(blocks.slice(first));
    this.#tellBusy();
    this.#drawn.select(this.#model.focused);
    if (this.root.parentElement !== null) this.root.parentElement.scrollTop = scrolled;
    // What is on the screen stays there, wherever the focused row is.
    if (hadFocus) (this.#rows.find(this.#model.focused) ?? this.#rows.all[0])?.focus({ preventScroll: true });
  }

  #drawLater(blocks: readonly Block<HTMLElement>[]): void {
    this.#rest.put(() => {
      this.root.append(...blocks.map(({ draw }) => draw()));
      this.#drawn.select(this.#model.focused);
      this.#tellBusy();
    });
  }

  #tellBusy(): void {
    this.root.setAttribute('aria-busy', String(this.#isOutdated || this.#rest.isWaiting));
  }

  /** What is drawn below each other. */
  #blocks(): readonly Block<HTMLElement>[] {
    const blocks = this.#model.files.flatMap((file) => {
      const head = { height: ROW_PX, draw: () => this.#fileRow(file) };
      if (this.#model.isCollapsed(file.key)) return [head];
      return [head, { height: heightOf(file.hits, this.#snippetLines), draw: () => this.#hitGroup(file) }];
    });
    if (this.#model.hasMore) blocks.push({ height: ROW_PX, draw: () => loadMoreRow(this.#strings.loadMore) });
    return blocks;
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
    this.#rows.select(this.#model.focused);
    if (hadFocus) fresh.focus();
  }

  #focusMoved(event: FocusEvent): void {
    const id = this.#rows.at(event)?.dataset['row'];
    if (id === undefined || id === this.#model.focused) return;
    this.#model.focused = id;
    this.#rows.select(this.#model.focused);
    this.#events.changed();
  }

  #toggleFile(file: ViewFile): void {
    this.#model.toggleFile(file.key);
    this.#draw();
    this.#events.changed();
  }

  #click(event: MouseEvent): void {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const row = this.#rows.at(event);
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
    const hit = this.#model.hit(this.#rows.at(event)?.dataset['row'] ?? null);
    if (hit !== undefined) this.#events.open(hit, 'pin', null);
  }

  #key(event: KeyboardEvent): void {
    const row = this.#rows.at(event);
    const id = row?.dataset['row'];
    if (row === undefined || id === undefined) return;
    const file = this.#model.file(id);
    const action = treeAction(event, {
      kind: id === 'more' ? 'more' : file === undefined ? 'hit' : 'file',
      isFirst: this.#rows.all[0] === row,
      isOpen: file === undefined ? this.#model.isExpanded(id) : !this.#model.isCollapsed(id),
    });
    // Selected text is what a person means to copy.
    const isSelected = document.getSelection()?.isCollapsed === false;
    if (action === undefined || (action.kind === 'copy' && action.what === 'text' && isSelected)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#act(action, id, row);
  }

  #act(action: TreeAction, id: string, row: HTMLElement): void {
    const hit = this.#model.hit(id);
    switch (action.kind) {
      case 'move':
        (action.to === 'parent'
          ? this.#rows.find(this.#model.fileOf(id)?.key ?? null)
          : this.#rows.target(row, action.to)
        )?.focus();
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
}
