import type { TunerReport } from '../protocol/embedder.ts';
import type { Belief } from './kalmanFilter.ts';
import {
  type Trial,
  betterBudget,
  budgetGrid,
  neighboursOf,
  trialOf,
  withinReach,
  worthTrying,
} from './budgetSearch.ts';
import { DisplacementMeter } from './displacementMeter.ts';
import { type DeathFacts, MemoryCeiling } from './memoryCeiling.ts';
import { NO_AUDIT, NeighbourAudit } from './neighbourAudit.ts';
import { type ProbeLimits, type Probes, ProbePlanner } from './probePlanner.ts';
import { RUNS_TO_KNOW, type RunSample, RunSampler } from './runSampler.ts';
import { ThroughputMeter } from './throughputMeter.ts';
import { type PlannedRun, type RunCost, type RunMeasurement, type RunShape, paddedTokens } from './runShape.ts';
import { ThroughputModel } from './throughputModel.ts';
import { type PackLimits, longestFirst, packByCost, packGreedily, packUnpadded } from './tokenBatcher.ts';
import { parseTunerState } from './tunerState.ts';
import type { PlanPurpose, Tuner, TunerOptions, TunerState } from './tunerTypes.ts';

/** Planning by cost takes some microseconds a text; where a text itself takes less than this, filling to the budget is enough. */
const WORTH_PLANNING_MS = 0.5;
/** Runs in a window, at least: what its last, unfilled run loses is then small. */
const WINDOW_RUNS = 16;
/**
 * On a device nobody has measured, whose first run is a small one, a window is a single run's tokens for so many runs: the first may have built programs or met a stall, and what is planned by it is
 * not to last.
 */
const FIRST_RUNS = 8;
/**
 * Only sizes within an octave of one that is known are tried: a size far off may be several times as slow, or too large for the
 * memory, and its neighbours tell.
 */
const REACH = 2;
/** Without knowledge, trying may lose so many runs' tokens at once: some looks at the size below, in the first window after anything was learned. More would be dear in a small first index. */
const FIRST_CREDIT_RUNS = 1;
/** Runs are planned to take this share of the latency ceiling: one in a hundred takes a fifth longer than expected even on a quiet machine. */
const PLANNED_SHARE = 0.8;
/** Moves kept for the report. */
const MOVES_KEPT = 50;
/** A pace that stays off by this factor (a logarithm) from when the sizes were learned makes them worth another look … */
const CHANGED_PACE = 0.5;
/** … where `stays` is an average over about this many runs … */
const PACE_RUNS = 128;
/** … and this share of the first doubt is what another look means. */
const CHANGED_DOUBT = 0.02;

/**
 * Sizes runs by the throughput they are measured to have. `ThroughputModel` holds what is learned, `budgetSearch` says what
 * to try and when to move, `MemoryCeiling` what memory allows. Learning happens on real work only, and stops when nothing
 * is left that could be expected to pay.
 */
export class BatchTuner implements Tuner {
  readonly #options: TunerOptions;
  readonly #model: ThroughputModel;
  readonly #memory: MemoryCeiling;
  readonly #probes: ProbePlanner;
  readonly #audit: NeighbourAudit;
  readonly #displacement: DisplacementMeter;
  readonly #sampler = new RunSampler();
  readonly #meter: ThroughputMeter;
  readonly #moves: TunerReport['moves'][number][] = [];
  #budgetTokens: number;
  #converged: boolean;
  /** Whether runs may be waiting that were planned before the first run of today. */
  #plannedBlindly = false;
  #runs: number;
  #meanLength = 128;
  /** Average of the pace, and what it was when the sizes were last found good. */
  #pace: number | undefined;
  #learnedPace: number | undefined;

  /** `saved` is what `save` gave, as read from a file; anything that does not fit is ignored. */
  constructor(options: TunerOptions, saved?: unknown) {
    const { limits, memoryCeilingMb, provenTokens } = options;
    const state = parseTunerState(saved);
    this.#options = options;
    this.#model = new ThroughputModel(limits.baseTokens, state?.throughput);
    this.#memory = new MemoryCeiling(
      { limitMb: memoryCeilingMb, floorTokens: limits.floorTokens, safeTokens: limits.safeTokens, provenTokens },
      state?.memoryCeiling,
    );
    this.#probes = new ProbePlanner(state?.probeCredit ?? FIRST_CREDIT_RUNS * limits.baseTokens);
    this.#audit = new NeighbourAudit(state?.audit ?? NO_AUDIT);
    this.#displacement = new DisplacementMeter(state?.displacement ?? []);
    this.#meter = new ThroughputMeter(state?.bestTokensPerSecond ?? 0);
    const wanted = Math.max(limits.floorTokens, state?.budgetTokens ?? limits.baseTokens);
    this.#budgetTokens = Math.min(wanted, limits.ceilingTokens, this.#memory.tokens);
    this.#converged = state?.converged ?? false;
    this.#runs = state?.runs ?? 0;
  }

  get mostTokens(): number {
    const { fixedCount } = this.#options;
    // What a person has chosen is limited by memory alone.
    return fixedCount > 0 ? this.#memory.tokens : this.#mostBudget;
  }

  /** The largest size there may be a budget of. */
  get #mostBudget(): number {
    return Math.min(this.#options.limits.ceilingTokens, this.#memory.tokens);
  }

  get windowTokens(): number {
    const { baseTokens, safeTokens } = this.#options.limits;
    return this.#budgetTokens * (safeTokens < baseTokens && this.#runs < FIRST_RUNS ? 1 : WINDOW_RUNS);
  }

  isTooLong({ length, count }: RunShape): boolean {
    // A window planned since goes by what was measured; a run that seems too long for a stall just before it must not undo that.
    if (!this.#plannedBlindly || count === 1 || this.#model.samples === 0) return false;
    return this.#model.cost()(length, count) > this.#options.latencyCeilingMs;
  }

  plan(lengths: ArrayLike<number>, purpose: PlanPurpose): readonly PlannedRun[] {
    const { fixedCount, lengthStep, isBag = false } = this.#options;
    const order = isBag ? Uint32Array.from(lengths, (_, index) => index) : longestFirst(lengths);
    const maxTokens = this.mostTokens;
    if (fixedCount > 0) return this.#fill(lengths, order, { maxTokens, maxCount: fixedCount, lengthStep }).reverse();

    const isLive = purpose === 'live';
    const isBlind = this.#model.samples === 0;
    // Live work says nothing of a window that was planned before it and waits.
    this.#plannedBlindly = isBlind || (isLive && this.#plannedBlindly);
    if (!isLive) {
      for (const sample of this.#sampler.endRow()) this.#learn(sample);
      this.#audit.rest();
      this.#decide();
    }
    const cost = this.#limitedCost();
    const plain = (rest: Uint32Array): PlannedRun[] => this.#pack(lengths, rest, cost);
    // Before the first run nothing is known of today, not even whether runs are short.
    if (isBlind) {
      const scout = this.#scout(lengths, order);
      return scout === undefined ? plain(order) : [scout.run, ...plain(scout.rest)];
    }
    if (isLive) return plain(order);
    const probes = this.#chooseProbes(lengths, order, {
      currentTokens: this.#budgetTokens,
      lengthStep,
      maxTokens,
      displacingLoss: this.#displacement.loss,
      cost,
      isBag,
    });
    if (probes === undefined) return plain(order);
    // Each probe runs among runs of the texts next to its own: what is compared is then alike in all but size, and close in time.
    const rank = new Uint32Array(order.length);
    order.forEach((index, place) => (rank[index] = place));
    const first = (run: PlannedRun): number => rank[run.indices[0] ?? 0] ?? 0;
    return [...plain(probes.rest), ...probes.runs].sort((a, b) => first(a) - first(b));
  }

  record(measurement: RunMeasurement): void {
    const { shape, realTokens, elapsedMs, rssMb } = measurement;
    const tokens = paddedTokens(shape);
    this.#runs++;
    this.#meanLength += (shape.length - this.#meanLength) / Math.min(this.#runs, PACE_RUNS);
    const isAtRest = this.#converged && !this.#audit.isLooking;
    for (const sample of this.#sampler.add(measurement, isAtRest)) this.#learn(sample);
    if (!this.#sampler.isWarmingUp) this.#displacement.add(measurement, this.#budgetTokens, () => this.#model.cost());
    this.#meter.add(realTokens, elapsedMs);
    this.#memory.succeed(tokens, rssMb);
    if (this.#memory.tokens < this.#budgetTokens) this.#moveTo(this.#memory.tokens, 'resident-memory');
  }

  outOfMemory(shape: RunShape, death?: DeathFacts): void {
    this.#memory.fail(paddedTokens(shape), death);
    if (this.#memory.tokens < this.#budgetTokens) this.#moveTo(this.#memory.tokens, 'out-of-memory');
  }

  triedAfter(shape: RunShape): number | undefined {
    return this.#memory.triedAfter(paddedTokens(shape));
  }

  report(): TunerReport {
    return {
      budgetTokens: this.#budgetTokens,
      bestTokensPerSecond: this.#meter.best,
      memoryCeilingTokens: this.#memoryCeilingTokens,
      latencyCeilingTokens: this.#latencyCeilingTokens(),
      converged: this.#converged,
      runs: this.#runs,
      moves: [...this.#moves],
      ...(this.#options.fixedCount > 0 ? { textsPerRun: this.#options.fixedCount } : {}),
    };
  }

  save(): TunerState {
    return {
      version: 1,
      budgetTokens: this.#budgetTokens,
      bestTokensPerSecond: this.#meter.best,
      converged: this.#converged,
      runs: this.#runs,
      throughput: this.#model.save(),
      memoryCeiling: this.#memory.save(),
      probeCredit: Math.round(this.#probes.credit),
      audit: this.#audit.save(),
      displacement: this.#displacement.save(),
    };
  }

  /** Padded tokens of runs planned now: the budget, unless the latency ceiling is lower. */
  get #usedTokens(): number {
    return Math.min(this.#budgetTokens, this.#latencyCeilingTokens() ?? Infinity);
  }

  /** What memory allows; null where it forbids no size that would be tried, and none ever ran out of it. */
  get #memoryCeilingTokens(): number | null {
    const { tokens, failureTokens } = this.#memory;
    return failureTokens !== null || tokens < this.#options.limits.ceilingTokens ? tokens : null;
  }

  readonly #runsNear = (tokens: number): number => this.#model.runsNear(tokens);

  readonly #compare = (a: number, b: number): Belief => this.#model.compare(a, b);

  get #plannedCeilingMs(): number {
    return PLANNED_SHARE * this.#options.latencyCeilingMs;
  }

  /** Runs to learn from: of a size worth trying or, seldom, of one that does not seem to be. */
  #chooseProbes(lengths: ArrayLike<number>, order: Uint32Array, limits: ProbeLimits): Probes | undefined {
    const trials = worthTrying(this.#compare, this.#budgetTokens, this.#candidates(), this.#runsNear, this.#converged);
    const probes = trials.length === 0 ? undefined : this.#probes.choose(lengths, order, trials, limits);
    this.#setConverged(probes?.impossible ?? true);
    if (probes !== undefined && probes.runs.length > 0) return probes;
    const currentTokens = this.#usedTokens;
    const { below, above } = neighboursOf(currentTokens, this.#allowed());
    // What is saved up for is tried in its time.
    const toTrial = (tokens: number | undefined): Trial | undefined =>
      tokens === undefined || trials.some((trial) => trial.tokens === tokens)
        ? undefined
        : trialOf(this.#compare, tokens, currentTokens);
    const neighbours = { below: toTrial(below), above: toTrial(above) };
    return this.#audit.plan(lengths, order, neighbours, { ...limits, currentTokens });
  }

  /**
   * The first run on a device whose pace nobody knows: of the size that is safe, where that is smaller than the one to start from. Where a graphics processor is a program, one of
   * the latter takes a minute, and a query behind it too; after this one it is known to be too long.
   */
  #scout(
    lengths: ArrayLike<number>,
    order: Uint32Array,
  ): { readonly run: PlannedRun; readonly rest: Uint32Array } | undefined {
    const { limits, lengthStep } = this.#options;
    const { safeTokens } = limits;
    if (this.#model.knowsPace || safeTokens >= this.#usedTokens) return undefined;
    const middle = order.length >> 1;
    // A text of common length that fits, else the last there is.
    const place = order.findIndex((index, at) => at >= middle && (lengths[index] ?? 0) <= safeTokens);
    const from = order.subarray(place < 0 ? order.length - 1 : place);
    const run = this.#fill(lengths, from, { maxTokens: safeTokens, maxCount: Infinity, lengthStep })[0];
    if (run === undefined) return undefined;
    const taken = new Set(run.indices);
    return { run, rest: order.filter((index) => !taken.has(index)) };
  }

  #pack(lengths: ArrayLike<number>, order: Uint32Array, cost: RunCost): PlannedRun[] {
    const { lengthStep, isBag, limits: ofDevice } = this.#options;
    const limits = { maxTokens: this.#usedTokens, maxCount: Infinity, lengthStep };
    const filled = { ...limits, mostPadding: ofDevice.overheadTokens };
    if (isBag === true || !this.#model.knowsPace) return this.#fill(lengths, order, filled);
    const middle = Math.max(1, lengths[order[order.length >> 1] ?? 0] ?? 1);
    const count = Math.max(1, Math.floor(this.#budgetTokens / middle));
    const textMs = this.#model.cost()(middle, count) / count;
    if (textMs < WORTH_PLANNING_MS) return this.#fill(lengths, order, filled);
    // Runs of twice the budget where that saves padding or a short rest; further than that the sizes may be unknown.
    const maxTokens = Math.min(2 * this.#budgetTokens, this.#mostBudget);
    return packByCost(lengths, order, { ...limits, maxTokens }, cost);
  }

  #fill(lengths: ArrayLike<number>, order: Uint32Array, limits: PackLimits): PlannedRun[] {
    return this.#options.isBag === true ? packUnpadded(lengths, order, limits) : packGreedily(lengths, order, limits);
  }

  /** Cost of a run in ms; infinite where a run of several texts would pass the latency ceiling. */
  #limitedCost(): RunCost {
    const cost = this.#model.cost();
    const ceilingMs = this.#model.knowsPace ? this.#plannedCeilingMs : Infinity;
    return (length, count) => {
      const ms = cost(length, count);
      return ms > ceilingMs && count > 1 ? Infinity : ms;
    };
  }

  /** Sizes that may be used now. */
  #allowed(): number[] {
    const most = Math.min(this.#mostBudget, this.#latencyCeilingTokens() ?? Infinity);
    return budgetGrid(this.#options.limits.floorTokens, most);
  }

  /** Sizes that may be tried now. */
  #candidates(): number[] {
    const allowed = this.#allowed();
    const known = allowed.filter((tokens) => this.#model.runsNear(tokens) >= RUNS_TO_KNOW);
    // Before the first runs, and after a start from saved state, the present size stands for them.
    const near = known.length > 0 ? known : [this.#budgetTokens];
    const next = allowed.filter((tokens) => near.some((size) => tokens <= REACH * size && size <= REACH * tokens));
    return withinReach(this.#compare, this.#budgetTokens, next);
  }

  /** Padded tokens at which a run of texts of common length takes the latency ceiling; null when no allowed run does. */
  #latencyCeilingTokens(): number | null {
    if (!this.#model.knowsPace) return null;
    const cost = this.#model.cost();
    const { floorTokens } = this.#options.limits;
    const grid = budgetGrid(floorTokens, this.#mostBudget);
    const within = grid.filter((tokens) => cost(this.#meanLength, tokens / this.#meanLength) <= this.#plannedCeilingMs);
    return within.length === grid.length ? null : (within.at(-1) ?? floorTokens);
  }

  #learn(sample: RunSample): void {
    const { shape, elapsedMs, runs, endedAtMs } = sample;
    this.#model.record(shape, elapsedMs, endedAtMs, runs);
    this.#watchPace();
    if (!this.#audit.refutes(sample)) return;
    this.#model.forgetSizes(this.#usedTokens);
    this.#converged = false;
    this.#note(this.#budgetTokens, 'neighbour-faster');
  }

  #decide(): void {
    const known = this.#allowed().filter((tokens) => this.#model.runsNear(tokens) >= RUNS_TO_KNOW);
    const better = betterBudget(this.#compare, this.#budgetTokens, known);
    if (better !== this.#budgetTokens) this.#moveTo(better, 'faster');
  }

  #watchPace(): void {
    const { pace } = this.#model;
    this.#pace = this.#pace === undefined ? pace : this.#pace + (pace - this.#pace) / PACE_RUNS;
    this.#learnedPace ??= this.#pace;
    if (!this.#converged || Math.abs(this.#pace - this.#learnedPace) < CHANGED_PACE) return;
    this.#learnedPace = this.#pace;
    this.#model.doubt(CHANGED_DOUBT);
    this.#note(this.#budgetTokens, 'conditions-changed');
  }

  #setConverged(converged: boolean): void {
    if (converged && !this.#converged) this.#learnedPace = this.#pace;
    this.#converged = converged;
  }

  #moveTo(tokens: number, reason: string): void {
    this.#note(tokens, reason);
    this.#displacement.forgetRuns();
    this.#budgetTokens = tokens;
  }

  #note(toTokens: number, reason: string): void {
    const move = { run: this.#runs, fromTokens: this.#budgetTokens, toTokens, reason };
    this.#moves.push(move);
    if (this.#moves.length > MOVES_KEPT) this.#moves.shift();
    this.#options.onMove?.(move);
  }
}
