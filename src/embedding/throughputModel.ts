import { type Belief, KalmanFilter, type Term } from './kalmanFilter.ts';
import { type RunCost, type RunShape, paddedTokens } from './runShape.ts';

/** Unknowns at each power of two; what lies between is interpolated. */
const SIZE_OCTAVES = { first: 3, last: 20 } as const;
const LENGTH_OCTAVES = { first: 2, last: 14 } as const;

const PACE = 0;
const SIZES = 1;
const SIZE_COUNT = SIZE_OCTAVES.last - SIZE_OCTAVES.first + 1;
const LENGTHS = SIZES + SIZE_COUNT;
const LENGTH_COUNT = LENGTH_OCTAVES.last - LENGTH_OCTAVES.first + 1;
const UNKNOWNS = LENGTHS + LENGTH_COUNT;

/** Without knowledge a run twice or half the base size is expected to be this much slower a token (a log ratio) … */
const SLOPE_MEAN = 0.04;
/** … give or take this much for each octave; slopes of neighbouring octaves are alike. */
const SLOPE_DEVIATION = 0.25;
const SLOPE_CORRELATION = 0.7;
/**
 * The same of lengths. Attention's share grows by about a tenth for each octave up to 512 tokens, look-ups' not at all; what is believed to be possible beyond that is what a machine
 * that gets faster or slower meanwhile is mistaken for.
 */
const LENGTH_SLOPE_DEVIATION = 0.12;

/** How fast the pace of a shared machine wanders: variance of its logarithm per second. Neighbours double or halve it within a second. */
const PACE_VARIANCE_PER_SECOND = 0.25;
/** The pace may change a little from run to run and, after a pause, is almost unknown. */
const PACE_VARIANCE_RANGE = { least: 0.0005, most: 0.5 } as const;

/**
 * It wanders most while a process is young: code is still being compiled, weights come into memory. So much more variance from sample to sample at first, less by a factor of e with
 * each `lastsMs` of runs. Each window begins with its longest texts, so that what wears off was taken for the effect of length, and sizes half as fast for faster: measured with the bundled
 * model (`bench/coldProcess.ts`) in two of three processes; with this and the first runs left out in none of 24, and in four of 36 while other programs kept all processors busy.
 */
const YOUNG_PACE = { variance: 0.02, lastsMs: 80 } as const;

/** Deviation of the logarithm of one run's time that is assumed before it has been seen, and its range. */
const NOISE = { start: 0.15, least: 0.02, most: 0.6 } as const;
const NOISE_GAIN = 1 / 200;
/**
 * How much more variance than seen is assumed: disturbances last longer than one run, so that runs tell less than if they
 * were independent. Chosen by simulation with recorded noise: 2 stops looking too soon, 4 too late.
 */
const NOISE_ALLOWANCE = 3;
/** A mean of more runs than this tells no more: what disturbs one disturbs those next to it. */
const MOST_INDEPENDENT_RUNS = 4;

/** Samples so many deviations off mean that the machine's pace has changed at once. */
const SURPRISING = 2.5;

/** Share of the first doubt that comes back with every sample: after some thousand runs another look is worth it. */
const FORGETTING = 1e-6;
const FORGETTING_EVERY = 64;

/** Logarithms beyond this are no times or ratios of any machine. */
const MOST_LOG = 50;

/** What survives of a model. */
export interface ThroughputState {
  readonly mean: readonly number[];
  /** Upper triangle, row by row. */
  readonly covariance: readonly number[];
  readonly noise: number;
}

/**
 * Learns how long a run takes from its shape: log(time / padded tokens) = pace + size effect(padded tokens) + length effect(length).
 * The size effect is what the tuner is after: overhead of small runs, caches outgrown by large ones. The length effect is
 * attention's growing share. The pace is the machine's, and changes all the time where it is shared; since it is
 * followed from run to run, sizes are in effect compared between runs that are close in time, never across a change.
 */
export class ThroughputModel {
  readonly #filter: KalmanFilter;
  readonly #prior: { readonly mean: Float64Array; readonly covariance: Float64Array };
  #noise: number = NOISE.start;
  readonly #runsBySize = new Float64Array(SIZE_COUNT);
  /** Time of all runs learned from since this object was made, but that a sample counts as `lastsMs` at most. */
  #ageMs = 0;
  #lastEndMs: number | undefined;
  /** Size of the last sample, and which way it was surprising: slower 1, faster -1, not at all 0. */
  #last = { octave: -1, way: 0 };
  #samples = 0;
  readonly #isRestored: boolean;
  /** Made of what was learned so far; undefined when that has grown since. */
  #cost: RunCost | undefined;

  constructor(baseTokens: number, saved?: ThroughputState) {
    this.#prior = priorBelief(Math.log2(baseTokens));
    this.#filter = new KalmanFilter(this.#prior.mean, this.#prior.covariance);
    this.#isRestored = saved !== undefined;
    if (saved === undefined) return;
    this.#filter = new KalmanFilter(Float64Array.from(saved.mean), unfold(saved.covariance));
    this.#noise = saved.noise;
    // The pace of another day is no news of today's; sizes may have changed a little with an update of the engine.
    this.#filter.reset(PACE, saved.mean[PACE] ?? 0, 25);
    this.doubt(0.005);
  }

  /** Samples learned from since this object was made. */
  get samples(): number {
    return this.#samples;
  }

  /** Whether anything was ever measured, today or before the state was saved: without it a cost is no more than a ratio. */
  get knowsPace(): boolean {
    return this.#samples > 0 || this.#isRestored;
  }

  /** Logarithm of the machine's pace in ms per token; higher is slower. */
  get pace(): number {
    return this.#filter.mean[PACE] ?? 0;
  }

  /** Runs learned from within half an octave of this size. */
  runsNear(tokens: number): number {
    return this.#runsBySize[nearestOctave(tokens)] ?? 0;
  }

  /** Learns from the time of one run, or the mean time of several of one size. */
  record(shape: RunShape, elapsedMs: number, endedAtMs: number, runs = 1): void {
    const tokens = paddedTokens(shape);
    if (!(tokens > 0) || !(elapsedMs > 0)) return;
    const seconds = this.#lastEndMs === undefined ? 1 : Math.max(0, endedAtMs - this.#lastEndMs) / 1000;
    this.#lastEndMs = endedAtMs;
    const young = YOUNG_PACE.variance * Math.exp(-this.#ageMs / YOUNG_PACE.lastsMs);
    // One long run is no warm process.
    this.#ageMs += Math.min(elapsedMs * runs, YOUNG_PACE.lastsMs);
    const wandering = PACE_VARIANCE_PER_SECOND * seconds + young;
    this.#filter.loosen(PACE, clamp(wandering, PACE_VARIANCE_RANGE.least, PACE_VARIANCE_RANGE.most));

    const observed = Math.log(elapsedMs / tokens);
    this.#cost = undefined;
    const noise = (NOISE_ALLOWANCE * this.#noise ** 2) / Math.min(runs, MOST_INDEPENDENT_RUNS);
    const seen = terms(shape);
    const expected = this.#filter.believe(seen);
    const innovation = observed - expected.mean;
    const surprise = innovation / Math.sqrt(expected.variance + noise);
    const octave = nearestOctave(tokens);
    const way = Math.abs(surprise) > SURPRISING ? Math.sign(surprise) : 0;
    // Twice in a row, at one size, and the same way: that is the machine's pace, and must not be taken for the effect of this size. Once may be a
    // stall, and between two sizes it may be the other size.
    if (way !== 0 && way === this.#last.way && octave === this.#last.octave) this.#filter.loosen(PACE, innovation ** 2);
    this.#last = { octave, way };
    this.#filter.observe(seen, observed, noise);
    // Expected deviations should be 1 on average; if they are not, the noise was misjudged. Hiccups are capped.
    const excess = Math.min(Math.abs(surprise), 3) ** 2 - 1;
    this.#noise = clamp(
      this.#noise * Math.exp((Math.max(NOISE_GAIN, 1 / (this.#samples + 2)) / 2) * excess),
      NOISE.least,
      NOISE.most,
    );
    this.#samples++;
    this.#runsBySize[octave] = (this.#runsBySize[octave] ?? 0) + runs;
    if (this.#samples % FORGETTING_EVERY === 0)
      this.#filter.loosenAll(this.#prior.covariance, FORGETTING * FORGETTING_EVERY);
  }

  /** Forgets how sizes compare and keeps what is known of lengths. The pace of runs of so many tokens is expected to stay about what it is. */
  forgetSizes(tokens: number): void {
    const pace = this.pace + this.#filter.believe(sizeTerms(tokens)).mean;
    for (let index = SIZES; index < SIZES + SIZE_COUNT; index++)
      this.#filter.reset(index, this.#prior.mean[index] ?? 0, 0);
    this.#filter.loosenAll(ofSizesAlone(this.#prior.covariance), 1);
    this.#filter.reset(PACE, pace - this.#filter.believe(sizeTerms(tokens)).mean, PACE_VARIANCE_RANGE.most);
    this.#runsBySize.fill(0);
    this.#cost = undefined;
  }

  /** Makes the sizes worth another look: adds this share of the doubt there was before the first run. */
  doubt(share: number): void {
    this.#filter.loosenAll(this.#prior.covariance, share);
  }

  /** Logarithm of the time per token at size `a` over that at size `b`, for texts of one length; sizes in padded tokens. */
  compare(a: number, b: number): Belief {
    const [nodeA, nodeB] = [sizeNode(a), sizeNode(b)];
    if (nodeA !== undefined && nodeB !== undefined) return this.#filter.believeDifference(nodeA, nodeB);
    const negative = sizeTerms(b).map(({ index, weight }) => ({ index, weight: -weight }));
    return this.#filter.believe([...sizeTerms(a), ...negative]);
  }

  /** Expected milliseconds of a run at the present pace. Reads a table made now: cheap to call, out of date after the next run. */
  cost(): RunCost {
    return (this.#cost ??= this.#makeCost());
  }

  #makeCost(): RunCost {
    const { mean } = this.#filter;
    const pace = Math.exp(this.pace);
    const sizes = table(mean, SIZES, SIZE_OCTAVES);
    const lengths = table(mean, LENGTHS, LENGTH_OCTAVES);
    return (length, count) => {
      const tokens = length * count;
      return tokens * pace * lookUp(sizes, SIZE_OCTAVES, tokens) * lookUp(lengths, LENGTH_OCTAVES, length);
    };
  }

  save(): ThroughputState {
    const { mean, covariance } = this.#filter;
    return { mean: Array.from(mean, round), covariance: fold(covariance), noise: round(this.#noise) };
  }
}

/** A saved model, or undefined when it is not one of this version's. */
export function parseThroughputState(saved: unknown): ThroughputState | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { mean, covariance, noise } = saved as Partial<Record<keyof ThroughputState, unknown>>;
  if (
    !isNumbers(mean, UNKNOWNS) ||
    mean.some((value) => Math.abs(value) > MOST_LOG) ||
    !isNumbers(covariance, (UNKNOWNS * (UNKNOWNS + 1)) / 2)
  )
    return undefined;
  if (typeof noise !== 'number' || !(noise >= NOISE.least && noise <= NOISE.most)) return undefined;
  const matrix = unfold(covariance);
  for (let index = 0; index < UNKNOWNS; index++) if (!((matrix[index * UNKNOWNS + index] ?? 0) > 0)) return undefined;
  return { mean, covariance, noise };
}

function isNumbers(value: unknown, count: number): value is number[] {
  return Array.isArray(value) && value.length === count && value.every((item) => Number.isFinite(item));
}

function nearestOctave(tokens: number): number {
  return clamp(Math.round(Math.log2(tokens)), SIZE_OCTAVES.first, SIZE_OCTAVES.last) - SIZE_OCTAVES.first;
}

function terms(shape: RunShape): Term[] {
  const lengths = octaveTerms(shape.length, LENGTHS, LENGTH_OCTAVES);
  return [{ index: PACE, weight: 1 }, ...sizeTerms(paddedTokens(shape)), ...lengths];
}

function sizeTerms(tokens: number): Term[] {
  return octaveTerms(tokens, SIZES, SIZE_OCTAVES);
}

/** The unknown of a size that is one of the nodes, as those of `budgetGrid` are; undefined for others. */
function sizeNode(tokens: number): number | undefined {
  const octave = Math.log2(tokens);
  const isNode = Number.isInteger(octave) && octave >= SIZE_OCTAVES.first && octave <= SIZE_OCTAVES.last;
  return isNode ? SIZES + octave - SIZE_OCTAVES.first : undefined;
}

interface Octaves {
  readonly first: number;
  readonly last: number;
}

function octaveTerms(value: number, offset: number, octaves: Octaves): Term[] {
  const place = clamp(Math.log2(value), octaves.first, octaves.last) - octaves.first;
  const below = Math.min(Math.floor(place), octaves.last - octaves.first - 1);
  return [
    { index: offset + below, weight: 1 - (place - below) },
    { index: offset + below + 1, weight: place - below },
  ];
}

/** Steps of a sixteenth of an octave: finer than anything that can be measured. */
const TABLE_STEPS = 16;

/** Factors at steps between the octaves, interpolated over the logarithm: the same ratio from each to the next. */
function table(mean: Float64Array, offset: number, octaves: Octaves): Float64Array {
  const entries = new Float64Array((octaves.last - octaves.first) * TABLE_STEPS + 1);
  for (let octave = 0; octave < octaves.last - octaves.first; octave++) {
    const below = mean[offset + octave] ?? 0;
    const above = mean[offset + octave + 1] ?? 0;
    const ratio = Math.exp((above - below) / TABLE_STEPS);
    let factor = Math.exp(below);
    for (let step = 0; step <= TABLE_STEPS; step++, factor *= ratio) entries[octave * TABLE_STEPS + step] = factor;
  }
  return entries;
}

function lookUp(entries: Float64Array, octaves: Octaves, value: number): number {
  const entry = Math.round((Math.log2(value) - octaves.first) * TABLE_STEPS);
  return entries[clamp(entry, 0, entries.length - 1)] ?? 1;
}

/** What is believed before the first run; `base` is the logarithm (2) of the size that is expected to be best. */
function priorBelief(base: number): { readonly mean: Float64Array; readonly covariance: Float64Array } {
  const mean = new Float64Array(UNKNOWNS);
  const covariance = new Float64Array(UNKNOWNS * UNKNOWNS);
  // Wide, but no more than the spread of machines: from a GPU's microsecond per 1,000 tokens to seconds.
  covariance[PACE] = 100;
  fillChain(covariance, { offset: SIZES, count: SIZE_COUNT }, base - SIZE_OCTAVES.first, SLOPE_DEVIATION);
  // Lengths of 128 are common; which one is the reference makes no difference to the sizes.
  fillChain(covariance, { offset: LENGTHS, count: LENGTH_COUNT }, 7 - LENGTH_OCTAVES.first, LENGTH_SLOPE_DEVIATION);
  for (let index = 0; index < SIZE_COUNT; index++)
    mean[SIZES + index] = SLOPE_MEAN * Math.abs(index + SIZE_OCTAVES.first - base);
  return { mean, covariance };
}

/** A covariance with nothing in it but what sizes have to do with each other. */
function ofSizesAlone(covariance: Float64Array): Float64Array {
  const isSize = (index: number): boolean => index >= SIZES && index < LENGTHS;
  return covariance.map((value, place) =>
    isSize(Math.floor(place / UNKNOWNS)) && isSize(place % UNKNOWNS) ? value : 0,
  );
}

/** Covariance of sums of correlated slopes of this deviation, counted from `origin`: W R Wᵀ, with what of each slope is in each node's sum, and their correlations. */
function fillChain(
  covariance: Float64Array,
  { offset, count }: { readonly offset: number; readonly count: number },
  origin: number,
  deviation: number,
): void {
  const slopes = count - 1;
  const parts = new Float64Array(count * slopes);
  for (let node = 0; node < count; node++)
    for (let slope = 0; slope < slopes; slope++) {
      // The part of the stretch from slope to slope + 1 that lies between the origin and the node.
      const part = Math.max(0, Math.min(slope + 1, Math.max(origin, node)) - Math.max(slope, Math.min(origin, node)));
      parts[node * slopes + slope] = node >= origin ? part : -part;
    }
  const correlated = new Float64Array(count * slopes);
  for (let node = 0; node < count; node++)
    for (let slope = 0; slope < slopes; slope++) {
      let sum = 0;
      for (let other = 0; other < slopes; other++)
        sum += (parts[node * slopes + other] ?? 0) * SLOPE_CORRELATION ** Math.abs(slope - other);
      correlated[node * slopes + slope] = sum;
    }
  for (let a = 0; a < count; a++)
    for (let b = 0; b < count; b++) {
      let sum = 0;
      for (let slope = 0; slope < slopes; slope++)
        sum += (correlated[a * slopes + slope] ?? 0) * (parts[b * slopes + slope] ?? 0);
      // A little of its own for each node, so that the origin is not taken for certain.
      const own = a === b ? 1e-4 : 0;
      covariance[(offset + a) * UNKNOWNS + offset + b] = deviation ** 2 * sum + own;
    }
}

function fold(covariance: Float64Array): number[] {
  const values: number[] = [];
  for (let row = 0; row < UNKNOWNS; row++)
    for (let column = row; column < UNKNOWNS; column++) values.push(round(covariance[row * UNKNOWNS + column] ?? 0));
  return values;
}

function unfold(values: readonly number[]): Float64Array {
  const covariance = new Float64Array(UNKNOWNS * UNKNOWNS);
  let next = 0;
  for (let row = 0; row < UNKNOWNS; row++)
    for (let column = row; column < UNKNOWNS; column++) {
      const value = values[next++] ?? 0;
      covariance[row * UNKNOWNS + column] = value;
      covariance[column * UNKNOWNS + row] = value;
    }
  return covariance;
}

function round(value: number): number {
  return Number(value.toPrecision(7));
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
