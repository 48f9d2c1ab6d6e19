import type { CancellationSignal } from '../../base/cancellation.ts';
import { isCancelled } from '../../base/cancellation.ts';
import { Disposable } from '../../base/disposable.ts';
import { TesseraError, isTesseraError, toTesseraError } from '../../base/errors.ts';
import { Emitter } from '../../base/event.ts';
import type { Logger } from '../../base/logger.ts';
import type {
  FileState,
  FolderState,
  FolderStatus,
  IndexSettings,
  IndexSummary,
  SearchResult,
  SimilarParams,
} from '../../protocol/server.ts';
import type { FolderChange } from '../../process/changeCoalescer.ts';
import type { IndexServer } from './indexServer.ts';

/** What this window may do with a folder. */
export type FolderPermission =
  | 'index'
  /** An untrusted folder: what is indexed already may be searched. */
  | 'search'
  /** Switched off by a setting. */
  | 'none';

/** Why a folder's background work waits: a person said so, or the machine runs on battery. */
export type PauseReason = 'asked' | 'battery';

export interface FolderIndexOptions {
  /** Absolute path. */
  readonly folder: string;
  readonly server: Pick<IndexServer, 'connect' | 'request'>;
  readonly logger: Logger;
  readonly permission: () => FolderPermission;
  readonly readSettings: () => { readonly indexDir: string | null; readonly settings: IndexSettings };
  /** Folder-relative paths of files open in editors. */
  readonly openPaths: () => readonly string[];
}

const NOTHING_DONE = {
  phase: 'scanning',
  filesDone: 0,
  filesTotal: 0,
  chunksDone: 0,
  chunksPerSecond: 0,
  secondsLeft: null,
} as const;

/**
 * One workspace folder's index. Keeps the server's picture of it right over server restarts: opens it again, brings it up
 * to date when it was, and keeps it paused when it was paused.
 */
export class FolderIndex extends Disposable {
  readonly folder: string;
  readonly #options: FolderIndexOptions;
  readonly #stateEmitter = this.own(new Emitter<FolderState>());
  readonly onState = this.#stateEmitter.event;
  #state: FolderState = { kind: 'closed' };
  #opened: { readonly generation: number; readonly status: Promise<FolderStatus> } | undefined;
  readonly #pausedBy = new Set<PauseReason>();
  #owesReconcile = false;
  /** Passes asked for that the server has not begun, as far as it said. */
  readonly #awaitedPasses = new Set<object>();
  #lastError: TesseraError | undefined;

  constructor(options: FolderIndexOptions) {
    super();
    this.folder = options.folder;
    this.#options = options;
  }

  /** What the server said last; `indexing` from the moment a pass is asked for, because an index about to be filled is not up to date. */
  get state(): FolderState {
    const isAboutToBegin = this.#awaitedPasses.size > 0 && this.#state.kind === 'idle';
    return isAboutToBegin ? { kind: 'indexing', progress: { folder: this.folder, ...NOTHING_DONE } } : this.#state;
  }

  /** Why background work waits; null when it does not. A person's word comes before the battery's. */
  get pausedBy(): PauseReason | null {
    if (this.#pausedBy.has('asked')) return 'asked';
    return this.#pausedBy.has('battery') ? 'battery' : null;
  }

  get permission(): FolderPermission {
    return this.#options.permission();
  }

  /** Whether disk and index may differ in ways the server has not been told of. */
  get owesReconcile(): boolean {
    return this.#owesReconcile;
  }

  /** Why the last background work failed; undefined when it did not. */
  get lastError(): TesseraError | undefined {
    return this.#lastError;
  }

  /** The server's news about this folder. */
  acceptState(state: FolderState): void {
    this.#state = state;
    if (state.kind === 'indexing') this.#awaitedPasses.clear();
    if (state.kind === 'idle') this.#lastError = undefined;
    this.#stateEmitter.fire(this.state);
  }

  /** The server has gone; whatever it was doing for this folder is owed. */
  serverDied(): void {
    if (this.#opened === undefined) return;
    this.#opened = undefined;
    this.#owesReconcile = true;
    this.acceptState({ kind: 'closed' });
  }

  /** Opens the folder in the running server, once per server process. `retry` also when its embedder was given up. */
  async open(retry = false): Promise<FolderStatus> {
    const { folder, server } = this.#options;
    if (this.permission === 'none') {
      throw new TesseraError('not-indexed', 'Indexing is switched off for this folder.', { details: { folder } });
    }
    const generation = await server.connect();
    if (this.#opened?.generation !== generation) {
      const status = this.#openIn(retry);
      this.#opened = { generation, status };
      // A failed opening may be tried again.
      status.catch(() => {
        if (this.#opened?.status === status) this.#opened = undefined;
      });
    }
    return this.#opened.status;
  }

  async #openIn(retry: boolean): Promise<FolderStatus> {
    const { folder, server, readSettings } = this.#options;
    const status = await server.request('open', { folder, ...readSettings(), retry });
    this.acceptState(status.state);
    if (this.pausedBy !== null) await server.request('pause', { folder });
    return status;
  }

  /** Applies changed settings to an open folder and compares it with the disk. */
  async reopen(): Promise<void> {
    this.#opened = undefined;
    await this.reconcile();
  }

  /** Makes the index agree with the disk. Asked for by a person or at the start; failures reject. */
  async index(rebuild: boolean, signal?: CancellationSignal): Promise<IndexSummary> {
    const { folder } = this.#options;
    if (this.permission !== 'index') {
      throw new TesseraError('not-indexed', 'This folder may not be indexed.', { details: { folder } });
    }
    const pass = {};
    this.#awaitedPasses.add(pass);
    this.#stateEmitter.fire(this.state);
    try {
      return await this.#indexOpened(rebuild, signal);
    } finally {
      this.#awaitedPasses.delete(pass);
      this.#stateEmitter.fire(this.state);
    }
  }

  async #indexOpened(rebuild: boolean, signal: CancellationSignal | undefined): Promise<IndexSummary> {
    const { folder, server, openPaths } = this.#options;
    await this.open(true);
    this.#owesReconcile = false;
    try {
      const summary = await server.request('index', { folder, rebuild, firstPaths: openPaths() }, signal);
      this.#lastError = undefined;
      return summary;
    } catch (error) {
      // What a person stopped is not owed; the index says that it is incomplete.
      this.#owesReconcile = !isCancelled(error);
      // Another window or a terminal writes this index. The server waits for it and then makes good what is owed.
      if (isTesseraError(error, 'store-locked')) await this.#announce([]);
      throw error;
    }
  }

  /** The same in the background: a failure is kept and shown, not thrown. */
  async reconcile(): Promise<void> {
    if (this.permission !== 'index') return;
    try {
      if (this.pausedBy !== null) {
        await this.open();
        await this.#announce([]);
      } else {
        await this.index(false);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Hands file changes to the server, which queues them, also while it is indexing or paused. Nothing handed in here is lost. */
  async accept(change: FolderChange): Promise<void> {
    if (this.permission !== 'index') return;
    try {
      await this.open();
      if (change.kind === 'everything' || this.#owesReconcile) await this.#announce([]);
      else await this.#announce(change.paths);
    } catch (error) {
      this.#owesReconcile = true;
      this.#failed(error);
    }
  }

  /** Lets background work wait. A folder that is not open yet is opened paused. */
  async pause(reason: PauseReason): Promise<void> {
    const wasPaused = this.#pausedBy.size > 0;
    this.#pausedBy.add(reason);
    if (!wasPaused && this.#opened !== undefined) {
      await this.open();
      await this.#options.server.request('pause', { folder: this.folder });
    }
    this.#stateEmitter.fire(this.state);
  }

  /** Takes a reason to wait away, or all of them; with the last one, work goes on. */
  async resume(reason?: PauseReason): Promise<void> {
    const wasPaused = this.#pausedBy.size > 0;
    if (reason === undefined) this.#pausedBy.clear();
    else this.#pausedBy.delete(reason);
    if (wasPaused && this.#pausedBy.size === 0 && this.#opened !== undefined) {
      await this.open();
      await this.#options.server.request('resume', { folder: this.folder });
      if (this.#owesReconcile) await this.reconcile();
    }
    this.#stateEmitter.fire(this.state);
  }

  async status(): Promise<FolderStatus> {
    await this.open();
    return this.#options.server.request('status', { folder: this.folder });
  }

  async fileState(path: string, signal?: CancellationSignal): Promise<FileState> {
    await this.open();
    return this.#options.server.request('fileState', { folder: this.folder, path }, signal);
  }

  async similar(params: Omit<SimilarParams, 'folder'>, signal?: CancellationSignal): Promise<SearchResult> {
    await this.open();
    return this.#options.server.request('similar', { folder: this.folder, ...params }, signal);
  }

  async clear(): Promise<void> {
    // A folder that cannot be opened (its model is missing) is known to the server all the same.
    await this.open().catch(() => undefined);
    await this.#options.server.request('clear', { folder: this.folder });
  }

  async #announce(paths: readonly string[]): Promise<void> {
    await this.#options.server.request('changed', { folder: this.folder, paths });
    this.#owesReconcile = false;
  }

  #failed(error: unknown): void {
    if (isCancelled(error) || this.isDisposed) return;
    const failure = toTesseraError(error);
    // The server's own end is shown as the server's state and mended by its restart; that it waits for another writer is a state too.
    if (['process-exited', 'disposed', 'store-locked'].includes(failure.code)) return;
    this.#options.logger.error('background indexing failed', {
      folder: this.folder,
      code: failure.code,
      message: failure.message,
    });
    this.#lastError = failure;
    this.#stateEmitter.fire(this.state);
  }
}
