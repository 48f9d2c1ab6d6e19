import type { ViewFile, ViewHit } from '../protocol/view.ts';

/** What of the tree survives a reload of the view. */
export interface TreeState {
  readonly collapsed: readonly string[];
  readonly expanded: readonly string[];
  readonly dismissed: readonly string[];
  readonly focused: string | null;
}

export const FRESH_TREE: TreeState = { collapsed: [], expanded: [], dismissed: [], focused: null };

/** Id of the row that asks for more hits. */
export const MORE_ROW = 'more';

/** Files and hits, and what a person did to their rows. Rows are named by a file's key or a hit's id. */
export class TreeModel {
  #files: readonly ViewFile[] = [];
  #collapsed = new Set<string>();
  #expanded = new Set<string>();
  #dismissed = new Set<string>();
  hasMore = false;
  focused: string | null = null;

  get state(): TreeState {
    return {
      collapsed: [...this.#collapsed],
      expanded: [...this.#expanded],
      dismissed: [...this.#dismissed],
      focused: this.focused,
    };
  }

  restore({ collapsed, expanded, dismissed, focused }: TreeState): void {
    this.#collapsed = new Set(collapsed);
    this.#expanded = new Set(expanded);
    this.#dismissed = new Set(dismissed);
    this.focused = focused;
  }

  /** Files with the hits that were not dismissed. */
  get files(): readonly ViewFile[] {
    if (this.#dismissed.size === 0) return this.#files;
    return this.#files
      .filter((file) => !this.#dismissed.has(file.key))
      .map((file) => ({ ...file, hits: file.hits.filter((hit) => !this.#dismissed.has(hit.id)) }))
      .filter((file) => file.hits.length > 0);
  }

  get hits(): readonly ViewHit[] {
    return this.files.flatMap((file) => file.hits);
  }

  replace(files: readonly ViewFile[], hasMore: boolean): void {
    if (this.focused === MORE_ROW) {
      // Whoever asked for more goes on with the first hit that came.
      const known = new Set(this.hits.map((hit) => hit.id));
      this.focused = files.flatMap((file) => file.hits).find((hit) => !known.has(hit.id))?.id ?? null;
    }
    this.#files = files;
    this.hasMore = hasMore;
  }

  markStale(keys: ReadonlySet<string>): void {
    this.#files = this.#files.map((file) => (keys.has(file.key) ? { ...file, stale: true } : file));
  }

  hit(id: string | null): ViewHit | undefined {
    return this.hits.find((hit) => hit.id === id);
  }

  file(key: string | null): ViewFile | undefined {
    return this.files.find((file) => file.key === key);
  }

  /** The file a row is, or is in. */
  fileOf(id: string | null): ViewFile | undefined {
    return this.files.find((file) => file.key === id || file.hits.some((hit) => hit.id === id));
  }

  isCollapsed(key: string): boolean {
    return this.#collapsed.has(key);
  }

  isExpanded(id: string): boolean {
    return this.#expanded.has(id);
  }

  toggleFile(key: string): void {
    if (!this.#collapsed.delete(key)) this.#collapsed.add(key);
  }

  toggleHit(id: string): void {
    if (!this.#expanded.delete(id)) this.#expanded.add(id);
  }

  /** Closes all files; opens them when they are closed already. */
  collapseAll(): void {
    const keys = this.#files.map((file) => file.key);
    const isAllClosed = keys.every((key) => this.#collapsed.has(key));
    this.#collapsed = new Set(isAllClosed ? [] : keys);
    if (!isAllClosed) this.focused = this.fileOf(this.focused)?.key ?? this.focused;
  }

  /** Takes a row away; the next row of its kind gets the focus, else the one before. `rows` are those on the screen. */
  dismiss(id: string, rows: readonly string[]): void {
    const isFile = this.file(id) !== undefined;
    const at = rows.indexOf(id);
    const next = rows.slice(at + 1).find((row) => !isFile || this.file(row) !== undefined || row === MORE_ROW);
    this.focused = next ?? rows[at - 1] ?? null;
    this.#dismissed.add(id);
  }

  /** The hit after or before the focused row, around the ends; its file is opened. */
  step(by: 1 | -1): ViewHit | undefined {
    const { hits } = this;
    const at = hits.findIndex((hit) => hit.id === this.focused);
    const first = this.file(this.focused)?.hits[0];
    const before = at !== -1 ? at : first === undefined ? -1 : hits.indexOf(first) - (by === 1 ? 1 : 0);
    const hit = hits[(Math.max(before, by === 1 ? -1 : 0) + by + hits.length) % Math.max(1, hits.length)];
    if (hit === undefined) return undefined;
    this.#collapsed.delete(this.fileOf(hit.id)?.key ?? '');
    this.focused = hit.id;
    return hit;
  }
}
