import type { TreeAction } from './treeKeys.ts';

type Move = Extract<TreeAction, { kind: 'move' }>['to'];

/** The rows of a tree as they are on the screen, from top to bottom. */
export class RowList {
  readonly #root: HTMLElement;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  get all(): readonly HTMLElement[] {
    return [...this.#root.querySelectorAll<HTMLElement>('.row')];
  }

  find(id: string | null): HTMLElement | undefined {
    return this.all.find((row) => row.dataset['row'] === id);
  }

  /** The row something happened in. */
  at(event: Event): HTMLElement | undefined {
    return event.target instanceof HTMLElement ? (event.target.closest<HTMLElement>('.row') ?? undefined) : undefined;
  }

  /** Makes one row the selected one and the only one in the tab order; the first one when none has the id. */
  select(id: string | null): void {
    const rows = this.all;
    const current = rows.find((row) => row.dataset['row'] === id) ?? rows[0];
    for (const row of rows) {
      const tabIndex = row === current ? 0 : -1;
      if (row.tabIndex !== tabIndex) row.tabIndex = tabIndex;
      const isSelected = String(row.dataset['row'] === id);
      // Most rows are as they were: what is set anew is styled anew.
      if (row.getAttribute('aria-selected') === isSelected) continue;
      row.classList.toggle('selected', isSelected === 'true');
      row.setAttribute('aria-selected', isSelected);
    }
  }

  /** The row a key leads to, within the ends. A row's parent is not known here. */
  target(from: HTMLElement, to: Exclude<Move, 'parent'>): HTMLElement | undefined {
    const rows = this.all;
    const at = rows.indexOf(from);
    const places = {
      next: at + 1,
      previous: at - 1,
      first: 0,
      last: rows.length - 1,
      pageDown: at + this.#perPage(rows.length),
      pageUp: at - this.#perPage(rows.length),
    };
    return rows[Math.min(Math.max(places[to], 0), rows.length - 1)];
  }

  #perPage(count: number): number {
    const height = this.#root.scrollHeight / Math.max(1, count);
    return Math.max(1, Math.floor((this.#root.parentElement?.clientHeight ?? height) / height) - 1);
  }
}
