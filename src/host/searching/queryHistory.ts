import { Disposable } from '../../base/disposable.ts';
import { Emitter } from '../../base/event.ts';

const KEY = 'tessera.queryHistory';
const MAX_ENTRIES = 50;

/** Where the history is kept: VS Code's workspace state. */
export interface HistoryStore {
  get(key: string, fallback: readonly string[]): readonly string[];
  update(key: string, value: readonly string[]): PromiseLike<void>;
}

/** What was asked in this workspace, newest last, shared by the view and the palette. */
export class QueryHistory extends Disposable {
  readonly #store: HistoryStore;
  readonly #change = this.own(new Emitter<readonly string[]>());
  readonly onChange = this.#change.event;

  constructor(store: HistoryStore) {
    super();
    this.#store = store;
  }

  get entries(): readonly string[] {
    return this.#store.get(KEY, []);
  }

  /** Makes a query the newest entry. One asked before moves; the oldest leave. */
  async add(text: string): Promise<void> {
    const query = text.trim();
    const known = this.entries;
    if (query === '' || known.at(-1) === query) return;
    const entries = [...known.filter((entry) => entry !== query), query].slice(-MAX_ENTRIES);
    await this.#store.update(KEY, entries);
    this.#change.fire(entries);
  }
}
