import { DISPLACING_RUN_MS } from './displacementMeter.ts';
import { type PlannedRun, type RunCost, type RunShape, areAlike, paddedTokens, roundLength } from './runShape.ts';
import type { Trial } from './budgetSearch.ts';
import { RUNS_TO_KNOW, SETTLING_RUNS, SHORT_RUN_MS } from './runSampler.ts';
import { tokensOf, unpaddedCount } from './tokenBatcher.ts';

/** Share of the work that trying sizes may cost: the time they are expected to take beyond what the current size would. */
const LOSS_SHARE = 0.01;
/** A trial costs at least this share of its tokens, however near it is thought to be. */
const LEAST_LOSS = 0.05;
/** Sizes tried in one window; more would be seen too seldom each. */
const SIZES_AT_A_TIME = 3;
/** Rows of one size in one window: more would be of one moment, and tell of that. */
const ROWS_AT_A_TIME = 8;
/** Places looked at for a run of a size; the one that pads least is taken. */
const PLACES = 8;
/** A run that pads more than this share of its tokens tells little about its size. */
const MOST_PADDING = 0.25;
/** Short runs are tried in a row that lasts so long (in ms) after it has settled, but for so many runs. */
const ROW_MS = SHORT_RUN_MS;
const MOST_RUNS_IN_A_ROW = 16;
/** Successive multiples of it, modulo 1, spread evenly (the golden ratio). */
const SPREAD = 0.6180339887498949;

export interface ProbeLimits {
  /** Padded tokens of the size in use. */
  readonly currentTokens: number;
  readonly lengthStep: number;
  readonly maxTokens: number;
  /** What short runs larger than the present size cost those after them, in tokens for each of theirs. Smaller ones cost next to nothing. */
  readonly displacingLoss: number;
  readonly cost: RunCost;
  /** Whether nothing is padded. */
  readonly isBag: boolean;
}

/** How much is tried, and how often. */
export interface ProbeTerms {
  /** Share of the work that trying sizes may cost. */
  readonly lossShare: number;
  /** Padded tokens that each trial costs at least, whatever it is expected to lose: what is cheap is then seldom too. */
  readonly leastPrice: number;
  /** Rows of one size in one window, at most. */
  readonly rowsAtATime: number;
}

const USUAL_TERMS: ProbeTerms = { lossShare: LOSS_SHARE, leastPrice: 0, rowsAtATime: ROWS_AT_A_TIME };

export interface Probes {
  readonly runs: readonly PlannedRun[];
  /** The texts that are left, longest first. */
  readonly rest: Uint32Array;
  /** True when sizes were to be tried and there was credit, but no text of the window makes such a run. */
  readonly impossible: boolean;
}

/** Chooses texts for runs whose only purpose is to learn: few enough to cost little, spread over all lengths. */
export class ProbePlanner {
  /** Tokens that trying may still lose: what earlier windows left. */
  #credit: number;
  #places = 0;

  /** `credit`: padded tokens that trying may lose ahead of what windows bring, such as an earlier planner had in the end. */
  constructor(credit: number) {
    this.#credit = credit;
  }

  /** Tokens that trying may still lose. Runs may be larger than was paid for: what they lost too much is owed until it is earned, but not for ever. */
  get credit(): number {
    return Math.max(0, this.#credit);
  }

  /**
   * `order` holds indices into `lengths`, longest first; `trials` the sizes to try.
   * A run whose cost is infinite is not made.
   */
  choose(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    trials: readonly Trial[],
    options: ProbeLimits,
    { lossShare, leastPrice, rowsAtATime }: ProbeTerms = USUAL_TERMS,
  ): Probes {
    const tokens = tokensOf(lengths, order);
    const { cost, currentTokens } = options;
    const displaced = options.displacingLoss * Math.min(1, DISPLACING_RUN_MS / cost(1, currentTokens)) ** 2;
    const lossOf = ({ tokens: size, loss }: Trial): number =>
      Math.max(LEAST_LOSS, loss) + (size > currentTokens ? displaced : 0);
    const priceOf = (trial: Trial): number =>
      Math.max(leastPrice, lossOf(trial) * trial.tokens * runsInARow(cost(1, trial.tokens), cost(1, currentTokens)));
    // What a long calm leaves unspent is not spent all at once, but the dearest trial can be saved up for.
    const others = trials.toSorted((a, b) => b.gain / priceOf(b) - a.gain / priceOf(a) || a.tokens - b.tokens);
    const open = others.splice(0, SIZES_AT_A_TIME);
    const most = Math.max(2 * lossShare * tokens, ...open.map(priceOf));
    this.#credit = Math.min(this.#credit + lossShare * tokens, most);
    const taken = new Uint8Array(order.length);
    const rowsOf = new Map<Trial, number>();
    const runs: PlannedRun[] = [];
    // A window of a few texts says nothing about what could be tried in others.
    let impossible = open.length > 0 && trials.every((trial) => trial.tokens <= tokens);
    for (let trial = open.shift(); trial !== undefined; trial = open.shift()) {
      if (priceOf(trial) > this.#credit) {
        // Those that promise less for their price wait: they would spend what this one is saved up for.
        impossible = false;
        break;
      }
      const row = this.#place(lengths, order, taken, trial.tokens, options);
      for (const { indices } of row) for (const index of indices) taken[index] = 1;
      if (row.length === 0) {
        // No text of this window makes such a run: another size has its turn.
        open.push(...others.splice(0, 1));
        continue;
      }
      impossible = false;
      const spent = row.reduce((sum, run) => sum + paddedTokens(run), 0);
      this.#credit -= Math.max(leastPrice, lossOf(trial) * spent);
      runs.push(...row);
      // More runs of it, after the others have had theirs.
      const rows = (rowsOf.get(trial) ?? 0) + 1;
      rowsOf.set(trial, rows);
      if (rows < rowsAtATime) open.push(trial);
    }
    if (runs.length === 0) return { runs, rest: order, impossible };
    return { runs, rest: order.filter((index) => taken[index] === 0), impossible };
  }

  /** Runs of this size, next to each other; none where no place is free. */
  #place(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    taken: Uint8Array,
    size: number,
    options: ProbeLimits,
  ): PlannedRun[] {
    let best: PlannedRun[] = [];
    let leastPadding = MOST_PADDING;
    for (let attempt = 0; attempt < PLACES; attempt++) {
      const start = Math.floor(((++this.#places * SPREAD) % 1) * order.length);
      const row = this.#row(lengths, order, taken, start, size, options);
      const padded = row.reduce((sum, run) => sum + paddedTokens(run), 0);
      const real = row.reduce((sum, run) => sum + tokensOf(lengths, run.indices), 0);
      const padding = row.length > 0 ? 1 - real / padded : Infinity;
      if (padding >= leastPadding) continue;
      [best, leastPadding] = [row, padding];
    }
    return best;
  }

  /** A whole row of runs of this size from a place on; none where there is no room for it. */
  #row(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    taken: Uint8Array,
    start: number,
    size: number,
    options: ProbeLimits,
  ): PlannedRun[] {
    const runs: PlannedRun[] = [];
    for (let from = start; ;) {
      const cut = this.#cut(lengths, order, taken, from, size, options);
      if (cut === undefined) return [];
      const { length, count } = cut;
      runs.push({ indices: order.slice(from, from + count), length, count, probe: true });
      from += count;
      if (runs.length >= runsInARow(options.cost(length, count), options.cost(1, options.currentTokens))) return runs;
    }
  }

  /** A run of this size of the texts from a place on; undefined where there is none, or it would be of another size. */
  #cut(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    taken: Uint8Array,
    start: number,
    size: number,
    { isBag, lengthStep, maxTokens, cost }: ProbeLimits,
  ): RunShape | undefined {
    if (start >= order.length) return undefined;
    const longest = roundLength(lengths[order[start] ?? 0] ?? 0, lengthStep);
    const count = isBag
      ? unpaddedCount(lengths, order, start, { maxTokens: size, maxCount: Infinity })
      : Math.max(1, Math.round(size / Math.max(1, longest)));
    if (start + count > order.length) return undefined;
    const real = tokensOf(lengths, order, start, start + count);
    const length = isBag ? real / count : longest;
    const tokens = length * count;
    // Half an octave off would teach about another size.
    if (!areAlike(tokens, size) || tokens > maxTokens) return undefined;
    if (!Number.isFinite(cost(length, count))) return undefined;
    for (let place = start; place < start + count; place++) if (taken[order[place] ?? 0] !== 0) return undefined;
    return { length, count };
  }
}

/** Runs of so many ms that are tried next to each other, amid runs of the present size that take `currentMs`. */
function runsInARow(ms: number, currentMs: number): number {
  if (Math.min(ms, currentMs) >= SHORT_RUN_MS) return 1;
  return Math.min(MOST_RUNS_IN_A_ROW, SETTLING_RUNS + Math.max(RUNS_TO_KNOW, Math.ceil(ROW_MS / ms)));
}
