import type { CancellationSignal } from '../base/cancellation.ts';
import { Disposable } from '../base/disposable.ts';
import { type ErrorCode, TesseraError, isTesseraError } from '../base/errors.ts';
import { Emitter } from '../base/event.ts';
import { CHUNKER_VERSION } from '../indexing/chunking/chunkerVersion.ts';
import type { ModelInfo } from '../protocol/embedder.ts';
import type { Scope } from '../protocol/scope.ts';
import type { FileState, FolderState, FolderStatus, IndexSettings, IndexSummary } from '../protocol/server.ts';
import { ChangeQueue, type PendingChanges } from './changeQueue.ts';
import { directoryBytes } from './directoryBytes.ts';
import { AtRest } from './indexer/atRest.ts';
import { LastFigures } from './lastFigures.ts';
import { PauseGate } from './indexer/pauseGate.ts';
import type { VerifyReport } from './indexer/verifyFolder.ts';
import { type IndexedWith, type IndexRequest, IndexPasses } from './indexPasses.ts';
import { statusCounts } from './indexReport.ts';
import { IndexStores } from './indexStores.ts';
import { IndexTroubles } from './indexTroubles.ts';
import { rulesInForce, scanOptionsOf } from './rulesInForce.ts';
import type { PathVerdict, ScanOptions } from './scanner/entries.ts';
import type { FileRecord } from './store/chunkStore.ts';
import type { IndexRules } from './store/indexFacts.ts';
import { folderIndexDir } from './store/indexLocation.ts';
import type { LanceChunkStore } from './store/lanceChunkStore.ts';

export interface FolderIndexOptions extends IndexedWith {
  readonly settings: IndexSettings;
  /** Named to whoever finds the index locked. */
  readonly program: string;
}

/** Failures to open that have nothing to do with the models. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set(['cancelled', 'disposed', 'store-failed', 'disk-full', 'internal']);

/** Without a save, until an index is compacted that saves have made worth it: it holds up saves and takes the processors for a moment. */
const REST_BEFORE_UPKEEP_MS = 5_000;

/** One folder's index: kept true by full passes and by passes over what changed, readable all the while. */
export class FolderIndex extends Disposable {
  readonly folder: string;
  readonly dir: string;
  #settings: IndexSettings;
  readonly #options: FolderIndexOptions;
  readonly #gate = new PauseGate();
  #stopping = new AbortController();
  readonly #stateEmitter = this.own(new Emitter<FolderState>());
  readonly #committedEmitter = this.own(new Emitter<readonly string[]>());
  readonly onState = this.#stateEmitter.event;
  readonly onCommitted = this.#committedEmitter.event;
  readonly #troubles: IndexTroubles;
  readonly #stores: IndexStores;
  readonly #figures: LastFigures;
  readonly #passes: IndexPasses;
  readonly #changes: ChangeQueue;
  readonly #rested: AtRest;
  #models: Readonly<Record<Scope, ModelInfo>> | undefined;

  constructor(options: FolderIndexOptions) {
    super();
    this.#options = options;
    this.folder = options.folder;
    this.dir = folderIndexDir(options.indexDir, options.folder);
    this.#settings = options.settings;
    const logger = options.logger.child('index');
    this.#troubles = new IndexTroubles(options.clock, logger);
    this.#stores = this.own(
      new IndexStores({
        dir: this.dir,
        folder: this.folder,
        program: options.program,
        logger,
        onDamaged: (error) => this.#troubles.note(error),
      }),
    );
    this.#figures = new LastFigures(this.dir, logger);
    this.#passes = new IndexPasses({
      ...options,
      logger,
      dir: this.dir,
      stores: this.#stores,
      gate: this.#gate,
      troubles: this.#troubles,
      figures: this.#figures,
      settings: () => this.#settings,
      rules: () => this.#rules,
      open: (signal) => this.#openStores(signal),
      models: () => this.#models,
      requireReader: () => this.requireReader(),
      stopping: () => this.#stopping.signal,
      onState: () => this.#fireState(),
      onCommitted: (paths) => this.#committedEmitter.fire(paths),
    });
    this.#rested = this.own(new AtRest(options.clock, REST_BEFORE_UPKEEP_MS, () => this.#upkeep()));
    this.#changes = new ChangeQueue({
      clock: options.clock,
      mayWork: (signal) => this.#gate.pass(signal),
      work: (changes) => this.#follow(changes),
      onFailure: (error) => {
        // A full pass on behalf of changes has told of it itself.
        if (this.#troubles.isOf('indexing', error)) return;
        this.#troubles.fail('following', error);
        this.#fireState();
      },
      signal: () => this.#stopping.signal,
    });
  }

  /** Opens what is indexed already. Starts the embedder, since an index belongs to its models. */
  async open(signal?: CancellationSignal): Promise<void> {
    try {
      await this.#openStores(signal);
    } catch (error) {
      if (!isTesseraError(error, 'cancelled')) this.#troubles.fail('opening', error);
      throw error;
    } finally {
      this.#fireState();
    }
  }

  /**
   * The same, but what is indexed is opened for reading also when the models cannot be: words and names still answer then.
   * @returns why the models cannot be opened; null when they can
   */
  async openToRead(signal?: CancellationSignal): Promise<TesseraError | null> {
    try {
      await this.open(signal);
      return null;
    } catch (error) {
      const isOfModels = this.#models === undefined && isTesseraError(error) && !UNREADABLE.has(error.code);
      if (!isOfModels) throw error;
      await this.#stores.open(null);
      this.#fireState();
      return error;
    }
  }

  applySettings(settings: IndexSettings): void {
    this.#settings = settings;
  }

  /** Where indexes of all folders are kept. */
  get indexDir(): string {
    return this.#options.indexDir;
  }

  /** What searches read; undefined when nothing is indexed, or what is cannot be read. */
  get reader(): LanceChunkStore | undefined {
    return this.#stores.serving;
  }

  /** The same where it is needed. @throws TesseraError `not-indexed`, or `store-failed` when there is an index that cannot be read */
  requireReader(): LanceChunkStore {
    const { serving, damage } = this.#stores;
    if (serving !== undefined) return serving;
    const { folder } = this;
    throw damage ?? new TesseraError('not-indexed', `${folder} is not indexed.`, { details: { folder } });
  }

  /** Looks again for what searches should read: another process may have made or replaced it. */
  async refresh(): Promise<void> {
    if (this.#stores.isOpen) await this.#stores.refresh();
  }

  /** Whether a full pass works or waits for its turn. */
  get isBeingIndexed(): boolean {
    return this.#passes.isIndexing;
  }

  get models(): Readonly<Record<Scope, ModelInfo>> | undefined {
    return this.#models;
  }

  /** Lets an embedder that was given up start once more: a person asks again, having mended something perhaps. */
  forgiveEmbedder(): void {
    this.#options.embedder.forgive();
  }

  /**
   * A full pass: afterwards the index agrees with the folder as it was when the pass came by. One at a time; a later request waits.
   * Rejects with `cancelled`, `store-locked`, `folder-unreadable`, `store-failed`, or what the embedder failed with; finished work stays.
   */
  index(request: IndexRequest, signal?: CancellationSignal): Promise<IndexSummary> {
    return this.#passes.index(request, signal);
  }

  /**
   * Compares every row with the disk; with `repair`, files whose rows differ are then indexed anew and compared again, and so is
   * all of an index that cannot be read. Rejects with `not-indexed` when there is nothing to compare, or with `store-failed`.
   */
  verify(options: { readonly repair: boolean }, signal?: CancellationSignal): Promise<VerifyReport> {
    return this.#passes.verify(options, signal);
  }

  /** Files that may have changed; none named means that anything may have. Worked off soon, in the `saved` lane. */
  changed(paths: readonly string[]): void {
    const { scanner } = this.#options;
    const everything = paths.length === 0 || paths.some((path) => scanner.changesRules(path));
    this.#changes.add({ everything, paths: everything ? [] : paths });
    // While paused nothing else would say that there is more to do.
    if (this.#gate.isPaused) this.#fireState();
  }

  pause(): void {
    this.#gate.pause();
    this.#fireState();
  }

  resume(): void {
    this.#gate.resume();
    this.#fireState();
  }

  get state(): FolderState {
    const failure = this.#stores.damage ?? this.#troubles.present;
    if (!this.#stores.isOpen && failure === undefined) return { kind: 'closed' };
    const progress = this.#passes.running?.snapshot(this.folder);
    if (this.#gate.isPaused) {
      const pendingFiles = (progress ? progress.filesTotal - progress.filesDone : 0) + this.#changes.size;
      return { kind: 'paused', pendingFiles, reason: 'asked' };
    }
    const { otherWriter } = this.#passes;
    if (otherWriter !== undefined && failure === undefined) return { kind: 'waiting', program: otherWriter };
    if (progress !== undefined) return { kind: 'indexing', progress };
    if (failure !== undefined) return { kind: 'degraded', reason: failure.message };
    return { kind: 'idle', ...(this.#stores.serving?.counts ?? { files: 0, chunks: 0 }) };
  }

  async status(): Promise<FolderStatus> {
    const { embedder } = this.#options;
    const records = await this.#files();
    const { serving } = this.#stores;
    return {
      folder: this.folder,
      state: this.state,
      indexDir: this.dir,
      indexName: serving?.name ?? '',
      complete: serving?.isComplete ?? false,
      ...statusCounts(records.values()),
      bytesOnDisk: await directoryBytes(this.dir),
      models: await this.#modelsNow(),
      metrics: await embedder.metrics(),
      embedderRestarts: embedder.restarts,
      lastFigures: await this.#figures.read(),
      lastErrors: this.#troubles.errors,
    };
  }

  /** An embedder that lost its device goes on with another one, and tells why. */
  async #modelsNow(): Promise<Readonly<Record<Scope, ModelInfo>> | null> {
    const opened = this.#models;
    if (opened === undefined) return null;
    return this.#options.embedder.open().catch(() => opened);
  }

  /** What these paths are by the rules in force, in their order. Rejects with `folder-unreadable`. */
  judge(paths: readonly string[], signal?: CancellationSignal): Promise<readonly PathVerdict[]> {
    return this.#options.scanner.checkPaths(this.folder, this.scanOptions, paths, signal);
  }

  async fileState(path: string): Promise<FileState> {
    const record = (await this.#files()).get(path);
    if (this.#changes.has(path)) return { kind: 'pending' };
    if (record?.skipped != null && record.chunks === 0) return { kind: 'skipped', ...record.skipped };
    if (record !== undefined) return { kind: 'indexed', chunks: record.chunks };
    const [verdict] = await this.judge([path]);
    if (verdict?.kind === 'file') return { kind: 'pending' };
    if (verdict?.kind === 'skipped') return { kind: 'skipped', reason: verdict.reason, detail: verdict.detail };
    return verdict?.kind === 'ignored' ? { kind: 'ignored' } : { kind: 'unknown' };
  }

  async #files(): Promise<ReadonlyMap<string, FileRecord>> {
    const { serving } = this.#stores;
    const files = await this.#stores.files();
    // Another process has cleared or replaced the index.
    if (this.#stores.serving !== serving) this.#fireState();
    return files;
  }

  /** Resolves when no pass is under way and nothing is waiting for one. */
  async settled(): Promise<void> {
    while (this.#changes.draining !== undefined || this.#passes.isIndexing || this.#rested.working !== undefined) {
      await Promise.all([this.#changes.draining, this.#passes.full, this.#rested.working]);
    }
  }

  /** Stops what is under way and deletes the index, also without a model. Rejects with `store-locked` while another process writes it. */
  async clear(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
    this.#rested.forget();
    this.#stopping = new AbortController();
    try {
      await this.#stores.clear();
    } catch (error) {
      // The index is still there, and still to follow what it was told of.
      this.#changes.retry();
      this.#rested.note();
      throw error;
    }
    this.#changes.clear();
    this.#passes.forgetOtherWriter();
    this.#troubles.succeed('indexing', 'following');
    // Models that could not be opened before have nothing to do with the clearing.
    if (this.#models !== undefined) await this.open();
    else this.#fireState();
  }

  /** Stops what is under way and waits until it has; finished work stays. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
    this.dispose();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#stopping.abort();
    super.dispose();
  }

  async #follow(changes: PendingChanges): Promise<void> {
    try {
      await this.#passes.follow(changes);
    } finally {
      this.#rested.note();
    }
  }

  async #upkeep(): Promise<void> {
    const declined = await this.#passes.maintain();
    // Not waited for here: a pause may last. It fails only when what is under way is stopped.
    declined?.free.then(
      () => this.#rested.note(),
      () => undefined,
    );
  }

  async #openStores(signal?: CancellationSignal): Promise<void> {
    if (this.#stores.isOpen && this.#models !== undefined) return;
    this.#models = await this.#options.embedder.open(signal);
    await this.#stores.open({ models: this.#models, chunkerVersion: CHUNKER_VERSION });
    this.#troubles.succeed('opening');
  }

  /** What decides which files belong to the index. */
  get scanOptions(): ScanOptions {
    return scanOptionsOf(this.#rules, this.folder, this.#options.indexDir);
  }

  get #rules(): IndexRules {
    return rulesInForce(this.#settings, this.#stores.serving?.rules);
  }
  #fireState(): void {
    if (!this.isDisposed) this.#stateEmitter.fire(this.state);
  }
}
