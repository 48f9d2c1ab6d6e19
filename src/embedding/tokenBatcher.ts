import { type PlannedRun, type RunCost, roundLength } from './runShape.ts';

/** What a run may be at most. A single text is always allowed, however long. */
export interface PackLimits {
  /** Padded tokens of a run. */
  readonly maxTokens: number;
  /** Texts of a run. */
  readonly maxCount: number;
  /** Lengths are rounded up to a multiple of this; 1 rounds nothing. */
  readonly lengthStep: number;
  /** Tokens of padding that are worth another run; none are when left out. */
  readonly mostPadding?: number | undefined;
}

/**
 * Positions of a window's texts, longest first; texts of equal length stay in their order. Lengths are whole numbers: they are counted
 * (a counting sort), which takes a fifth of the time of comparing them and is the dearest step of planning a look-up model's runs.
 */
export function longestFirst(lengths: ArrayLike<number>): Uint32Array {
  let longest = 0;
  for (let index = 0; index < lengths.length; index++) longest = Math.max(longest, lengths[index] ?? 0);
  // Texts of each length, counted one place further on, add up to where those of the next shorter begin.
  const starts = new Uint32Array(longest + 2);
  for (let index = 0; index < lengths.length; index++) {
    const place = longest - (lengths[index] ?? 0) + 1;
    starts[place] = (starts[place] ?? 0) + 1;
  }
  for (let place = 1; place < starts.length; place++) starts[place] = (starts[place] ?? 0) + (starts[place - 1] ?? 0);
  const order = new Uint32Array(lengths.length);
  for (let index = 0; index < lengths.length; index++) {
    const place = longest - (lengths[index] ?? 0);
    const start = starts[place] ?? 0;
    order[start] = index;
    starts[place] = start + 1;
  }
  return order;
}

/**
 * Cuts texts that are sorted longest first into runs, each filled up to the limits.
 * `order` holds indices into `lengths`.
 *
 * With what a run takes beside its tokens as `mostPadding` it comes near the least cost: where lengths fall evenly, a run of n texts has padding in
 * proportion to n², and overhead and padding of a text, a / n + b n, are least where the two are alike (as in the economic order quantity).
 */
export function packGreedily(lengths: ArrayLike<number>, order: Uint32Array, limits: PackLimits): PlannedRun[] {
  const runs: PlannedRun[] = [];
  for (let start = 0; start < order.length;) {
    const length = roundLength(lengths[order[start] ?? 0] ?? 0, limits.lengthStep);
    const most = Math.min(largestCount(length, limits), order.length - start);
    const count = countBeforePadding(lengths, order, { start, length, most }, limits);
    runs.push({ indices: order.slice(start, start + count), length, count, probe: false });
    start += count;
  }
  return runs;
}

/** Of the `most` texts from place `start` on, longest first, those whose padding to `length` comes to no more than what is allowed. */
function countBeforePadding(
  lengths: ArrayLike<number>,
  order: Uint32Array,
  { start, length, most }: { readonly start: number; readonly length: number; readonly most: number },
  { mostPadding, lengthStep }: Pick<PackLimits, 'mostPadding' | 'lengthStep'>,
): number {
  if (mostPadding === undefined) return most;
  let padding = 0;
  for (let count = 1; count < most; count++) {
    // What rounding adds is added in another run, too.
    padding += length - roundLength(lengths[order[start + count] ?? 0] ?? 0, lengthStep);
    if (padding > mostPadding) return count;
  }
  return most;
}

/** Cuts texts into runs as they come, for a bag: nothing is padded, so that their order is all the same. */
export function packUnpadded(
  lengths: ArrayLike<number>,
  order: Uint32Array,
  limits: Pick<PackLimits, 'maxTokens' | 'maxCount'>,
): PlannedRun[] {
  const runs: PlannedRun[] = [];
  for (let start = 0; start < order.length;) {
    const count = unpaddedCount(lengths, order, start, limits);
    const indices = order.slice(start, start + count);
    runs.push({ indices, length: tokensOf(lengths, indices) / count, count, probe: false });
    start += count;
  }
  return runs;
}

/** Texts from place `start` on that fit without padding, at least one. */
export function unpaddedCount(
  lengths: ArrayLike<number>,
  order: Uint32Array,
  start: number,
  { maxTokens, maxCount }: Pick<PackLimits, 'maxTokens' | 'maxCount'>,
): number {
  let tokens = 0;
  let count = 0;
  while (start + count < order.length && count < maxCount) {
    tokens += lengths[order[start + count] ?? 0] ?? 0;
    if (tokens > maxTokens) break;
    count++;
  }
  return Math.max(1, count);
}

/** Tokens of the texts that `indices` names from place `start` to before `end`. Loops: it is called for each run that might be tried. */
export function tokensOf(
  lengths: ArrayLike<number>,
  indices: Uint32Array,
  start = 0,
  end: number = indices.length,
): number {
  let tokens = 0;
  for (let place = start; place < end; place++) tokens += lengths[indices[place] ?? 0] ?? 0;
  return tokens;
}

/**
 * Cuts texts that are sorted longest first into the runs whose costs add up to the least: dynamic programming from the
 * shortest text up, `best[i]` being the least cost of the texts from position i on. Counts above 16 are tried in steps
 * of an eighth, so the work is linear in the texts; what is lost by that is far below what a cost can be measured to.
 */
export function packByCost(
  lengths: ArrayLike<number>,
  order: Uint32Array,
  limits: PackLimits,
  cost: RunCost,
): PlannedRun[] {
  const total = order.length;
  const best = new Float64Array(total + 1);
  const chosen = new Uint32Array(total);
  for (let start = total - 1; start >= 0; start--) {
    const length = roundLength(lengths[order[start] ?? 0] ?? 0, limits.lengthStep);
    const most = Math.min(largestCount(length, limits), total - start);
    let least = Infinity;
    for (let count = 1; count <= most; count = nextCount(count, most)) {
      const sum = cost(length, count) + (best[start + count] ?? 0);
      if (sum < least) {
        least = sum;
        chosen[start] = count;
      }
    }
    best[start] = least;
  }
  const runs: PlannedRun[] = [];
  for (let start = 0; start < total;) {
    // A cost that is not a number leaves no choice made: the text then runs alone.
    const count = Math.max(1, chosen[start] ?? 1);
    const length = roundLength(lengths[order[start] ?? 0] ?? 0, limits.lengthStep);
    runs.push({ indices: order.slice(start, start + count), length, count, probe: false });
    start += count;
  }
  return runs;
}

/** Most texts of this length that fit, at least one. */
export function largestCount(length: number, limits: PackLimits): number {
  return Math.max(1, Math.min(limits.maxCount, Math.floor(limits.maxTokens / Math.max(1, length))));
}

function nextCount(count: number, most: number): number {
  if (count === most) return most + 1;
  return Math.min(most, count < 16 ? count + 1 : count + (count >> 3));
}
