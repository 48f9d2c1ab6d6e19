import type { Belief } from './kalmanFilter.ts';

/** Compares two sizes of run: mean and variance of the logarithm of time per token at `a` over that at `b`. */
export type CompareSizes = (a: number, b: number) => Belief;

/** A move has to promise this much (a log ratio: half a percent) with this probability. */
const WORTH_MOVING = 0.005;
const SURE_ENOUGH = 0.95;

/** Looking further is worth it while it can be expected to find this much (a log ratio) … */
const WORTH_LOOKING = 0.005;
/**
 * … times the runs of that size that were looked at, over this many, up to four times as much: what is that close after so many looks pays no more for finding
 * out which of the two it is.
 */
const PATIENCE_RUNS = 16;
const MOST_IMPATIENCE = 4;
/** … and, once one has stopped, worth taking up again from here on. */
const WORTH_RESUMING = 0.01;

/** Powers of two from floor to ceiling: a finer grid can't be told apart, since throughput changes slowly with size. */
export function budgetGrid(floorTokens: number, ceilingTokens: number): number[] {
  const grid: number[] = [];
  for (let tokens = 2 ** Math.ceil(Math.log2(floorTokens)); tokens <= ceilingTokens; tokens *= 2) grid.push(tokens);
  return grid.length > 0 ? grid : [ceilingTokens];
}

/** The sizes of a grid (ascending) next to one that need not be in it, at least half an octave away. */
export function neighboursOf(
  tokens: number,
  grid: readonly number[],
): { readonly below: number | undefined; readonly above: number | undefined } {
  return {
    below: grid.findLast((size) => size < tokens / Math.SQRT2),
    above: grid.find((size) => size > tokens * Math.SQRT2),
  };
}

/** A size this likely to be slower than the current one is taken to be on the far slope of the curve. */
const LIKELY_SLOWER = 0.75;

/**
 * Candidates without those beyond a size that is likely to be slower: the time per token falls with the size of a run while its overhead is
 * spread over more, and rises from where its data leave the caches, so that nothing better lies further down that slope. A trial there would be the
 * dearest of all: measured with look-ups, one of 8,192 tokens takes twice its time, and the runs of 2,048 after it up to three times theirs.
 */
export function withinReach(compare: CompareSizes, current: number, candidates: readonly number[]): number[] {
  const slopes = candidates.filter((candidate) => {
    const { mean, variance } = compare(candidate, current);
    return normalShare(mean / Math.sqrt(variance)) >= LIKELY_SLOWER;
  });
  const isBeyond = (candidate: number): boolean =>
    slopes.some((size) => (size > current ? candidate > size : size < current && candidate < size));
  return candidates.filter((candidate) => !isBeyond(candidate));
}

/** The size to move to from `current`, or `current` when none is better by enough with enough certainty. */
export function betterBudget(compare: CompareSizes, current: number, candidates: readonly number[]): number {
  let best = current;
  let bestMean = -WORTH_MOVING;
  for (const candidate of candidates) {
    const { mean, variance } = compare(candidate, current);
    if (mean < bestMean && normalShare(-mean / Math.sqrt(variance)) >= SURE_ENOUGH) {
      best = candidate;
      bestMean = mean;
    }
  }
  return best;
}

/** A size to be tried. */
export interface Trial {
  readonly tokens: number;
  /** How much faster than the current size it can be expected to turn out, weighted by how likely that is (a log ratio). */
  readonly gain: number;
  /** How much slower than the current size it is expected to be, where it is (a log ratio). */
  readonly loss: number;
}

/**
 * Sizes worth trying, most promising first, by expected improvement over the current one (Jones, Schonlau and Welch 1998):
 * the gain to be had if the size turns out faster, weighted by how likely that is. What a trial may lose is the same in the other direction.
 *
 * @param runsNear Runs of about a size that were learned from.
 */
export function worthTrying(
  compare: CompareSizes,
  current: number,
  candidates: readonly number[],
  runsNear: (tokens: number) => number,
  stopped: boolean,
): Trial[] {
  const impatience = (tokens: number): number =>
    Math.min(MOST_IMPATIENCE, Math.max(1, runsNear(tokens) / PATIENCE_RUNS));
  const tried = candidates
    .filter((candidate) => candidate !== current)
    .map((tokens) => trialOf(compare, tokens, current))
    .filter(({ tokens, gain }) => gain >= WORTH_LOOKING * impatience(tokens))
    .sort((a, b) => b.gain - a.gain || a.tokens - b.tokens);
  return stopped && (tried[0]?.gain ?? 0) < WORTH_RESUMING ? [] : tried;
}

/** What trying a size can be expected to gain and to lose. */
export function trialOf(compare: CompareSizes, tokens: number, current: number): Trial {
  const { mean, variance } = compare(tokens, current);
  return { tokens, gain: expectedGain({ mean, variance }), loss: expectedGain({ mean: -mean, variance }) };
}

function expectedGain({ mean, variance }: Belief): number {
  const deviation = Math.sqrt(variance);
  if (deviation === 0) return Math.max(0, -mean);
  const z = -mean / deviation;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return deviation * (density + z * normalShare(z));
}

/** Share of a standard normal below `z`: Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z >= 0 ? 1 - tail : tail;
}
