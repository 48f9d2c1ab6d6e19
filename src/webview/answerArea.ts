import type { HostToView, Notice, ViewAction, ViewStrings } from '../protocol/view.ts';
import { element, fill, iconButton } from './dom.ts';
import { NoticeArea } from './noticeArea.ts';
import type { ResultsTree } from './resultsTree.ts';

type Results = Extract<HostToView, { kind: 'results' }>;
type Gone = Extract<HostToView, { kind: 'gone' }>;

/** Everything below the query: the index's banner, the summary, notes, the hits or what stands in their place. */
export class AnswerArea {
  readonly roots: readonly HTMLElement[];
  readonly #strings: ViewStrings;
  readonly #tree: ResultsTree;
  readonly #clear: () => void;
  readonly #banner: NoticeArea;
  readonly #notes: NoticeArea;
  readonly #page: NoticeArea;
  readonly #summary = element('div', { class: 'summary' });
  readonly #scroller: HTMLElement;
  /** About the index, whatever was asked. */
  #said: Notice | null = null;
  #welcome: Notice | undefined;
  /** Why the last search gave nothing; hits from before it stay. */
  #failure: Notice | undefined;
  #results: Results | undefined;

  constructor(strings: ViewStrings, tree: ResultsTree, run: (action: ViewAction) => void, clear: () => void) {
    this.#strings = strings;
    this.#tree = tree;
    this.#clear = clear;
    this.#banner = new NoticeArea('line', run);
    this.#notes = new NoticeArea('line', run);
    this.#page = new NoticeArea('page', run);
    this.#scroller = element('div', { class: 'scroller' }, tree.root, this.#page.root);
    this.roots = [this.#banner.root, this.#summary, this.#notes.root, this.#scroller];
  }

  get results(): Results | undefined {
    return this.#results;
  }

  get hasHits(): boolean {
    return this.#results !== undefined && this.#tree.hitCount > 0;
  }

  get scrollTop(): number {
    return this.#scroller.scrollTop;
  }

  set scrollTop(top: number) {
    if (top > 0) this.#tree.finish();
    this.#scroller.scrollTop = top;
  }

  onScroll(listener: () => void): void {
    this.#scroller.addEventListener('scroll', listener, { passive: true });
  }

  set banner(notice: Notice | null) {
    this.#said = notice;
    this.draw();
  }

  set welcome(notice: Notice) {
    this.#welcome = notice;
    this.draw();
  }

  set failure(notice: Notice) {
    this.#failure = notice;
    this.draw();
  }

  show(results: Results | undefined): void {
    this.#results = results;
    this.#failure = undefined;
    this.#tree.show(results?.files ?? [], results?.hasMore ?? false);
    this.draw();
  }

  /** Takes files out of what is shown; the rest, and why a later search failed, stay. */
  remove({ fileKeys, summary, empty }: Gone): void {
    if (this.#results === undefined) return;
    const files = this.#results.files.filter(({ key }) => !fileKeys.includes(key));
    this.#results = { ...this.#results, files, summary, empty };
    this.#tree.show(files, this.#results.hasMore);
    this.draw();
  }

  /** Decides what fills the view: hits, a notice in their place, or the welcome. */
  draw(): void {
    const results = this.#results;
    const { hasHits } = this;
    this.#tree.root.hidden = !hasHits;
    const page = this.#failure ?? (results === undefined ? this.#welcome : results.empty);
    this.#page.show(hasHits || page === null || page === undefined ? [] : [page]);
    const notes = [...(this.#failure === undefined ? [] : [this.#failure]), ...(results?.notices ?? [])];
    this.#notes.show(hasHits ? notes : []);
    // What keeps the index from being made often keeps a search from being answered: said once.
    const isSaidBelow = [page, ...notes].some((other) => other?.title === this.#said?.title);
    this.#banner.show(this.#said === null || isSaidBelow ? [] : [this.#said]);
    this.#summary.hidden = !hasHits;
    this.#summary.replaceChildren(...(results === undefined ? [] : this.#summaryOf(results)));
  }

  #summaryOf({ summary, similarTo }: Results): readonly (Node | string)[] {
    if (similarTo === null) return [summary];
    return [
      element('span', { class: 'similar-to' }, fill(this.#strings.similarTo, similarTo)),
      ` · ${summary}`,
      iconButton('close', this.#strings.clearQuery, this.#clear),
    ];
  }
}
