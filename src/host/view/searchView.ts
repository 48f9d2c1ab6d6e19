import * as vscode from 'vscode';
import { isCancelled } from '../../base/cancellation.ts';
import { Disposable, DisposableStore } from '../../base/disposable.ts';
import { assertNever, toTesseraError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { packed } from '../../protocol/packedAnswer.ts';
import type {
  HostToView,
  RowCommand,
  ViewCommand,
  ViewPreferences,
  ViewQuery,
  ViewToHost,
} from '../../protocol/view.ts';
import type { HitEditor } from '../editor/hitEditor.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { runViewAction, showFailure } from '../messages.ts';
import { filtersOf } from '../searching/filterText.ts';
import type { QueryHistory } from '../searching/queryHistory.ts';
import type { SearchAnswer, SearchService } from '../searching/searchService.ts';
import { HitActions } from './hitActions.ts';
import { bannerOf, cancelledNotice, failureNotice, welcomeOf } from './notices.ts';
import { type AnswerContext, ShownAnswer } from './shownAnswer.ts';
import type { ThemeColors } from './themeColors.ts';
import { viewStrings } from './viewStrings.ts';
import { loadPage } from './webviewDocument.ts';

export const SEARCH_VIEW_ID = 'tessera.search';

export interface SearchViewOptions {
  readonly extensionUri: vscode.Uri;
  readonly history: QueryHistory;
  readonly workspace: WorkspaceIndex;
  readonly search: SearchService;
  readonly editor: HitEditor;
  readonly colors: ThemeColors;
  readonly logger: Logger;
}

/** The host's half of the side-bar view: answers its questions, opens its hits, tells it about the index. */
export class SearchView extends Disposable implements vscode.WebviewViewProvider {
  readonly #options: SearchViewOptions;
  readonly #hits: HitActions;
  #view: vscode.WebviewView | undefined;
  #running: AbortController | undefined;
  #shown: ShownAnswer | undefined;
  #asked = '';
  /** Sent when the view is there to take them. */
  #waiting: HostToView[] = [];
  #isReady = false;
  /** The last question had no index to search. */
  #lacksIndex = false;
  /** Since the index was last being made. */
  #askedAgain: string | undefined;

  constructor(options: SearchViewOptions) {
    super();
    this.#options = options;
    this.#hits = new HitActions(options.search, options.editor, () => this.#shown);
  }

  start(): void {
    const { workspace, colors, history } = this.#options;
    this.own(
      vscode.window.registerWebviewViewProvider(SEARCH_VIEW_ID, this, {
        // The view saves its own state; a hidden view costs nothing.
        webviewOptions: { retainContextWhenHidden: false },
      }),
    );
    this.own(workspace.onOverview(() => this.#sendOverview()));
    this.own(workspace.onFoldersChanged(() => this.#dropClosedFolders()));
    this.own(history.onChange((entries) => this.#send({ kind: 'history', history: entries })));
    this.own(colors.onChange(() => void this.#sendColors()));
    this.own(
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('tessera.search') || change.affectsConfiguration('tessera.view')) {
          this.#send({ kind: 'preferences', preferences: readPreferences() });
        }
      }),
    );
    this.own({ dispose: () => this.#running?.abort() });
  }

  /** Brings the view to the front, with the cursor in its query box. */
  async focus(): Promise<void> {
    await vscode.commands.executeCommand(`${SEARCH_VIEW_ID}.focus`);
    this.command('focusQuery');
  }

  /** Fills the boxes of the view, shows it and searches. */
  async ask(query: Partial<ViewQuery>): Promise<void> {
    await vscode.commands.executeCommand(`${SEARCH_VIEW_ID}.focus`);
    this.#sendWhenReady({ kind: 'query', query });
    this.command('focusQuery');
  }

  command(command: ViewCommand): void {
    this.#sendWhenReady({ kind: 'command', command });
  }

  rowCommand(command: RowCommand, rowId: string | null): void {
    this.#send({ kind: 'rowCommand', command, rowId });
  }

  /** Shows hits that come from elsewhere: those similar to a place. */
  async showSimilar(title: string, ask: (signal: AbortSignal) => Promise<SearchAnswer>): Promise<void> {
    await vscode.commands.executeCommand(`${SEARCH_VIEW_ID}.focus`);
    this.#asked = '';
    const context = { generation: -1, query: '', similarTo: title, limit: 0, hasFilters: false };
    await this.#answer(context, ask);
  }

  /** Marks the files of shown hits that have just been indexed anew. */
  noteCommitted(folder: string, paths: readonly string[]): void {
    const stale = this.#shown?.withStale(folder, paths);
    if (stale === undefined) return;
    this.#shown = stale.answer;
    this.#send({ kind: 'stale', fileKeys: stale.keys });
  }

  /** Hits of folders that are no longer open lead nowhere. */
  #dropClosedFolders(): void {
    const folders = new Set(this.#options.workspace.folderNames.keys());
    const left = this.#shown?.within(folders);
    if (left === undefined) return;
    this.#shown = left.answer;
    const { summary, empty } = left.answer.message;
    this.#send({ kind: 'gone', fileKeys: left.gone, summary, empty });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    this.#isReady = false;
    const owned = new DisposableStore();
    owned.add(view.webview.onDidReceiveMessage((message: ViewToHost) => void this.#receive(message)));
    owned.add(
      view.onDidChangeVisibility(() => {
        // What is hidden is unloaded; it says anew when it is ready.
        if (!view.visible) this.#isReady = false;
      }),
    );
    view.onDidDispose(() => {
      owned.dispose();
      if (this.#view === view) {
        this.#view = undefined;
        this.#isReady = false;
        // What is shown is kept for the next time; the focus is not.
        void vscode.commands.executeCommand('setContext', 'tessera.searchViewFocus', false);
      }
    });
    loadPage(view.webview, this.#options.extensionUri, {
      title: 'Tessera',
      script: 'main.js',
      styles: ['codicon.css', 'style.css'],
    });
  }

  async #receive(message: ViewToHost): Promise<void> {
    try {
      await this.#handle(message);
    } catch (error) {
      await showFailure(error);
    }
  }

  async #handle(message: ViewToHost): Promise<void> {
    switch (message.kind) {
      case 'ready':
        return this.#greet();
      case 'search':
        return this.#search(message);
      case 'cancel':
        this.#running?.abort();
        this.#running = undefined;
        if (message.generation !== null)
          this.#send({ kind: 'failed', generation: message.generation, notice: cancelledNotice() });
        return;
      case 'open':
        // A query that led somewhere is worth keeping, also when it was only typed.
        await this.#options.history.add(this.#asked);
        return this.#hits.open(message.hitId, message.mode, message.line);
      case 'similar':
        return this.#hits.findSimilar(message.hitId);
      case 'copy':
        return this.#hits.copy(message.hitId);
      case 'copyPath':
        return this.#hits.copyPath(message.fileKey, message.relative);
      case 'run':
        return runViewAction(message.action);
      case 'contents':
        return this.#noteContents(message);
      default:
        return assertNever(message);
    }
  }

  async #greet(): Promise<void> {
    const { history, colors } = this.#options;
    this.#isReady = true;
    // Who opens the view means to search: what is indexed is looked up now, not with the first question.
    void this.#options.workspace.openAll();
    this.#send({
      kind: 'init',
      strings: viewStrings(),
      preferences: readPreferences(),
      colors: await colors.read(),
      history: history.entries,
    });
    this.#sendOverview();
    if (this.#shown !== undefined) this.#send(this.#shown.message);
    for (const message of this.#waiting.splice(0)) this.#send(message);
  }

  async #search(message: Extract<ViewToHost, { kind: 'search' }>): Promise<void> {
    const { workspace, search } = this.#options;
    const { query, generation, limit, remember } = message;
    this.#asked = query.text;
    if (remember) this.#remember(query.text);
    const hidden = query.useExcludeSettings ? search.hiddenGlobs() : [];
    const addressed = filtersOf(query, hidden, workspace.folderNames);
    const hasFilters =
      query.scope !== 'all' || [query.include, query.exclude, query.languages].some((box) => box.trim() !== '');
    await this.#answer({ generation, query: query.text, similarTo: null, limit, hasFilters }, (signal) =>
      search.search({ query: query.text, ...addressed, limit, explain: true }, signal),
    );
  }

  /** Nothing waits for it: a search can be cancelled from the moment it is asked for. */
  #remember(text: string): void {
    this.#options.history.add(text).catch((error: unknown) => {
      const { code, message } = toTesseraError(error);
      this.#options.logger.warn('a question was not remembered', { code, message });
    });
  }

  async #answer(
    context: Omit<AnswerContext, 'folderNames'>,
    ask: (signal: AbortSignal) => Promise<SearchAnswer>,
  ): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#lacksIndex = false;
    try {
      const answer = await ask(running.signal);
      if (this.#running !== running) return;
      this.#shown = ShownAnswer.of(answer, { ...context, folderNames: this.#options.workspace.folderNames });
      this.#sendWhenReady(this.#shown.message);
      this.#askAgainWhenDone();
    } catch (error) {
      if (this.#running !== running || isCancelled(error)) return;
      const failure = toTesseraError(error);
      this.#lacksIndex = failure.code === 'not-indexed' && context.similarTo === null;
      this.#options.logger.warn('search failed', { code: failure.code, message: failure.message });
      this.#send({ kind: 'failed', generation: context.generation, notice: failureNotice(failure) });
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  /** Keys and title buttons need to know. VS Code's own `focusedView` says nothing of the focus inside a webview. */
  async #noteContents({ hasHits, hasQuery, hasFocus }: Extract<ViewToHost, { kind: 'contents' }>): Promise<void> {
    await Promise.all([
      vscode.commands.executeCommand('setContext', 'tessera.hasHits', hasHits),
      vscode.commands.executeCommand('setContext', 'tessera.hasQuery', hasQuery),
      vscode.commands.executeCommand('setContext', 'tessera.searchViewFocus', hasFocus),
    ]);
  }

  #sendOverview(): void {
    const { workspace } = this.#options;
    const { overview } = workspace;
    this.#send({ kind: 'banner', notice: bannerOf(overview) });
    this.#send({ kind: 'welcome', notice: welcomeOf(overview, workspace.isAutomatic) });
    if (overview.kind === 'indexing') this.#askedAgain = undefined;
    this.#askAgainWhenDone();
  }

  /** A question that found no index, or nothing in an unfinished one, is asked once more: where nothing is shown, nothing moves under the cursor. */
  #askAgainWhenDone(): void {
    const isOpen = this.#lacksIndex || this.#shown?.isEmptyForNow === true;
    if (!isOpen || this.#askedAgain === this.#asked) return;
    if (this.#options.workspace.overview.kind !== 'idle') return;
    this.#askedAgain = this.#asked;
    this.#send({ kind: 'command', command: 'refresh' });
  }

  async #sendColors(): Promise<void> {
    this.#send({ kind: 'colors', colors: await this.#options.colors.read() });
  }

  #send(message: HostToView): void {
    if (this.#isReady) void this.#view?.webview.postMessage(packed(message));
  }

  #sendWhenReady(message: HostToView): void {
    if (this.#isReady) this.#send(message);
    else if (message.kind !== 'results') this.#waiting.push(message);
  }
}

function readPreferences(): ViewPreferences {
  const tessera = vscode.workspace.getConfiguration('tessera');
  return {
    searchOnType: tessera.get('search.onType', true),
    debounceMs: tessera.get('search.debounceMs', 75),
    snippetLines: tessera.get('view.snippetLines', 3),
    pageSize: tessera.get('search.maxHits', 30),
  };
}
