import { availableParallelism } from 'node:os';
import { type CancellationSignal, isCancelled, throwIfCancelled } from '../../base/cancellation.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';
import { TesseraError, errorMessage } from '../../base/errors.ts';
import type { Event } from '../../base/event.ts';
import { resolveMemoryCeilingMb } from '../../process/memory.ts';
import type { ProcessState } from '../../process/processSupervisor.ts';
import type {
  EmbedParams,
  EmbedResult,
  EmbedderMetrics,
  ModelInfo,
  TokenVectors,
  TokenVectorsParams,
} from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import { BulkWork } from './bulkWork.ts';
import type { Embedder } from './embedder.ts';
import { EmbedderClient, type EmbedderClientOptions } from './embedderClient.ts';
import { KnownLayout } from './knownLayout.ts';
import { DIRECTIONS, type Direction, type Layout, isSameLayout, nameOfLayout, neighbourOf } from './layout.ts';
import { LayoutTrial } from './layoutTrial.ts';
import { metricsInTurn } from './metricsInTurn.ts';
import { PoolsByLayout } from './poolsByLayout.ts';
import { WaitingCalls } from './waitingCalls.ts';

/** Bulk work has to have lasted this long before processes are started for it: as long again may be expected then. */
const TRY_AFTER_MS = 20_000;
/** The same, where they are known to pay. */
const START_AFTER_MS = 3_000;
/**
 * Where there is work for less than this share of the time, somebody else is waited for, whom faster embedding makes no faster.
 * Measured while indexing with two processors: 0.69 and 0.79 with the bundled model, where a trial cost seconds of the processor and
 * came to no verdict, and 0.98 with the MiniLM shape.
 */
const BOTTLENECK_SHARE = 0.9;
/** Processes without bulk work are kept so long. */
const KEEP_IDLE_MS = 60_000;

/** A trial of a layout against the present one. */
interface Comparison {
  readonly trial: LayoutTrial;
  readonly challenger: Layout;
}

/**
 * An embedder that finds out by real bulk work whether several processes with a share of the threads each do it faster than one
 * process with all of them, and whether fewer threads do: two of one core get into each other's way in products of matrices. It
 * remembers that for the machine and the model. The one process stays for everything else, so that
 * a query finds all threads and never a bulk run of several before it.
 */
export class AdaptiveEmbedder extends Disposable implements Embedder {
  readonly #options: EmbedderClientOptions;
  readonly #first: EmbedderClient;
  readonly #layouts: KnownLayout;
  /** That of the first process. */
  readonly #alone: Layout;
  readonly #pools: PoolsByLayout;
  readonly #work: BulkWork;
  readonly #waiting = new WaitingCalls();
  readonly onState: Event<ProcessState>;
  #current: Layout;
  #trial: Comparison | undefined;
  /** A trial of the first process that ran out of work; it goes on with the next. */
  #paused: Comparison | undefined;
  /** Whether the present layout is better in some of these is to be found out yet. */
  #untried = DIRECTIONS;
  /** Whether anything was compared. */
  #hasVerdict = false;
  /** Nothing more is to be found out or started. */
  #isSettled = false;
  #isGrowing = false;
  /** What was read from the file: undefined before that, null when there was nothing. */
  #known: Layout | null | undefined;
  #idleTimer: DisposableLike | undefined;

  /** `machineThreads` is how many a process takes where nobody has chosen a number. */
  constructor(options: EmbedderClientOptions, machineThreads = availableParallelism()) {
    super();
    const { settings, clock, logger } = options;
    this.#options = options;
    this.#pools = this.own(new PoolsByLayout(logger));
    this.#work = new BulkWork(() => clock.now());
    this.#first = this.own(new EmbedderClient(options));
    const threads = settings.threads > 0 ? settings.threads : machineThreads;
    this.#alone = { sessions: 1, threads };
    this.#current = this.#alone;
    this.#layouts = new KnownLayout(settings.tunerStateFile, threads, logger);
    this.onState = this.#first.onState;
  }

  get state(): ProcessState {
    return this.#first.state;
  }

  get restarts(): number {
    return this.#first.restarts + this.#pools.restarts;
  }

  open(signal?: CancellationSignal): Promise<Readonly<Record<Scope, ModelInfo>>> {
    return this.#first.open(signal);
  }

  countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array> {
    return this.#first.countTokens(texts, scope, signal);
  }

  embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    return this.#first.embedTokens(params, signal);
  }

  embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult> {
    if (params.lane !== 'bulk' || (this.#isSettled && this.#isAlone)) return this.#first.embed(params, signal);
    return this.#embedBulk(params, signal);
  }

  async metrics(): Promise<EmbedderMetrics | null> {
    const [first, running] = await Promise.all([this.#first.metrics(), this.#pools.running()]);
    const { ended } = this.#pools;
    const parts = [ended, first, ...running].filter((part) => part !== null);
    const metrics = metricsInTurn(parts);
    const peakOf = (metrics: EmbedderMetrics | null): number => metrics?.peakRssMb ?? 0;
    const ofPools = Math.max(
      peakOf(ended),
      running.reduce((sum, one) => sum + peakOf(one), 0),
    );
    // As many as are ever at work together: one process and several take turns.
    const threads = Math.min(this.#current.threads, Math.max(...parts.map((part) => part.threads)));
    return metrics && { ...metrics, threads, sessions: this.#current.sessions, peakRssMb: peakOf(first) + ofPools };
  }

  forgive(): void {
    this.#first.forgive();
    this.#pools.forgive();
    this.#isSettled = false;
    this.#untried = DIRECTIONS;
  }

  override dispose(): void {
    this.#idleTimer?.dispose();
    super.dispose();
    this.#waiting.wakeAll();
  }

  async #embedBulk(params: EmbedParams, signal: CancellationSignal | undefined): Promise<EmbedResult> {
    const { layout, trial } = await this.#beginCall(signal);
    let tokens: number | undefined;
    try {
      const pool = this.#pools.get(layout);
      const result = await (pool ?? this.#first).embed(params, signal);
      tokens = result.tokenCounts.reduce((sum, count) => sum + count, 0);
      // Those that are left have a share of the threads only.
      if (pool?.failure !== undefined && pool === this.#pools.get(layout)) this.#giveUpOnSeveral(pool.failure);
      return result;
    } catch (error) {
      if (this.#isFirst(layout) || isCancelled(error) || this.isDisposed) throw error;
      this.#giveUpOnSeveral(error);
    } finally {
      this.#endCall(trial, tokens);
    }
    return this.#first.embed(params, signal);
  }

  /** Says who is to do a bulk call, after waiting for others while a trial changes sides. */
  async #beginCall(
    signal: CancellationSignal | undefined,
  ): Promise<{ readonly layout: Layout; readonly trial: LayoutTrial | undefined }> {
    for (;;) {
      throwIfCancelled(signal);
      if (this.isDisposed) throw new TesseraError('disposed', 'The embedder was shut down.');
      this.#noteWork();
      const running = this.#trial;
      const contender = running?.trial.begin();
      if (running === undefined || contender !== undefined) {
        this.#work.beginCall();
        const layout = running !== undefined && contender === 'challenger' ? running.challenger : this.#current;
        return { layout, trial: running?.trial };
      }
      await this.#waiting.next(signal);
    }
  }

  #endCall(trial: LayoutTrial | undefined, tokens: number | undefined): void {
    this.#work.endCall();
    if (trial !== undefined && trial === this.#trial?.trial) {
      const mayGoOn = trial.end(tokens);
      this.#conclude();
      if (mayGoOn) this.#waiting.wakeAll();
    }
    if (this.#work.isUnderWay || this.#pools.isEmpty) return;
    this.#idleTimer = this.#options.clock.after(KEEP_IDLE_MS, () => this.#rest());
  }

  #noteWork(): void {
    if (!this.#work.isUnderWay) this.#idleTimer?.dispose();
    this.#work.arrive();
    if (this.#isSettled || this.#isGrowing || this.#trial !== undefined) return;
    if (this.#known === null ? !this.#isWorthATrial : this.#work.lastedMs < START_AFTER_MS) return;
    this.#isGrowing = true;
    // Meanwhile work goes on as it did.
    this.#grow()
      .catch((error: unknown) => this.#giveUpOnSeveral(error))
      .finally(() => {
        this.#isGrowing = false;
      });
  }

  /** Starts the processes known to pay, or those to be tried next; does nothing while work is too short for a trial. */
  async #grow(): Promise<void> {
    if (this.#known === undefined) this.#known = await this.#layouts.read(await this.#first.open());
    const isKnown = this.#known !== null;
    if (!isKnown && !this.#isWorthATrial) return;
    const wanted = this.#known === null ? await this.#nextToTry() : await this.#ifItMayStart(this.#known);
    if (wanted === undefined) {
      // Nothing was found out where nothing could be tried.
      if (this.#isAlone && !this.#hasVerdict) this.#isSettled = true;
      else this.#settle();
      return;
    }
    await this.#openPool(wanted);
    if (this.isDisposed || !this.#work.isUnderWay) {
      this.#pools.end(wanted);
      return;
    }
    if (isKnown) {
      this.#current = wanted;
      return;
    }
    const { clock, logger } = this.#options;
    logger.debug('other embedder processes are tried', {
      layout: nameOfLayout(wanted),
      instead: nameOfLayout(this.#current),
    });
    const paused = this.#isAlone ? this.#paused : undefined;
    this.#paused = undefined;
    // Calls given out before end during the warm-up, which is not counted.
    this.#trial =
      paused !== undefined && isSameLayout(paused.challenger, wanted)
        ? paused
        : { trial: new LayoutTrial(() => clock.now()), challenger: wanted };
  }

  /** The next layout to be compared with the present one; undefined when none is left that may be started. */
  async #nextToTry(): Promise<Layout | undefined> {
    for (;;) {
      const [direction] = this.#untried;
      if (direction === undefined) return undefined;
      const neighbour = this.#neighbour(direction);
      const layout = neighbour && (await this.#ifItMayStart(neighbour));
      if (layout !== undefined) return layout;
      this.#untried = this.#untried.slice(1);
    }
  }

  #neighbour(direction: Direction): Layout | undefined {
    // As many threads as a person has chosen.
    if (direction === 'threads' && this.#options.settings.threads > 0) return undefined;
    return neighbourOf(this.#current, direction);
  }

  /** Whether there has been work for long, and little else that it waits for. */
  get #isWorthATrial(): boolean {
    return this.#work.lastedMs >= TRY_AFTER_MS && this.#work.busyShare >= BOTTLENECK_SHARE;
  }

  /** The layout, where the machine has the device and the memory for its processes beside what is there, and they are not there already. */
  async #ifItMayStart(layout: Layout): Promise<Layout | undefined> {
    if (isSameLayout(layout, this.#current)) return undefined;
    const models = await this.#first.open();
    // Processes side by side on one accelerator fight over its memory.
    if (SCOPES.some((scope) => models[scope].device !== 'cpu')) return undefined;
    const metrics = await this.#first.metrics();
    if (metrics === null) return undefined;
    const beside = this.#isAlone ? 0 : this.#current.sessions;
    return metrics.peakRssMb * (1 + beside + layout.sessions) <= this.#ceilingMb ? layout : undefined;
  }

  get #isAlone(): boolean {
    return this.#isFirst(this.#current);
  }

  #isFirst(layout: Layout): boolean {
    return isSameLayout(layout, this.#alone);
  }

  get #ceilingMb(): number {
    return resolveMemoryCeilingMb(this.#options.settings.memoryCeilingMb, 1);
  }

  async #openPool(layout: Layout): Promise<void> {
    const { settings } = this.#options;
    const ofFirst = (await this.#first.metrics())?.peakRssMb ?? 0;
    const memoryCeilingMb = Math.max(1, Math.floor(this.#ceilingMb - ofFirst));
    const options = { ...this.#options, settings: { ...settings, memoryCeilingMb } };
    await this.#pools.open(options, layout, await this.#first.open());
  }

  /** Draws the consequence when a trial has come to a verdict. */
  #conclude(): void {
    const running = this.#trial;
    if (running === undefined) return;
    const { trial, challenger } = running;
    const { verdict } = trial;
    if (verdict === 'undecided') return;
    this.#trial = undefined;
    this.#hasVerdict = true;
    const loser = verdict === 'switch' ? this.#current : challenger;
    if (verdict === 'switch') this.#current = challenger;
    else this.#untried = this.#untried.slice(1);
    const isLast = !this.#untried.some((direction) => this.#neighbour(direction) !== undefined);
    this.#options.logger.info('embedder processes compared', {
      layout: nameOfLayout(this.#current),
      instead: nameOfLayout(loser),
      isLast,
      ratio: trial.pairs.map((pair) => (pair.challenger / pair.incumbent).toFixed(3)).join(' '),
    });
    this.#pools.end(loser);
    if (trial.isStarved) this.#isSettled = true;
    else if (isLast) this.#settle();
  }

  /** The present layout is the one to stay with. */
  #settle(): void {
    this.#isSettled = true;
    if (this.#known !== null) return;
    this.#known = this.#current;
    const layout = this.#current;
    this.#first
      .open()
      .then((models) => this.#layouts.save(models, layout))
      .catch((error: unknown) => this.#options.logger.warn('a layout was not saved', { message: errorMessage(error) }));
  }

  /** Goes on with the first process alone; a person who asks again may have mended what was wrong. */
  #giveUpOnSeveral(error: unknown): void {
    if (this.isDisposed) return;
    this.#options.logger.warn('several embedder processes were given up', { message: errorMessage(error) });
    this.#trial = undefined;
    this.#endPools();
    this.#isSettled = true;
    this.#waiting.wakeAll();
  }

  /** There has been no bulk work for long: the memory of all pools is given back. */
  #rest(): void {
    if (this.#trial !== undefined && this.#isAlone) {
      this.#trial.trial.pause();
      this.#paused = this.#trial;
    }
    // Better than the first process, if perhaps not the best there is.
    if (!this.#isAlone && this.#known === null) this.#settle();
    this.#trial = undefined;
    this.#endPools();
  }

  #endPools(): void {
    this.#pools.endAll();
    if (!this.#isAlone) this.#isSettled = false;
    this.#current = this.#alone;
  }
}
