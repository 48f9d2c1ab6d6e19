import {
  EMPTY_VIEW_QUERY,
  type HostToView,
  type Notice,
  type ViewCommand,
  type ViewPreferences,
  type ViewStrings,
  type ViewToHost,
} from '../protocol/view.ts';
import { AnswerArea } from './answerArea.ts';
import { BusyIndicator } from './busyIndicator.ts';
import { element } from './dom.ts';
import type { Host } from './host.ts';
import { QueryForm } from './queryForm.ts';
import { ResultsTree } from './resultsTree.ts';
import type { SearchProtocol } from './searchProtocol.ts';
import { applyTokenColors } from './tokenColors.ts';
import { FRESH_TREE } from './treeModel.ts';

type Init = Extract<HostToView, { kind: 'init' }>;
type Results = Extract<HostToView, { kind: 'results' }>;

/** The view: draws what the host says and tells it what the person does. */
export class SearchPanel {
  readonly #host: Host<SearchProtocol>;
  readonly #strings: ViewStrings;
  readonly #form: QueryForm;
  readonly #tree: ResultsTree;
  readonly #answer: AnswerArea;
  readonly #busy = new BusyIndicator((isShown) => this.#form.showBusy(isShown));
  readonly #live = element('div', { class: 'live', role: 'status', 'aria-live': 'polite' });
  #preferences: ViewPreferences;
  #generation = 0;
  #limit: number;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #editedAt = -Infinity;
  /** What the host was last told of what the view holds. */
  #told = '';

  constructor(host: Host<SearchProtocol>, init: Init) {
    this.#host = host;
    this.#strings = init.strings;
    this.#preferences = init.preferences;
    this.#limit = init.preferences.pageSize;
    const run = (action: Extract<ViewToHost, { kind: 'run' }>['action']) => {
      if (action === 'clearFilters') this.#clearFilters();
      else if (action === 'refresh') this.#search(true);
      else host.send({ kind: 'run', action });
    };
    this.#form = new QueryForm(init.strings, {
      onEdit: () => this.#edited(),
      onSubmit: () => this.#search(true),
      onCancel: () => this.#cancel(true),
      onClear: () => this.#clear(),
      onToResults: () => this.#tree.focus(),
      onLayout: () => this.#save(),
    });
    this.#form.history = init.history;
    this.#tree = new ResultsTree(init.strings, init.preferences.snippetLines, {
      open: (hit, mode, line) => host.send({ kind: 'open', hitId: hit.id, mode, line }),
      similar: (hit) => host.send({ kind: 'similar', hitId: hit.id }),
      copy: (hit) => {
        host.send({ kind: 'copy', hitId: hit.id });
        this.#announce(this.#strings.copied);
      },
      copyPath: (file, relative) => {
        host.send({ kind: 'copyPath', fileKey: file.key, relative });
        this.#announce(this.#strings.copied);
      },
      loadMore: () => this.#loadMore(),
      leave: () => {
        if (this.#busy.isBusy) this.#cancel(true);
        this.#form.focus();
      },
      changed: () => this.#changed(),
    });
    this.#answer = new AnswerArea(init.strings, this.#tree, run, () => this.#clear());
    this.#answer.onScroll(() => this.#save());
    document.body.append(
      element('div', { class: 'head' }, this.#form.root, this.#busy.bar),
      ...this.#answer.roots,
      this.#live,
    );
    for (const change of ['focus', 'blur'] as const) window.addEventListener(change, () => this.#tellContents());
    applyTokenColors(init.colors);
    this.#restore();
    this.#answer.draw();
  }

  receive(message: HostToView): void {
    switch (message.kind) {
      case 'init':
        break;
      case 'preferences':
        this.#preferences = message.preferences;
        this.#tree.snippetLines = message.preferences.snippetLines;
        break;
      case 'colors':
        applyTokenColors(message.colors);
        break;
      case 'history':
        this.#form.history = message.history;
        break;
      case 'query':
        this.#form.value = { ...this.#form.value, ...message.query };
        if (message.query.include !== undefined && message.query.include !== '') this.#form.areDetailsOpen = true;
        this.#search(true);
        break;
      case 'results':
        this.#showResults(message);
        break;
      case 'failed':
        if (message.generation === this.#generation || message.generation < 0) this.#showFailure(message.notice);
        break;
      case 'banner':
        this.#answer.banner = message.notice;
        break;
      case 'welcome':
        this.#answer.welcome = message.notice;
        break;
      case 'stale':
        this.#tree.markStale(message.fileKeys);
        break;
      case 'gone':
        this.#answer.remove(message);
        this.#tellContents();
        this.#save();
        break;
      case 'command':
        this.#command(message.command);
        break;
      case 'rowCommand':
        this.#tree.run(message.command, message.rowId);
        break;
    }
  }

  #command(command: ViewCommand): void {
    switch (command) {
      case 'focusQuery':
        this.#form.focus();
        break;
      case 'focusResults':
        this.#tree.focus();
        break;
      case 'nextHit':
        this.#tree.step(1);
        break;
      case 'previousHit':
        this.#tree.step(-1);
        break;
      case 'collapseAll':
        this.#tree.collapseAll();
        break;
      case 'refresh':
        this.#search(true);
        break;
      case 'clear':
        this.#clear();
        break;
      case 'toggleDetails':
        this.#form.areDetailsOpen = !this.#form.areDetailsOpen;
        this.#save();
        break;
    }
  }

  #edited(): void {
    this.#stopTyping();
    this.#tellContents();
    if (this.#form.value.text.trim() === '') {
      this.#reset();
      return;
    }
    if (this.#preferences.searchOnType) {
      this.#tree.isOutdated = true;
      this.#searchSoon();
    }
    this.#save();
  }

  /** A key after a rest is answered at once; of keys that follow each other quickly, the last. */
  #searchSoon(): void {
    const now = performance.now();
    const { debounceMs } = this.#preferences;
    if (now - this.#editedAt >= debounceMs) this.#search(false);
    else this.#typing = setTimeout(() => this.#search(false), debounceMs);
    this.#editedAt = now;
  }

  /** `isAsked`: the person wants exactly this; what they are still typing is not worth remembering. */
  #search(isAsked: boolean, limit = this.#preferences.pageSize): void {
    this.#stopTyping();
    const query = this.#form.value;
    if (query.text.trim() === '') {
      this.#reset();
      return;
    }
    this.#limit = limit;
    this.#generation += 1;
    this.#busy.isBusy = true;
    this.#tree.isOutdated = true;
    this.#host.send({ kind: 'search', generation: this.#generation, query, limit, remember: isAsked });
    this.#save();
  }

  #loadMore(): void {
    this.#search(false, this.#limit + this.#preferences.pageSize);
  }

  /** `isAsked`: the person gave up waiting, and is told that it was heard. */
  #cancel(isAsked: boolean): void {
    this.#stopTyping();
    this.#tree.isOutdated = false;
    if (!this.#busy.isBusy) return;
    // An answer that is under way is no longer wanted.
    this.#generation += 1;
    this.#host.send({ kind: 'cancel', generation: isAsked ? this.#generation : null });
    this.#busy.isBusy = false;
  }

  #clear(): void {
    this.#form.value = { ...this.#form.value, text: '' };
    this.#reset();
    this.#form.focus();
  }

  #clearFilters(): void {
    this.#form.value = { ...EMPTY_VIEW_QUERY, text: this.#form.value.text };
    this.#search(true);
  }

  /** Back to the view as it is before the first search. */
  #reset(): void {
    this.#cancel(false);
    this.#tree.restore(FRESH_TREE);
    this.#answer.show(undefined);
    this.#tellContents();
    this.#save();
  }

  #showResults(results: Results): void {
    const isOld = results.generation >= 0 && results.generation < this.#generation;
    if (isOld) return;
    const isRestored = this.#answer.results === undefined && !this.#busy.isBusy;
    const isMore = this.#answer.results !== undefined && this.#limit > this.#preferences.pageSize;
    this.#generation = Math.max(this.#generation, results.generation);
    if (!isRestored && !isMore) {
      this.#tree.restore(FRESH_TREE);
      this.#answer.scrollTop = 0;
    }
    this.#answer.show(results);
    this.#settled();
    this.#tellContents();
    this.#announce(results.empty === null ? results.summary : results.empty.title);
    if (isRestored) this.#answer.scrollTop = this.#host.restore()?.scrollTop ?? 0;
    this.#save();
  }

  #showFailure(notice: Notice): void {
    this.#settled();
    this.#answer.failure = notice;
    this.#announce(notice.title);
  }

  /** The answer to the last question is here, whatever it is. */
  #settled(): void {
    this.#busy.isBusy = false;
    // More was typed meanwhile; its search is about to start.
    this.#tree.isOutdated = this.#typing !== undefined;
  }

  #stopTyping(): void {
    clearTimeout(this.#typing);
    this.#typing = undefined;
  }

  #changed(): void {
    this.#answer.draw();
    this.#tellContents();
    this.#save();
  }

  #tellContents(): void {
    const contents = {
      kind: 'contents' as const,
      hasHits: this.#answer.hasHits,
      hasQuery: this.#form.value.text.trim() !== '' || this.#answer.results !== undefined,
      hasFocus: document.hasFocus(),
    };
    // Each telling has VS Code look over its menus and keys, which would hold up every key that is typed.
    const told = JSON.stringify(contents);
    if (told !== this.#told) this.#host.send(contents);
    this.#told = told;
  }

  #announce(text: string): void {
    this.#live.textContent = text;
  }

  #restore(): void {
    const saved = this.#host.restore();
    if (saved === undefined) return;
    this.#form.value = saved.query;
    this.#form.areDetailsOpen = saved.areDetailsOpen;
    this.#tree.restore(saved.tree);
    this.#limit = saved.limit;
  }

  #save(): void {
    this.#host.save({
      query: this.#form.value,
      areDetailsOpen: this.#form.areDetailsOpen,
      tree: this.#tree.state,
      scrollTop: this.#answer.scrollTop,
      limit: this.#limit,
    });
  }
}
