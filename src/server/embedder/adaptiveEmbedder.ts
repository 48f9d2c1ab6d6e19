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
import { type KnownLayout, KnownLayouts } from './knownLayout.ts';
import { DIRECTIONS, type Direction, type Layout, isSameLayout, nameOfLayout, neighbourOf } from './layout.ts';
import { graphsOf } from './embedderPool.ts';
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

/** A layout to be tried, and how it differs from the present one. */
interface NextLayout {
  readonly direction: Direction;
  readonly layout: Layout;
}

/** A trial of a layout against the present one. */
interface Comparison {
  readonly trial: LayoutTrial;
  readonly incumbent: Layout;
  readonly challenger: Layout;
  readonly direction: Direction;
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
  readonly #layouts: KnownLayouts;
  /** That of the first process. */
  readonly #alone: Layout;
  readonly #pools: PoolsByLayout;
  readonly #work: BulkWork;
  readonly #waiting = new WaitingCalls();
  readonly onState: Event<ProcessState>;
  #current: Layout;
  #trial: Comparison | undefined;
  /** A trial that ran out of work; it goes on with the next. */
  #paused: Comparison | undefined;
  /** Whether the layout after the present one in each of these is better is to be found out yet. */
  #untried = DIRECTIONS;
  /** Those whose trial ran out of work again and again: not tried any more unless a person asks for work. */
  readonly #starved = new Set<Direction>();
  /** Nothing more is to be found out or started. */
  #isSettled = false;
  #isGrowing = false;
  /** What was read from the file: undefined before that, null when there was nothing. */
  #known: KnownLayout | null | undefined;
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
    const machine = { threads, areChosen: settings.threads > 0 };
    this.#layouts = new KnownLayouts(settings.tunerStateFile, machine, clock, logger);
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
    this.#starved.clear();
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
    const isToBeTried = this.#known !== undefined && this.#knownToPay === undefined;
    if (isToBeTried ? !this.#isWorthATrial : this.#work.lastedMs < START_AFTER_MS) return;
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
    if (this.#known === undefined) {
      this.#known = await this.#layouts.read(await this.#first.open());
      this.#untried = this.#known?.untried ?? DIRECTIONS;
    }
    const incumbent = this.#current;
    const known = this.#knownToPay;
    if (known === undefined && !this.#isWorthATrial) return;
    const next = known === undefined ? await this.#nextToTry() : undefined;
    const wanted = known ?? next?.layout;
    if (wanted === undefined || (known !== undefined && !(await this.#mayStart(known)))) {
      this.#isSettled = true;
      return;
    }
    await this.#openPool(wanted);
    // Meanwhile the work may have ended, or several processes been given up.
    if (this.isDisposed || !this.#work.isUnderWay || this.#isSettled || this.#current !== incumbent) {
      this.#pools.end(wanted);
      return;
    }
    // Calls given out before end during a trial's warm-up, which is not counted.
    if (next === undefined) this.#current = wanted;
    else this.#trial = this.#compareWith(next);
  }

  /** What was found out to be best before, where that does not run yet. */
  get #knownToPay(): Layout | undefined {
    const layout = this.#known?.layout;
    return layout === undefined || isSameLayout(layout, this.#current) ? undefined : layout;
  }

  #compareWith({ direction, layout }: NextLayout): Comparison {
    const { clock, logger } = this.#options;
    logger.debug('other embedder processes are tried', {
      layout: nameOfLayout(layout),
      instead: nameOfLayout(this.#current),
    });
    const incumbent = this.#current;
    const paused = this.#paused;
    this.#paused = undefined;
    const isSame = paused !== undefined && isSameLayout(paused.incumbent, incumbent);
    if (isSame && isSameLayout(paused.challenger, layout)) return paused;
    return { trial: new LayoutTrial(() => clock.now()), incumbent, challenger: layout, direction };
  }

  /** The next layout to be compared with the present one; undefined when there is none that may be started. */
  async #nextToTry(): Promise<NextLayout | undefined> {
    for (const direction of this.#untried) {
      if (this.#starved.has(direction)) continue;
      const layout = this.#neighbour(direction);
      if (layout !== undefined && (await this.#mayStart(layout, direction))) return { direction, layout };
    }
    return undefined;
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

  /** Whether the machine has the device and the memory for a layout's processes beside what is there. */
  async #mayStart(layout: Layout, direction?: Direction): Promise<boolean> {
    const models = await this.#first.open();
    // Processes side by side on one accelerator fight over its memory.
    if (SCOPES.some((scope) => models[scope].device !== 'cpu')) return false;
    const metrics = await this.#first.metrics();
    if (metrics === null) return false;
    // A model that looks vectors up has a single thread anyway.
    if (direction === 'threads' && metrics.threads < this.#alone.threads) return false;
    const beside = this.#isAlone ? 0 : this.#current.sessions;
    return metrics.peakRssMb * (1 + beside + layout.sessions) <= this.#ceilingMb;
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
    // All models are on the processor: nothing else is to be found out, least of all by all of them at once.
    const graphFor = settings.graphFor ?? graphsOf(settings.device);
    const own = { ...settings, device: 'cpu' as const, graphFor, memoryCeilingMb };
    const options = { ...this.#options, settings: own };
    await this.#pools.open(options, layout, await this.#first.open());
  }

  /** Draws the consequence when a trial has come to a verdict. */
  #conclude(): void {
    const running = this.#trial;
    if (running === undefined) return;
    const { trial, challenger, direction } = running;
    const { verdict } = trial;
    if (verdict === 'undecided') return;
    this.#trial = undefined;
    const loser = verdict === 'switch' ? this.#current : challenger;
    if (verdict === 'switch') this.#current = challenger;
    if (trial.isStarved) this.#starved.add(direction);
    const isAnswered = verdict === 'keep' && !trial.isStarved;
    this.#untried = this.#untried.filter(
      (other) => this.#neighbour(other) !== undefined && !(isAnswered && other === direction),
    );
    const isLast = this.#untried.every((other) => this.#starved.has(other));
    this.#options.logger.info('embedder processes compared', {
      layout: nameOfLayout(this.#current),
      instead: nameOfLayout(loser),
      isLast,
      ratio: trial.pairs.map((pair) => (pair.challenger / pair.incumbent).toFixed(3)).join(' '),
    });
    this.#pools.end(loser);
    this.#isSettled = trial.isStarved || isLast;
    if (!trial.isStarved) this.#remember({ layout: this.#current, untried: this.#untried });
  }

  /** For the next time: also what is not the end of it, since work may end before. */
  #remember(known: KnownLayout): void {
    this.#known = known;
    this.#first
      .open()
      .then((models) => this.#layouts.save(models, known))
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
    if (this.#trial !== undefined) {
      this.#trial.trial.pause();
      this.#paused = this.#trial;
    }
    this.#trial = undefined;
    this.#endPools();
  }

  #endPools(): void {
    this.#pools.endAll();
    if (!this.#isAlone) this.#isSettled = false;
    this.#current = this.#alone;
  }
}
