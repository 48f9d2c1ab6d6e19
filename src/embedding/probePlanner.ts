import { type PlannedRun, type RunCost, roundLength } from './runShape.ts';
import { tokensOf, unpaddedCount } from './tokenBatcher.ts';

/** Share of the tokens that may go into runs of sizes being tried. */
const PROBE_SHARE = 0.1;
/** What a tuner may spend ahead of that, in runs of the size it starts from: a first window already teaches something. */
const FIRST_CREDIT_RUNS = 4;
/** Sizes tried in one window; more would be seen too seldom each. */
const SIZES_AT_A_TIME = 3;
/** Places looked at for a run of a size; the one that pads least is taken. */
const PLACES = 8;
/** A run that pads more than this share of its tokens tells little about its size. */
const MOST_PADDING = 0.25;
/**
 * Runs shorter than this (in ms) come several in a row: the first of another size finds the caches as the last one left them. Measured
 * with look-ups, runs of 1,024 tokens take a quarter to a half longer between larger ones than among their like.
 */
const SHORT_RUN_MS = 2;
const SHORT_RUNS_IN_A_ROW = 3;
/** Successive multiples of it, modulo 1, spread evenly (the golden ratio). */
const SPREAD = 0.6180339887498949;

interface ProbeLimits {
  readonly lengthStep: number;
  readonly maxTokens: number;
  readonly cost: RunCost;
  /** Whether nothing is padded. */
  readonly isBag: boolean;
}

export interface Probes {
  readonly runs: readonly PlannedRun[];
  /** The texts that are left, longest first. */
  readonly rest: Uint32Array;
  /** True when sizes were to be tried and there was credit, but no text of the window makes such a run. */
  readonly impossible: boolean;
}

/** Chooses texts for runs whose only purpose is to learn: few enough to cost little, spread over all lengths. */
export class ProbePlanner {
  readonly #firstCredit: number;
  /** Tokens that may still go into trying. */
  #credit: number;
  #places = 0;

  constructor(baseTokens: number) {
    this.#firstCredit = FIRST_CREDIT_RUNS * baseTokens;
    this.#credit = this.#firstCredit;
  }

  /**
   * `order` holds indices into `lengths`, longest first; `sizes` the padded tokens to try, most promising first.
   * A run whose cost is infinite is not made.
   */
  choose(lengths: ArrayLike<number>, order: Uint32Array, sizes: readonly number[], options: ProbeLimits): Probes {
    let tokens = 0;
    for (const index of order) tokens += lengths[index] ?? 0;
    // What a long calm leaves unspent is not spent all at once: a window stays mostly work.
    const most = Math.max(this.#firstCredit, 2 * PROBE_SHARE * tokens, ...sizes.slice(0, SIZES_AT_A_TIME));
    this.#credit = Math.min(this.#credit + PROBE_SHARE * tokens, most);
    const taken = new Uint8Array(order.length);
    const runs: PlannedRun[] = [];
    const others = [...sizes];
    const open = others.splice(0, SIZES_AT_A_TIME);
    let impossible = open.length > 0;
    for (let size = open.shift(); size !== undefined; size = open.shift()) {
      if (size > this.#credit) {
        impossible = false;
        continue;
      }
      const row = this.#place(lengths, order, taken, size, options);
      if (row.length === 0) {
        // No text of this window makes such a run: another size has its turn.
        open.push(...others.splice(0, 1));
        continue;
      }
      impossible = false;
      for (const run of row) this.#credit -= run.length * run.count;
      runs.push(...row);
      // More runs of it, after the others have had theirs.
      open.push(size);
    }
    if (runs.length === 0) return { runs, rest: order, impossible };
    return { runs, rest: order.filter((_, place) => taken[place] === 0), impossible };
  }

  /** Runs of this size, next to each other; none where no place is free. */
  #place(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    taken: Uint8Array,
    size: number,
    options: ProbeLimits,
  ): PlannedRun[] {
    let best: { readonly start: number; readonly padding: number } | undefined;
    for (let attempt = 0; attempt < PLACES; attempt++) {
      const start = Math.floor(((++this.#places * SPREAD) % 1) * order.length);
      const padding = this.#cut(lengths, order, taken, start, size, options)?.padding ?? Infinity;
      if (padding < (best?.padding ?? MOST_PADDING)) best = { start, padding };
    }
    if (best === undefined) return [];
    const runs: PlannedRun[] = [];
    let { start } = best;
    for (;;) {
      const cut = this.#cut(lengths, order, taken, start, size, options);
      if (cut === undefined || cut.padding >= MOST_PADDING) return runs;
      const { length, count } = cut;
      taken.fill(1, start, start + count);
      runs.push({ indices: order.slice(start, start + count), length, count, probe: true });
      start += count;
      if (runs.length === SHORT_RUNS_IN_A_ROW || options.cost(length, count) >= SHORT_RUN_MS) return runs;
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
  ): { readonly length: number; readonly count: number; readonly padding: number } | undefined {
    if (start >= order.length) return undefined;
    const longest = roundLength(lengths[order[start] ?? 0] ?? 0, lengthStep);
    const count = isBag
      ? unpaddedCount(lengths, order, start, { maxTokens: size, maxCount: Infinity })
      : Math.max(1, Math.round(size / Math.max(1, longest)));
    if (start + count > order.length) return undefined;
    const real = tokensOf(lengths, order.subarray(start, start + count));
    const length = isBag ? real / count : longest;
    const tokens = length * count;
    // Half an octave off would teach about another size.
    if (tokens > size * Math.SQRT2 || tokens < size / Math.SQRT2 || tokens > maxTokens) return undefined;
    if (!Number.isFinite(cost(length, count))) return undefined;
    if (taken.subarray(start, start + count).some((used) => used !== 0)) return undefined;
    return { length, count, padding: 1 - real / tokens };
  }
}
