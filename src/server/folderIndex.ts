import type { CancellationSignal } from '../base/cancellation.ts';
import type { Clock } from '../base/clock.ts';
import { Disposable } from '../base/disposable.ts';
import { type ErrorCode, TesseraError, isTesseraError, toTesseraError } from '../base/errors.ts';
import { Emitter } from '../base/event.ts';
import type { Logger } from '../base/logger.ts';
import { CHUNKER_VERSION } from '../indexing/chunking/chunkerVersion.ts';
import type { Chunker } from '../indexing/document.ts';
import { pathInside } from '../process/pathInside.ts';
import type { ModelInfo } from '../protocol/embedder.ts';
import type { Scope } from '../protocol/scope.ts';
import type { FileState, FolderState, FolderStatus, IndexSettings, IndexSummary } from '../protocol/server.ts';
import { firstSignal } from './abortSignals.ts';
import { ChangeQueue, type PendingChanges } from './changeQueue.ts';
import type { Embedder } from './embedder/embedder.ts';
import { directoryBytes } from './directoryBytes.ts';
import { AtRest } from './indexer/atRest.ts';
import { FileTurns } from './indexer/fileTurns.ts';
import { PauseGate } from './indexer/pauseGate.ts';
import { type FolderPass, reconcileFolder, reconcilePaths } from './indexer/reconcileFolder.ts';
import { RunProgress } from './indexer/runProgress.ts';
import type { TypingRest } from './indexer/typingRest.ts';
import { type VerifyReport, verifyFolder } from './indexer/verifyFolder.ts';
import { logFigures, statusCounts, summaryOf } from './indexReport.ts';
import { type IndexWriter, IndexStores } from './indexStores.ts';
import type { PathVerdict, ScanOptions, Scanner } from './scanner/entries.ts';
import type { FileRecord } from './store/chunkStore.ts';
import type { IndexRules } from './store/indexFacts.ts';
import { diskFull } from './store/storeFailure.ts';
import type { EmbeddingCache } from './store/embeddingCache.ts';
import type { PassKind } from './store/indexCatalog.ts';
import { folderIndexDir } from './store/indexLocation.ts';
import type { LanceChunkStore } from './store/lanceChunkStore.ts';

export interface FolderIndexOptions {
  /** Absolute path. */
  readonly folder: string;
  readonly indexDir: string;
  readonly settings: IndexSettings;
  readonly embedder: Embedder;
  readonly cache: EmbeddingCache;
  readonly chunker: Chunker;
  readonly scanner: Scanner;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When work that nobody waits for may begin. */
  readonly rest: TypingRest;
  /** Named to whoever finds the index locked. */
  readonly program: string;
}

export interface IndexRequest {
  readonly rebuild: boolean;
  readonly firstPaths?: readonly string[];
}

/** Opening the models and the index, a full pass, following changes. */
type FailedWork = 'opening' | 'indexing' | 'following';

/** Failures to open that have nothing to do with the models. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set(['cancelled', 'disposed', 'store-failed', 'disk-full', 'internal']);

const PROGRESS_EVERY_MS = 200;
const ERRORS_KEPT = 20;
/** Without a save, until an index is maintained that saves have made worth it. */
const REST_BEFORE_UPKEEP_MS = 5_000;
const NO_MODEL = { id: '', dimension: 0 };
const NO_MODELS = { code: NO_MODEL, docs: NO_MODEL };

/** One folder's index: kept true by full passes and by passes over what changed, readable all the while. */
export class FolderIndex extends Disposable {
  readonly folder: string;
  readonly dir: string;
  #settings: IndexSettings;
  readonly #options: FolderIndexOptions;
  readonly #logger: Logger;
  readonly #gate = new PauseGate();
  #stopping = new AbortController();
  readonly #stateEmitter = this.own(new Emitter<FolderState>());
  readonly #committedEmitter = this.own(new Emitter<readonly string[]>());
  readonly onState = this.#stateEmitter.event;
  readonly onCommitted = this.#committedEmitter.event;
  readonly #stores: IndexStores;
  readonly #changes: ChangeQueue;
  readonly #rested: AtRest;
  #models: Readonly<Record<Scope, ModelInfo>> | undefined;
  #full: Promise<unknown> = Promise.resolve();
  /** Full passes asked for and not done. */
  #fullRuns = 0;
  #running: RunProgress | undefined;
  /** The program that writes this index while a pass of ours would; undefined when none stands in the way. */
  #otherWriter: string | undefined;
  /** What each kind of work last failed with, until it succeeds. */
  #failures: Readonly<Partial<Record<FailedWork, TesseraError>>> = {};
  #errors: { readonly time: string; readonly code: string; readonly message: string }[] = [];

  constructor(options: FolderIndexOptions) {
    super();
    this.#options = options;
    this.folder = options.folder;
    this.dir = folderIndexDir(options.indexDir, options.folder);
    this.#settings = options.settings;
    this.#logger = options.logger.child('index');
    const { folder, dir } = this;
    this.#stores = this.own(
      new IndexStores({
        dir,
        folder,
        program: options.program,
        logger: this.#logger,
        onDamaged: (error) => this.#note(error),
      }),
    );
    this.#rested = this.own(new AtRest(options.clock, REST_BEFORE_UPKEEP_MS, () => this.#maintain()));
    this.#changes = new ChangeQueue({
      clock: options.clock,
      mayWork: (signal) => this.#gate.pass(signal),
      work: (changes) => this.#follow(changes),
      onFailure: (error) => {
        // A full pass on behalf of changes has told of it itself.
        if (error === this.#failures.indexing) return;
        this.#fail('following', error);
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
      if (!isTesseraError(error, 'cancelled')) this.#fail('opening', error);
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
    return this.#fullRuns > 0;
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
    this.#fullRuns += 1;
    const run = this.#full
      .then(() => this.#runFull(request, signal))
      .finally(() => {
        this.#fullRuns -= 1;
      });
    this.#full = run.catch(() => undefined);
    return run;
  }

  /**
   * Compares every row with the disk; with `repair`, files whose rows differ are then indexed anew and compared again, and so is
   * all of an index that cannot be read. Rejects with `not-indexed` when there is nothing to compare, or with `store-failed`.
   */
  async verify(options: { readonly repair: boolean }, signal?: CancellationSignal): Promise<VerifyReport> {
    const stop = firstSignal(signal, this.#stopping.signal);
    // Without its models an index can be compared, which is all but its vectors, but not repaired.
    if (options.repair || !this.#stores.isOpen) await this.#openStores(stop);
    const compare = () => {
      const pass = this.#pass(this.requireReader(), new FileTurns(), new RunProgress(this.#options.clock), stop);
      return verifyFolder(pass, this.#models !== undefined);
    };
    if (options.repair && this.#stores.damage !== undefined) await this.index({ rebuild: false }, signal);
    const report = await compare();
    if (!options.repair || report.differences.length === 0) return report;
    const paths = [...new Set(report.differences.map(({ path }) => path))];
    await this.#stores.write('changes', ({ store }) => store.apply({ replace: [], touch: [], remove: paths }));
    await this.index({ rebuild: false }, signal);
    return compare();
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
    const failure = this.#stores.damage ?? this.#lastFailure;
    if (!this.#stores.isOpen && failure === undefined) return { kind: 'closed' };
    const progress = this.#running?.snapshot(this.folder);
    if (this.#gate.isPaused) {
      const pendingFiles = (progress ? progress.filesTotal - progress.filesDone : 0) + this.#changes.size;
      return { kind: 'paused', pendingFiles, reason: 'asked' };
    }
    if (this.#otherWriter !== undefined && failure === undefined)
      return { kind: 'waiting', program: this.#otherWriter };
    if (progress !== undefined) return { kind: 'indexing', progress };
    if (failure !== undefined) return { kind: 'degraded', reason: failure.message };
    return { kind: 'idle', ...(this.#stores.serving?.counts ?? { files: 0, chunks: 0 }) };
  }

  async status(): Promise<FolderStatus> {
    const { embedder } = this.#options;
    const { serving } = this.#stores;
    const records = (await serving?.files()) ?? new Map<string, FileRecord>();
    return {
      folder: this.folder,
      state: this.state,
      indexDir: this.dir,
      indexName: serving?.name ?? '',
      complete: serving?.isComplete ?? false,
      ...statusCounts(records.values()),
      bytesOnDisk: await directoryBytes(this.dir),
      models: this.#models ?? null,
      metrics: await embedder.metrics(),
      embedderRestarts: embedder.restarts,
      lastErrors: this.#errors,
    };
  }

  /** What these paths are by the rules in force, in their order. Rejects with `folder-unreadable`. */
  judge(paths: readonly string[], signal?: CancellationSignal): Promise<readonly PathVerdict[]> {
    return this.#options.scanner.checkPaths(this.folder, this.scanOptions, paths, signal);
  }

  async fileState(path: string): Promise<FileState> {
    const record = (await this.#stores.serving?.files())?.get(path);
    if (this.#changes.has(path)) return { kind: 'pending' };
    if (record?.skipped != null && record.chunks === 0) return { kind: 'skipped', ...record.skipped };
    if (record !== undefined) return { kind: 'indexed', chunks: record.chunks };
    const [verdict] = await this.judge([path]);
    if (verdict?.kind === 'file') return { kind: 'pending' };
    if (verdict?.kind === 'skipped') return { kind: 'skipped', reason: verdict.reason, detail: verdict.detail };
    return verdict?.kind === 'ignored' ? { kind: 'ignored' } : { kind: 'unknown' };
  }

  /** Resolves when no pass is under way and nothing is waiting for one. */
  async settled(): Promise<void> {
    while (this.#changes.draining !== undefined || this.#fullRuns > 0 || this.#rested.working !== undefined) {
      await Promise.all([this.#changes.draining, this.#full, this.#rested.working]);
    }
  }

  /** Stops what is under way and deletes the index, also without a model. Rejects with `store-locked` while another process writes it. */
  async clear(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
    this.#stopping = new AbortController();
    try {
      await this.#stores.clear();
    } catch (error) {
      // The index is still there, and still to follow what it was told of.
      this.#changes.retry();
      throw error;
    }
    this.#changes.clear();
    this.#otherWriter = undefined;
    this.#succeed('indexing', 'following');
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

  async #runFull(request: IndexRequest, signal: CancellationSignal | undefined): Promise<IndexSummary> {
    const { clock, embedder } = this.#options;
    const progress = new RunProgress(clock, () => this.#fireState());
    const stop = firstSignal(signal, this.#stopping.signal);
    const ticker = setInterval(() => this.#fireState(), PROGRESS_EVERY_MS);
    this.#running = progress;
    try {
      await this.#openStores(stop);
      this.#fireState();
      const store = await this.#write(request.rebuild ? 'rebuild' : 'full', async ({ store, turns }) => {
        const keepsRules = this.#settings.yieldsToIndex !== true || this.#stores.serving?.rules !== undefined;
        if (keepsRules) await store.keepRules(this.#rules);
        await reconcileFolder(this.#pass(store, turns, progress, stop), request.firstPaths ?? []);
        progress.startMaintaining();
        await store.markComplete();
        await this.#stores.serve(store);
        await store.maintain({ need: progress.filesTotal > 0 ? 'any' : 'due', signal: stop });
        await this.#options.cache.flush();
        return store;
      });
      this.#succeed('indexing', 'following');
      const metrics = await embedder.metrics();
      if (metrics !== null && progress.embedded > 0) logFigures(this.#logger, metrics);
      return summaryOf(await store.files(), progress, this.#openModels(), metrics);
    } catch (error) {
      // Somebody else at work is no trouble of this index's.
      const isTrouble = !isTesseraError(error, 'cancelled') && !isTesseraError(error, 'store-locked');
      if (isTrouble) this.#fail('indexing', error);
      throw error;
    } finally {
      clearInterval(ticker);
      this.#running = undefined;
      this.#fireState();
    }
  }

  async #follow({ everything, paths }: PendingChanges): Promise<void> {
    if (everything) {
      await this.index({ rebuild: false });
      return;
    }
    const { signal } = this.#stopping;
    await this.#openStores(signal);
    await this.#write('changes', async ({ store, turns }) => {
      await reconcilePaths(this.#pass(store, turns, new RunProgress(this.#options.clock), signal), paths);
      // While a rebuild is under way, people search the index beside it: it follows too, unless its vectors are another model's.
      const { serving } = this.#stores;
      if (serving?.hasVectors === true && serving.name !== store.name) {
        const progress = new RunProgress(this.#options.clock);
        await reconcilePaths(this.#pass(serving, new FileTurns(), progress, signal), paths);
      }
      await store.maintain({ need: 'overdue', signal });
    });
    this.#rested.note();
    this.#succeed('following');
    this.#fireState();
  }

  /** Compacting holds up saves and takes the processors for a moment, so it is done when nobody saves. */
  async #maintain(): Promise<void> {
    // A pass that is under way sees to it at its end.
    if (this.#changes.draining !== undefined || this.isBeingIndexed || this.#gate.isPaused) return;
    const { signal } = this.#stopping;
    try {
      await this.#stores.write('changes', ({ store }) => store.maintain({ need: 'due', signal }));
    } catch (error) {
      if (!isTesseraError(error, 'cancelled') && !isTesseraError(error, 'store-locked')) this.#note(error);
    }
  }

  /** Runs a pass as the index's writer, and says whose turn it is while it is not ours. */
  async #write<T>(kind: PassKind, pass: (writer: IndexWriter) => Promise<T>): Promise<T> {
    try {
      return await this.#stores.write(kind, (writer) => {
        this.#otherWriter = undefined;
        return pass(writer);
      });
    } catch (error) {
      if (isTesseraError(error, 'store-locked')) {
        this.#otherWriter = String(error.details['program']);
        this.#fireState();
      }
      if (isTesseraError(error, 'disk-full')) throw diskFull(this.dir, error.cause);
      throw error;
    }
  }

  async #openStores(signal?: CancellationSignal): Promise<void> {
    if (this.#stores.isOpen && this.#models !== undefined) return;
    this.#models = await this.#options.embedder.open(signal);
    await this.#stores.open({ models: this.#models, chunkerVersion: CHUNKER_VERSION });
    this.#succeed('opening');
  }

  #pass(store: LanceChunkStore, turns: FileTurns, progress: RunProgress, signal: AbortSignal): FolderPass {
    const { cache, embedder, chunker, scanner, clock } = this.#options;
    return {
      folder: this.folder,
      store,
      cache,
      embedder,
      models: this.#models ?? NO_MODELS,
      chunker,
      scanner,
      scanOptions: this.scanOptions,
      limits: { maxFileBytes: this.#rules.maxFileBytes },
      readSource: (folder, path, limits, abort) => scanner.readSource(folder, path, limits, abort),
      wallTime: () => clock.wallTime(),
      turns,
      gate: this.#gate,
      rest: this.#options.rest,
      clock,
      progress,
      onCommitted: (paths) => this.#committedEmitter.fire(paths),
      signal,
    };
  }

  /** What decides which files belong to the index. */
  get scanOptions(): ScanOptions {
    const { exclude, ...rules } = this.#rules;
    return { ...rules, exclude: [...exclude, ...this.#ownGlobs()] };
  }

  /** Those of the settings, or those the index was made with when the settings yield to them. */
  get #rules(): IndexRules {
    const { maxFileBytes, exclude, useIgnoreFiles, yieldsToIndex = false } = this.#settings;
    return (yieldsToIndex ? this.#stores.serving?.rules : undefined) ?? { maxFileBytes, exclude, useIgnoreFiles };
  }

  /** An index kept inside the folder it is of is no part of what it indexes. */
  #ownGlobs(): readonly string[] {
    const inside = pathInside(this.folder, this.#options.indexDir) ?? '';
    return inside === '' ? [] : [inside.replaceAll(/[\\*?[\]{}()!+@]/g, '\\$&')];
  }

  #openModels(): Readonly<Record<Scope, ModelInfo>> {
    if (this.#models === undefined) throw new TesseraError('not-indexed', 'The folder is not open.');
    return this.#models;
  }

  get #lastFailure(): TesseraError | undefined {
    const { opening, indexing, following } = this.#failures;
    return opening ?? indexing ?? following;
  }

  #fail(work: FailedWork, error: unknown): void {
    this.#failures = { ...this.#failures, [work]: this.#note(error) };
  }

  #succeed(...works: readonly FailedWork[]): void {
    const failed = Object.entries(this.#failures).filter(([work]) => !works.some((done) => done === work));
    this.#failures = Object.fromEntries(failed);
  }

  #note(error: unknown): TesseraError {
    const known = toTesseraError(error);
    this.#logger.error(known.message, { code: known.code });
    const time = new Date(this.#options.clock.wallTime()).toISOString();
    this.#errors = [...this.#errors, { time, code: known.code, message: known.message }].slice(-ERRORS_KEPT);
    return known;
  }

  #fireState(): void {
    if (!this.isDisposed) this.#stateEmitter.fire(this.state);
  }
}
