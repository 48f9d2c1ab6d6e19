import type { CancellationSignal } from '../base/cancellation.ts';
import type { Clock } from '../base/clock.ts';
import { Deferred } from '../base/deferred.ts';
import { TesseraError, errorMessage, isTesseraError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Chunker } from '../indexing/document.ts';
import type { EmbedderMetrics, ModelInfo } from '../protocol/embedder.ts';
import type { Scope } from '../protocol/scope.ts';
import type { IndexSettings, IndexSummary } from '../protocol/server.ts';
import { firstSignal } from './abortSignals.ts';
import type { PendingChanges } from './changeQueue.ts';
import type { Embedder } from './embedder/embedder.ts';
import { FileTurns } from './indexer/fileTurns.ts';
import type { PauseGate } from './indexer/pauseGate.ts';
import { type FolderPass, reconcileFolder, reconcilePaths } from './indexer/reconcileFolder.ts';
import { RunProgress } from './indexer/runProgress.ts';
import type { TypingRest } from './indexer/typingRest.ts';
import { type VerifyReport, verifyFolder } from './indexer/verifyFolder.ts';
import { logFigures, summaryOf } from './indexReport.ts';
import type { IndexStores, IndexWriter } from './indexStores.ts';
import type { IndexTroubles } from './indexTroubles.ts';
import type { LastFigures } from './lastFigures.ts';
import { scanOptionsOf } from './rulesInForce.ts';
import type { Scanner } from './scanner/entries.ts';
import type { EmbeddingCache } from './store/embeddingCache.ts';
import type { PassKind } from './store/indexCatalog.ts';
import type { IndexRules } from './store/indexFacts.ts';
import type { LanceChunkStore } from './store/lanceChunkStore.ts';
import { diskFull } from './store/storeFailure.ts';

type Models = Readonly<Record<Scope, ModelInfo>>;

export interface IndexRequest {
  readonly rebuild: boolean;
  readonly firstPaths?: readonly string[];
}

/** A folder, and what it is indexed with. */
export interface IndexedWith {
  /** Absolute path. */
  readonly folder: string;
  /** Where indexes of all folders are kept. */
  readonly indexDir: string;
  readonly embedder: Embedder;
  readonly cache: EmbeddingCache;
  readonly chunker: Chunker;
  readonly scanner: Scanner;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When work that nobody waits for may begin. */
  readonly rest: TypingRest;
}

export interface IndexPassesOptions extends IndexedWith {
  /** Where this folder's index is. */
  readonly dir: string;
  readonly stores: IndexStores;
  readonly gate: PauseGate;
  readonly troubles: IndexTroubles;
  readonly figures: LastFigures;
  readonly settings: () => IndexSettings;
  readonly rules: () => IndexRules;
  /** Opens the models and the index where they are not open yet. Rejects as `FolderIndex.open` does. */
  readonly open: (signal: CancellationSignal) => Promise<void>;
  readonly models: () => Models | undefined;
  /** @throws TesseraError `not-indexed` or `store-failed` when there is no index to read */
  readonly requireReader: () => LanceChunkStore;
  /** Ends every pass. */
  readonly stopping: () => AbortSignal;
  /** Called when what `running` or `otherWriter` says has changed. */
  readonly onState: () => void;
  readonly onCommitted: (paths: readonly string[]) => void;
}

const PROGRESS_EVERY_MS = 200;
/** Figures of a pass that failed are waited for at most so long. */
const FIGURES_WAIT_MS = 1_000;
const NO_MODEL = { id: '', dimension: 0 };
const NO_MODELS = { code: NO_MODEL, docs: NO_MODEL };

/** The passes that make one folder's index agree with the disk: over all of it, over what changed, and the self-check. */
export class IndexPasses {
  readonly #options: IndexPassesOptions;
  #full: Promise<unknown> = Promise.resolve();
  /** Full passes asked for and not done. */
  #fullRuns = 0;
  #running: RunProgress | undefined;
  #otherWriter: string | undefined;

  constructor(options: IndexPassesOptions) {
    this.#options = options;
  }

  /** Whether a full pass works or waits for its turn. */
  get isIndexing(): boolean {
    return this.#fullRuns > 0;
  }

  /** How far the full pass under way is. */
  get running(): RunProgress | undefined {
    return this.#running;
  }

  /** The program that writes this index while a pass of ours would; undefined when none stands in the way. */
  get otherWriter(): string | undefined {
    return this.#otherWriter;
  }

  /** Settles when the full passes asked for until now are done. */
  get full(): Promise<unknown> {
    return this.#full;
  }

  /** Nobody stands in the way of an index that has gone. */
  forgetOtherWriter(): void {
    this.#otherWriter = undefined;
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
    const stop = firstSignal(signal, this.#options.stopping());
    // Without its models an index can be compared, which is all but its vectors, but not repaired.
    if (options.repair || !this.#options.stores.isOpen) await this.#options.open(stop);
    const compare = () => {
      const pass = this.#pass(
        this.#options.requireReader(),
        new FileTurns(),
        new RunProgress(this.#options.clock),
        stop,
      );
      return verifyFolder(pass, this.#options.models() !== undefined);
    };
    if (options.repair && this.#options.stores.damage !== undefined) await this.index({ rebuild: false }, signal);
    const report = await compare();
    if (!options.repair || report.differences.length === 0) return report;
    const paths = [...new Set(report.differences.map(({ path }) => path))];
    await this.#options.stores.write('changes', async ({ store }) => {
      await store.apply({ replace: [], touch: [], remove: paths });
      // Made of the rows that differed, and of files that have not changed since.
      await this.#options.stores.removeSearchImages(store);
    });
    await this.index({ rebuild: false }, signal);
    return compare();
  }

  async #runFull(request: IndexRequest, signal: CancellationSignal | undefined): Promise<IndexSummary> {
    const { clock, embedder } = this.#options;
    const progress = new RunProgress(clock, () => this.#options.onState());
    const stop = firstSignal(signal, this.#options.stopping());
    const ticker = setInterval(() => this.#options.onState(), PROGRESS_EVERY_MS);
    this.#running = progress;
    try {
      await this.#options.open(stop);
      this.#options.onState();
      const store = await this.#write(request.rebuild ? 'rebuild' : 'full', async ({ store, turns }) => {
        const keepsRules =
          this.#options.settings().yieldsToIndex !== true || this.#options.stores.serving?.rules !== undefined;
        if (keepsRules) await store.keepRules(this.#options.rules());
        await reconcileFolder(this.#pass(store, turns, progress, stop), request.firstPaths ?? []);
        progress.startMaintaining();
        await store.markComplete();
        await this.#options.stores.serve(store);
        await store.maintain({ need: progress.filesTotal > 0 ? 'any' : 'due', signal: stop });
        await this.#options.cache.flush();
        return store;
      });
      this.#options.troubles.succeed('indexing', 'following');
      const metrics = await embedder.metrics();
      if (metrics !== null && progress.embedded > 0) await this.#keepFigures(metrics);
      return summaryOf(await store.files(), progress, this.#openModels(), metrics, embedder.restarts);
    } catch (error) {
      await this.#keepFiguresOfFailed(progress);
      // Somebody else at work is no trouble of this index's.
      const isTrouble = !isTesseraError(error, 'cancelled') && !isTesseraError(error, 'store-locked');
      if (isTrouble) this.#options.troubles.fail('indexing', error);
      throw error;
    } finally {
      clearInterval(ticker);
      this.#running = undefined;
      this.#options.onState();
    }
  }

  /** Logs the embedder's figures, and keeps them for `status`. */
  async #keepFigures(metrics: EmbedderMetrics): Promise<void> {
    const { clock, embedder, figures, logger } = this.#options;
    const last = { time: new Date(clock.wallTime()).toISOString(), metrics, restarts: embedder.restarts };
    logFigures(logger, last);
    await figures.keep(last);
  }

  /** What was embedded before a pass failed may tell why it went no further. Never rejects, and keeps nobody waiting for an embedder that hangs. */
  async #keepFiguresOfFailed(progress: RunProgress): Promise<void> {
    if (progress.embedded === 0) return;
    const { clock, embedder, logger } = this.#options;
    const waited = new Deferred<null>();
    const timer = clock.after(FIGURES_WAIT_MS, () => waited.resolve(null));
    try {
      const metrics = await Promise.race([embedder.metrics(), waited.promise]);
      if (metrics !== null) await this.#keepFigures(metrics);
    } catch (error) {
      logger.warn('there are no figures of a pass that failed', { message: errorMessage(error) });
    } finally {
      timer.dispose();
    }
  }

  /** Makes the index follow changes. Rejects as `index` does. */
  async follow({ everything, paths }: PendingChanges): Promise<void> {
    if (everything) {
      await this.index({ rebuild: false });
      return;
    }
    const signal = this.#options.stopping();
    await this.#options.open(signal);
    await this.#write('changes', async ({ store, turns }) => {
      await reconcilePaths(this.#pass(store, turns, new RunProgress(this.#options.clock), signal), paths);
      // While a rebuild is under way, people search the index beside it: it follows too, unless its vectors are another model's.
      const { serving } = this.#options.stores;
      if (serving?.hasVectors === true && serving.name !== store.name) {
        const progress = new RunProgress(this.#options.clock);
        await reconcilePaths(this.#pass(serving, new FileTurns(), progress, signal), paths);
      }
      await store.maintain({ need: 'overdue', signal });
    });
    this.#options.troubles.succeed('following');
    this.#options.onState();
  }

  /**
   * Compacts what saves have made worth it, in an index that is there. Never rejects.
   *
   * @returns undefined, or why it was not the time for it: settles when it may be tried again, and rejects with `cancelled`
   */
  async maintain(): Promise<{ readonly free: Promise<unknown> } | undefined> {
    const { stores, gate } = this.#options;
    const signal = this.#options.stopping();
    if (stores.isBeingWritten || this.isIndexing || gate.isPaused) {
      return { free: Promise.all([stores.released, this.#full, gate.pass(signal)]) };
    }
    try {
      await stores.writeServing((store) => store.maintain({ need: 'due', signal }));
    } catch (error) {
      if (!isTesseraError(error, 'cancelled') && !isTesseraError(error, 'store-locked'))
        this.#options.troubles.note(error);
    }
    return undefined;
  }

  /** Runs a pass as the index's writer, and says whose turn it is while it is not ours. */
  async #write<T>(kind: PassKind, pass: (writer: IndexWriter) => Promise<T>): Promise<T> {
    try {
      return await this.#options.stores.write(kind, (writer) => {
        this.#otherWriter = undefined;
        return pass(writer);
      });
    } catch (error) {
      if (isTesseraError(error, 'store-locked')) {
        this.#otherWriter = String(error.details['program']);
        this.#options.onState();
      }
      if (isTesseraError(error, 'disk-full')) throw diskFull(this.#options.dir, error.cause);
      throw error;
    }
  }

  #pass(store: LanceChunkStore, turns: FileTurns, progress: RunProgress, signal: AbortSignal): FolderPass {
    const { folder, indexDir, cache, embedder, chunker, scanner, clock, gate, rest, onCommitted } = this.#options;
    const rules = this.#options.rules();
    return {
      folder,
      store,
      cache,
      embedder,
      models: this.#options.models() ?? NO_MODELS,
      chunker,
      scanner,
      scanOptions: scanOptionsOf(rules, folder, indexDir),
      limits: { maxFileBytes: rules.maxFileBytes },
      readSource: (folder, path, limits, abort) => scanner.readSource(folder, path, limits, abort),
      wallTime: () => clock.wallTime(),
      turns,
      gate,
      rest,
      clock,
      progress,
      onCommitted,
      signal,
    };
  }

  #openModels(): Models {
    const models = this.#options.models();
    if (models === undefined) throw new TesseraError('not-indexed', 'The folder is not open.');
    return models;
  }
}
