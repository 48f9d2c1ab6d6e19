import * as vscode from 'vscode';
import type { DisposableLike } from '../../base/disposable.ts';
import { Disposable, DisposableStore } from '../../base/disposable.ts';
import { isCancelled } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { Deferred } from '../../base/deferred.ts';
import { NO_FILTERS } from '../../protocol/hit.ts';
import type { HitEditor } from '../editor/hitEditor.ts';
import { EditorRestorer } from '../editor/editorRestorer.ts';
import { explainError, showFailure } from '../messages.ts';
import type { QueryHistory } from '../searching/queryHistory.ts';
import type { SearchService } from '../searching/searchService.ts';
import type { SearchView } from '../view/searchView.ts';
import { ActivePreview } from './activePreview.ts';
import { type HitItem, type PickerItem, toHitItems, toHistoryItems } from './pickerItems.ts';

const LIMIT = 30;
const HISTORY_SHOWN = 8;

export interface SearchPickerOptions {
  readonly search: SearchService;
  readonly editor: HitEditor;
  readonly view: Pick<SearchView, 'ask'>;
  readonly clock: Clock;
  readonly history: QueryHistory;
}

/** `Tessera: Search…`: searches while one types and shows the active hit in the editor behind. */
export class SearchPicker extends Disposable {
  readonly #options: SearchPickerOptions;
  #session: PickerSession | undefined;

  constructor(options: SearchPickerOptions) {
    super();
    this.#options = options;
  }

  show(query: string): void {
    void this.#show(query);
  }

  async #show(query: string): Promise<void> {
    // The one before may still be bringing its editor back, which would take the focus from this one.
    this.#session?.close();
    await this.#session?.over;
    if (this.isDisposed) return;
    const session = this.own(new PickerSession(this.#options));
    this.#session = session;
    session.start(query);
  }
}

/** One opening of the picker, from the first key to Enter or Esc. */
class PickerSession extends Disposable {
  readonly #options: SearchPickerOptions;
  readonly #picker: vscode.QuickPick<PickerItem>;
  readonly #restorer = new EditorRestorer();
  readonly #toView: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('list-tree'),
    tooltip: vscode.l10n.t('Show in the Tessera view'),
  };
  #running: AbortController | undefined;
  #typing: DisposableLike | undefined;
  #changedAtMs = -Infinity;
  readonly #preview: ActivePreview<HitItem>;
  #accepted = false;
  readonly #over = new Deferred<void>();

  constructor(options: SearchPickerOptions) {
    super();
    this.#options = options;
    this.#picker = this.own(vscode.window.createQuickPick<PickerItem>());
    this.#preview = this.own(new ActivePreview(options.clock, (item: HitItem) => this.#showPreview(item)));
  }

  start(query: string): void {
    const picker = this.#picker;
    picker.title = vscode.l10n.t('Search by Meaning');
    picker.placeholder = vscode.l10n.t('Ask for code in plain words, or by name');
    picker.buttons = [this.#toView];
    picker.matchOnDescription = false;
    picker.matchOnDetail = false;
    picker.keepScrollPosition = true;
    // Not in the type declarations yet; without it VS Code would sort the hits by their labels.
    Object.assign(picker, { sortByLabel: false });
    const events = this.own(new DisposableStore());
    events.add(picker.onDidChangeValue(() => this.#schedule()));
    events.add(picker.onDidChangeActive(([item]) => this.#preview.follow(item?.type === 'hit' ? item : undefined)));
    events.add(picker.onDidAccept(() => void this.#accept()));
    events.add(picker.onDidTriggerButton(() => void this.#moveToView()));
    events.add(picker.onDidTriggerItemButton(({ item, button }) => void this.#buttonPressed(item, button)));
    events.add(picker.onDidHide(() => void this.#hidden()));
    picker.show();
    if (query === '') this.#showHistory();
    else {
      picker.value = query;
      this.#schedule();
    }
  }

  /** Resolves when the picker is gone and the editor is as it is to be. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  close(): void {
    if (!this.isDisposed) this.#picker.hide();
  }

  override dispose(): void {
    this.#running?.abort();
    this.#typing?.dispose();
    super.dispose();
  }

  #schedule(): void {
    this.#typing?.dispose();
    // An answer to what was typed before is of no use any more; nor does its end say that this one is over.
    this.#running?.abort();
    this.#running = undefined;
    const query = this.#picker.value.trim();
    if (query === '') {
      this.#picker.busy = false;
      this.#showHistory();
      return;
    }
    this.#picker.busy = true;
    const delayMs = vscode.workspace.getConfiguration('tessera').get('search.debounceMs', 75);
    const { clock } = this.#options;
    const now = clock.now();
    // A key after a rest is answered at once; of keys that follow each other quickly, the last.
    if (now - this.#changedAtMs >= delayMs) void this.#search(query);
    else this.#typing = clock.after(delayMs, () => void this.#search(query));
    this.#changedAtMs = now;
  }

  async #search(query: string): Promise<void> {
    const { search } = this.#options;
    const running = new AbortController();
    this.#running = running;
    try {
      const filters = { ...NO_FILTERS, exclude: search.hiddenGlobs() };
      const answer = await search.search({ query, filters, limit: LIMIT, explain: false }, running.signal);
      if (this.#running !== running || this.isDisposed) return;
      this.#picker.items = toHitItems(answer.hits, query, answer.complete);
    } catch (error) {
      if (this.#running !== running || isCancelled(error) || this.isDisposed) return;
      this.#picker.items = [{ type: 'message', label: `$(error) ${explainError(error).message}`, alwaysShow: true }];
    } finally {
      if (this.#running === running && !this.isDisposed) this.#picker.busy = false;
    }
  }

  #showHistory(): void {
    this.#picker.items = toHistoryItems(this.#options.history.entries.slice(-HISTORY_SHOWN).reverse());
    // Nothing is chosen before the person chooses: Enter must not run an old query by surprise.
    this.#picker.activeItems = [];
  }

  async #showPreview(item: HitItem): Promise<void> {
    const uri = this.#options.search.uriOf(item.hit);
    this.#restorer.willPreview(uri);
    try {
      await this.#options.editor.open(uri, item.range, 'preview');
    } catch {
      // Deleted or unreadable meanwhile: opening it says so, looking at it need not.
    }
  }

  async #accept(): Promise<void> {
    const [item] = this.#picker.selectedItems;
    if (item === undefined || item.type === 'message') return;
    if (item.type === 'history') {
      this.#picker.value = item.label;
      this.#schedule();
      return;
    }
    await this.#open(item, 'focus');
  }

  async #open(item: HitItem, mode: 'focus' | 'side'): Promise<void> {
    this.#accepted = true;
    await this.#options.history.add(this.#picker.value);
    if (mode === 'side') await this.#restorer.restore();
    this.#picker.hide();
    try {
      await this.#options.editor.open(this.#options.search.uriOf(item.hit), item.range, mode);
    } catch (error) {
      await showFailure(error);
    }
  }

  async #buttonPressed(item: PickerItem, button: vscode.QuickInputButton): Promise<void> {
    if (item.type !== 'hit') return;
    if (button === item.buttons[0]) {
      await this.#open(item, 'side');
    } else {
      this.#accepted = true;
      await this.#restorer.restore();
      this.#picker.hide();
      const uri = this.#options.search.uriOf(item.hit);
      await vscode.commands.executeCommand('tessera.findSimilar', uri, item.hit.startLine);
    }
  }

  async #moveToView(): Promise<void> {
    const text = this.#picker.value.trim();
    await this.#options.history.add(this.#picker.value);
    this.#picker.hide();
    await this.#options.view.ask({ text });
  }

  async #hidden(): Promise<void> {
    this.dispose();
    try {
      if (this.#accepted) return;
      // A preview still on its way would arrive after the editor it is to give way to.
      await this.#preview.shown;
      this.#options.editor.clear();
      await this.#restorer.restore();
    } finally {
      this.#over.resolve();
    }
  }
}
