import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type RunCost, type PlannedRun } from '../../../src/embedding/runShape.ts';
import { longestFirst, packGreedily } from '../../../src/embedding/tokenBatcher.ts';
import type { Tuner } from '../../../src/embedding/tunerTypes.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

/** How much slower than at its best the machine is at a time in ms. */
export type Disturbance = (timeMs: number) => number;

export const QUIET: Disturbance = () => 1;

/** Neighbours that come and go within a second or two, and a run in thirty that takes thrice as long. */
export function neighbours(seed: number): Disturbance {
  const random = new SeededRandom(seed);
  let level = 1;
  let untilMs = 0;
  return (timeMs) => {
    if (timeMs > untilMs) {
      level = [1, 1, 1.4, 2, 2.5][random.integer(5)]!;
      untilMs = timeMs + 200 + random.uniform() * 1500;
    }
    return level * Math.exp(0.08 * Math.abs(random.normal())) * (random.uniform() < 0.03 ? 3 : 1);
  };
}

/** Runs differ by a tenth, and one in thirty takes twice or thrice as long: a quiet machine, seen at a tenth of a millisecond. */
export function hiccups(seed: number): Disturbance {
  const random = new SeededRandom(seed);
  return () => Math.exp(0.12 * Math.abs(random.normal())) * (random.uniform() < 0.03 ? 1.5 + 2 * random.uniform() : 1);
}

/**
 * Times of one and the same run over a minute on two cores that seven other jobs were using as well, over the fastest:
 * median 1.25, p90 6.9, most 16.7.
 */
export function recorded(): Disturbance {
  const trace = readFixture('busyMachinePace.json') as [number, number][];
  const spanMs = trace.at(-1)![0];
  return (timeMs) => paceAt(trace, timeMs % spanMs);
}

/** A run of the bundled model of which `coldProcess` tells the pace takes so long later, in ms. */
const COLD_RUN_MS = 0.5;

/**
 * Times of one and the same run of the bundled model from the start of a process on, over what it takes later, in eight processes (`bench/coldProcess.ts`), four of them while other programs were busy: the first
 * takes 3 to 18 times as long, the second mostly twice, those of the next 20 ms about 1.2 times, and in one process 1.7 times for 100 ms. Hiccups are drawn on top.
 */
export function coldProcess(seed: number): Disturbance {
  const traces = readFixture('coldProcessPace.json') as number[][];
  let fromMs = 0;
  const trace = traces[seed % traces.length]!.map((pace): [number, number] => {
    const at = fromMs;
    fromMs += pace * COLD_RUN_MS;
    return [at, pace];
  });
  const disturbance = hiccups(seed);
  return (timeMs) => (timeMs < fromMs ? paceAt(trace, timeMs) : 1) * disturbance(timeMs);
}

function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, '../../fixtures', name), 'utf8'));
}

function paceAt(trace: readonly [fromMs: number, pace: number][], timeMs: number): number {
  return trace.findLast(([fromMs]) => fromMs <= timeMs)![1];
}

const LENGTHS = {
  /** As code and docs are: median 117 tokens, cut at 512. */
  logNormal: (random: SeededRandom) => Math.round(clamp(117 * Math.exp(0.9 * random.normal()), 4, 512)),
  short: (random: SeededRandom) => 8 + random.integer(24),
  atLimit: () => 512,
  bimodal: (random: SeededRandom) => (random.uniform() < 0.5 ? 20 + random.integer(10) : 450 + random.integer(60)),
};
export type Workload = keyof typeof LENGTHS;
export const WORKLOADS = Object.keys(LENGTHS) as Workload[];

export function lengthsOf(workload: Workload, count: number): number[] {
  const random = new SeededRandom(11);
  return Array.from({ length: count }, () => LENGTHS[workload](random));
}

export const MACHINES = {
  /** Activations leave the caches above 512 tokens: as measured with MiniLM on two cores. */
  cachedCpu: curve([
    [128, 1],
    [512, 1],
    [1024, 1.04],
    [2048, 1.1],
    [4096, 1.2],
    [16_384, 1.4],
  ]),
  /** Small caches: the smaller the better. */
  smallCaches: curve([
    [64, 1],
    [256, 1.05],
    [512, 1.3],
    [1024, 1.6],
    [16_384, 2.5],
  ]),
  /** A dear start of each run: the larger the better. */
  dearStarts: (length: number, count: number) => 8 + (length * count) / 15,
} satisfies Record<string, RunCost>;

/** A model that only looks vectors up, as measured with the bundled one: sizes far from the best are several times as slow. */
export const LOOK_UPS = curve([
  [64, 3],
  [128, 2.2],
  [256, 1.68],
  [512, 1.41],
  [1024, 1.11],
  [2048, 1],
  [4096, 1.12],
  [8192, 1.33],
  [65_536, 3],
]);

/** The bundled model on one thread: a run of the best size is over in 0.4 ms. As measured on a machine where that was 1,024 tokens, moved to others'. */
export function fastLookUps(bestTokens: number): RunCost {
  const points: readonly (readonly [tokens: number, factor: number])[] = [
    [64, 5],
    [128, 2.6],
    [256, 1.58],
    [512, 1.25],
    [1024, 1],
    [2048, 1.15],
    [4096, 1.28],
    [8192, 1.5],
    [65_536, 2.3],
  ];
  return curve(
    points.map(([tokens, factor]) => [(tokens * bestTokens) / 1024, factor]),
    { startMs: 0.01, tokensPerMs: 2_500 },
  );
}

export const FAST_LOOK_UPS = fastLookUps(2048);

/** The bundled model since it takes each token of a text once, over 4,096 tokens in a run, as measured on a machine with AVX-512, one thread. Texts of all lengths are alike. */
export const COUNTED_LOOK_UPS = curve(
  [
    [128, 5.8],
    [256, 3.6],
    [512, 2.25],
    [1024, 1.54],
    [2048, 1.16],
    [4096, 1],
    [8192, 1.01],
    [16_384, 1.2],
    [65_536, 2.5],
  ],
  { startMs: 0, tokensPerMs: 8_300, byLength: 0 },
);

/** Milliseconds by the size of a run, interpolated over the logarithm, and growing with length as attention does (by a share for each token). */
function curve(
  points: readonly (readonly [tokens: number, factor: number])[],
  { startMs = 0.5, tokensPerMs = 17, byLength = 0.0009 } = {},
): RunCost {
  return (length, count) => {
    const tokens = length * count;
    const above = points.findIndex(([at]) => at >= tokens);
    const [high, highFactor] = points[above === -1 ? points.length - 1 : above]!;
    const [low, lowFactor] = points[above === -1 ? points.length - 1 : Math.max(0, above - 1)]!;
    const share = high === low ? 0 : (Math.log2(tokens) - Math.log2(low)) / (Math.log2(high) - Math.log2(low));
    return startMs + (tokens / tokensPerMs) * (lowFactor + share * (highFactor - lowFactor)) * (1 + byLength * length);
  };
}

/** The same, but that a run takes so much longer (a share) after one of another size, whose data fill the caches. */
export function withCarryOver(cost: RunCost, share: number): RunCost {
  let last = 0;
  return (length, count) => {
    const tokens = length * count;
    const isOther = last > 0 && (tokens > last * Math.SQRT2 || tokens < last / Math.SQRT2);
    last = tokens;
    return cost(length, count) * (isOther ? 1 + share : 1);
  };
}

/**
 * The same, but that after a run of another size runs take longer (by a share that wears off), until about as many tokens have gone by
 * as the larger of the two has.
 */
export function withLastingCarryOver(cost: RunCost, share: number): RunCost {
  let last = 0;
  let left = 0;
  let wearOffTokens = 1;
  return (length, count) => {
    const tokens = length * count;
    if (last > 0 && (tokens > last * Math.SQRT2 || tokens < last / Math.SQRT2)) {
      left = share;
      wearOffTokens = 0.7 * Math.max(tokens, last);
    }
    last = tokens;
    const ms = cost(length, count) * (1 + left);
    left *= Math.exp(-tokens / wearOffTokens);
    return ms;
  };
}

export interface Simulation {
  /** Time the runs would have taken without disturbance. */
  readonly undisturbedMs: number;
  readonly runs: readonly PlannedRun[];
  /** Runs after which the tuner said that it had converged; null when it never did. */
  readonly convergedAfter: number | null;
  readonly endedAtMs: number;
}

/** Embeds texts of these lengths on a simulated machine, in windows, with the runs the tuner plans. */
export function simulate(
  tuner: Tuner,
  lengths: readonly number[],
  cost: RunCost,
  disturbance: Disturbance = QUIET,
  startMs = 0,
): Simulation {
  const runs: PlannedRun[] = [];
  let undisturbedMs = 0;
  let nowMs = startMs;
  let convergedAfter: number | null = null;
  for (let start = 0; start < lengths.length;) {
    let tokens = 0;
    let end = start;
    while (end < lengths.length && (end - start < 256 || tokens < tuner.windowTokens)) tokens += lengths[end++]!;
    const window = lengths.slice(start, end);
    for (const run of tuner.plan(window, 'bulk')) {
      const ms = cost(run.length, run.count);
      const elapsedMs = ms * disturbance(nowMs);
      undisturbedMs += ms;
      nowMs += elapsedMs + 0.2;
      const realTokens = run.indices.reduce((sum, index) => sum + window[index]!, 0);
      tuner.record({ shape: run, probe: run.probe, realTokens, elapsedMs, endedAtMs: nowMs });
      runs.push(run);
    }
    start = end;
    if (convergedAfter === null && tuner.report().converged) convergedAfter = runs.length;
  }
  return { undisturbedMs, runs, convergedAfter, endedAtMs: nowMs };
}

/** Time of the best of all fixed budgets, found by trying them, and that budget. */
export function bestFixedBudget(lengths: readonly number[], cost: RunCost): { budget: number; ms: number } {
  const tried = Array.from({ length: 9 }, (_, step) => 64 * 2 ** step).map((budget) => {
    let ms = 0;
    const windowTexts = Math.max(256, Math.ceil((16 * budget * lengths.length) / lengths.reduce((a, b) => a + b, 0)));
    for (let start = 0; start < lengths.length; start += windowTexts) {
      const window = lengths.slice(start, start + windowTexts);
      const limits = { maxTokens: budget, maxCount: Infinity, lengthStep: 1 };
      for (const run of packGreedily(window, longestFirst(window), limits)) ms += cost(run.length, run.count);
    }
    return { budget, ms };
  });
  return tried.sort((a, b) => a.ms - b.ms)[0]!;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
