import { describe, expect, it } from 'vitest';
import { BatchTuner } from '../../../src/embedding/batchTuner.ts';
import { DEVICE_LIMITS, STATIC_MODEL_LIMITS, limitsFor } from '../../../src/embedding/deviceLimits.ts';
import { type ProbeLimits, ProbePlanner } from '../../../src/embedding/probePlanner.ts';
import { type PlannedRun, type RunCost, paddedTokens } from '../../../src/embedding/runShape.ts';
import type { TunerReport } from '../../../src/protocol/embedder.ts';
import { longestFirst } from '../../../src/embedding/tokenBatcher.ts';
import { parseTunerState } from '../../../src/embedding/tunerState.ts';
import { runSizeOf } from '../../../src/protocol/runSize.ts';
import type { TunerOptions } from '../../../src/embedding/tunerTypes.ts';
import {
  COUNTED_LOOK_UPS,
  FAST_LOOK_UPS,
  LOOK_UPS,
  MACHINES,
  QUIET,
  WORKLOADS,
  bestFixedBudget,
  coldProcess,
  fastLookUps,
  hiccups,
  lengthsOf,
  neighbours,
  recorded,
  simulate,
  withCarryOver,
  withLastingCarryOver,
} from './simulatedMachine.ts';

const OPTIONS: TunerOptions = {
  limits: DEVICE_LIMITS.cpu,
  latencyCeilingMs: Infinity,
  memoryCeilingMb: Infinity,
  fixedCount: 0,
  lengthStep: 1,
};
const SESSION = lengthsOf('logNormal', 5000);

/** What a tuner was saved as, after the trip through a file. */
function saved(tuner: BatchTuner): unknown {
  return JSON.parse(JSON.stringify(tuner.save()));
}

/** Of a window in which runs of 512 tokens take 10 ms. */
const PROBE_LIMITS: ProbeLimits = {
  currentTokens: 512,
  lengthStep: 1,
  maxTokens: 16_384,
  displacingLoss: 0.45,
  cost: () => 10,
  isBag: false,
};

describe('what a tuner tells', () => {
  it('is each of its moves when it makes it, as in its report', () => {
    const told: TunerReport['moves'][number][] = [];
    const tuner = new BatchTuner({ ...OPTIONS, onMove: (move) => told.push(move) });
    tuner.outOfMemory({ length: 128, count: 4 });
    expect(told).toMatchObject([{ reason: 'out-of-memory', fromTokens: OPTIONS.limits.baseTokens }]);
    expect(told).toEqual(tuner.report().moves);
  });
});

describe('planning', () => {
  it.each(WORKLOADS)('puts every text into exactly one run (%s)', (workload) => {
    const tuner = new BatchTuner(OPTIONS);
    const lengths = lengthsOf(workload, 700);
    for (let window = 0; window < 5; window++) {
      const runs = tuner.plan(lengths, 'bulk');
      expect(runs.flatMap((run) => [...run.indices]).sort((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
      for (const run of runs)
        tuner.record({
          shape: run,
          probe: false,
          realTokens: 1,
          elapsedMs: MACHINES.cachedCpu(run.length, run.count),
          endedAtMs: 0,
        });
    }
  });

  it('takes an empty window', () => {
    expect(new BatchTuner(OPTIONS).plan([], 'bulk')).toEqual([]);
  });

  it('starts with runs near the base of its device', () => {
    const runs = new BatchTuner(OPTIONS)
      .plan(SESSION.slice(0, 256), 'bulk')
      .filter((run) => !run.probe && run.count > 1);
    for (const run of runs) expect(paddedTokens(run)).toBeLessThanOrEqual(2 * OPTIONS.limits.baseTokens);
  });

  it('never tries anything out on work that somebody waits for', () => {
    const tuner = new BatchTuner(OPTIONS);
    const lengths = SESSION.slice(0, 256);
    simulate(tuner, lengths, MACHINES.cachedCpu);
    expect(tuner.plan(lengths, 'bulk').some((run) => run.probe)).toBe(true);
    expect(tuner.plan(lengths, 'live').some((run) => run.probe)).toBe(false);
  });

  it('keeps to a number of texts that a person has set, sorted all the same, beginning with what takes least memory', () => {
    const runs = new BatchTuner({ ...OPTIONS, fixedCount: 8 }).plan(SESSION.slice(0, 64), 'bulk');
    expect(runs.map((run) => run.count)).toEqual(new Array(8).fill(8));
    expect(runs.map((run) => run.length)).toEqual(runs.map((run) => run.length).sort((a, b) => a - b));
  });

  it('rounds lengths for devices that compile a program for each', () => {
    const tuner = new BatchTuner({ ...OPTIONS, lengthStep: 32 });
    for (const run of tuner.plan(SESSION.slice(0, 300), 'bulk')) expect(run.length % 32).toBe(0);
  });

  it('is the same for the same measurements', () => {
    const simulated = [1, 2].map(() => simulate(new BatchTuner(OPTIONS), SESSION, MACHINES.cachedCpu, neighbours(3)));
    expect(simulated[0]!.runs).toEqual(simulated[1]!.runs);
  });
});

describe('learning', () => {
  const machines: readonly (readonly [string, RunCost])[] = Object.entries(MACHINES);

  it.each(machines)('costs less than a twentieth of the first index, and nothing later (%s)', (_, cost) => {
    const best = bestFixedBudget(SESSION, cost);
    const cold = new BatchTuner(OPTIONS);
    expect(best.ms / simulate(cold, SESSION, cost).undisturbedMs).toBeGreaterThan(0.95);
    const warm = new BatchTuner(OPTIONS, saved(cold));
    expect(best.ms / simulate(warm, SESSION, cost).undisturbedMs).toBeGreaterThan(0.98);
  });

  it.each(WORKLOADS)('is near the best fixed budget on every kind of text (%s)', (workload) => {
    const lengths = lengthsOf(workload, 5000);
    const best = bestFixedBudget(lengths, MACHINES.cachedCpu);
    const { undisturbedMs } = simulate(new BatchTuner(OPTIONS), lengths, MACHINES.cachedCpu);
    expect(best.ms / undisturbedMs).toBeGreaterThan(0.97);
  });

  it.each(['logNormal', 'short', 'bimodal'] as const)(
    'costs little where sizes far off are several times as slow (%s)',
    (workload) => {
      const lengths = lengthsOf(workload, 5000);
      const best = bestFixedBudget(lengths, LOOK_UPS);
      const cold = new BatchTuner({ ...OPTIONS, limits: STATIC_MODEL_LIMITS });
      expect(best.ms / simulate(cold, lengths, LOOK_UPS).undisturbedMs).toBeGreaterThan(0.95);
    },
  );

  it.each([1, 2, 3, 4, 5, 6])(
    'costs less than a twentieth of the first index where runs take half a millisecond (hiccups %d)',
    (seed) => {
      const best = bestFixedBudget(SESSION, FAST_LOOK_UPS);
      const options = { ...OPTIONS, limits: STATIC_MODEL_LIMITS };
      const cold = new BatchTuner(options);
      const first = simulate(cold, SESSION, FAST_LOOK_UPS, hiccups(seed));
      expect(best.ms / first.undisturbedMs).toBeGreaterThan(0.95);
      const warm = simulate(new BatchTuner(options, saved(cold)), SESSION, FAST_LOOK_UPS, hiccups(seed + 100));
      expect(best.ms / warm.undisturbedMs).toBeGreaterThan(0.98);
    },
  );

  it.each([1, 2, 3, 4])('is not misled by what short runs leave in the caches for the next (hiccups %d)', (seed) => {
    const options = { ...OPTIONS, limits: STATIC_MODEL_LIMITS };
    const cost = withCarryOver(FAST_LOOK_UPS, 0.35);
    const best = bestFixedBudget(SESSION, FAST_LOOK_UPS);
    const cold = new BatchTuner(options);
    simulate(cold, SESSION, cost, hiccups(seed));
    expect(cold.report().budgetTokens).toBe(best.budget);
    const { undisturbedMs } = simulate(new BatchTuner(options, saved(cold)), SESSION, cost, hiccups(seed + 100));
    expect(best.ms / undisturbedMs).toBeGreaterThan(0.96);
  });

  it.each(
    [1, 2, 3, 4, 5, 6].flatMap((seed) => [
      // On a machine where the size it starts from is the best, and on one where half or twice of it is.
      { seed, best: 2048, cold: 0.95, warm: 0.96 },
      { seed, best: 1024, cold: 0.91, warm: 0.98 },
      { seed, best: 4096, cold: 0.75, warm: 0.75 },
    ]),
  )(
    'costs little of the first index where each size tried slows the runs after it ($best is best, hiccups $seed)',
    ({ seed, best, cold, warm }) => {
      const cost = fastLookUps(best);
      const least = bestFixedBudget(SESSION, cost);
      expect(least.budget).toBe(best);
      const options = { ...OPTIONS, limits: STATIC_MODEL_LIMITS };
      let tuner = new BatchTuner(options);
      const first = simulate(tuner, SESSION, withLastingCarryOver(cost, 0.25), hiccups(seed));
      expect(least.ms / first.undisturbedMs).toBeGreaterThan(cold);
      tuner = new BatchTuner(options, saved(tuner));
      const second = simulate(tuner, SESSION, withLastingCarryOver(cost, 0.25), hiccups(seed + 100));
      expect(least.ms / second.undisturbedMs).toBeGreaterThan(warm);
      for (let session = 3; session <= 6; session++) {
        tuner = new BatchTuner(options, saved(tuner));
        const later = simulate(tuner, SESSION, withLastingCarryOver(cost, 0.25), hiccups(seed + 100 * session));
        if (session === 6) expect(least.ms / later.undisturbedMs).toBeGreaterThan(0.96);
      }
      expect(tuner.report().budgetTokens).toBe(best);
    },
  );

  it.each([
    // It still learns: the next larger size is a sixth faster.
    { baseTokens: 2048, better: 12, share: 0.84 },
    { baseTokens: 4096, better: 0, share: 0.97 },
    { baseTokens: 8192, better: 0, share: 0.97 },
  ])(
    'does not take what wears off in a young process for the effect of a size (from $baseTokens)',
    ({ baseTokens, better, share }) => {
      const lengths = [...SESSION, ...SESSION];
      const best = bestFixedBudget(lengths, COUNTED_LOOK_UPS);
      const budgets = Array.from({ length: 24 }, (_, seed) => {
        const tuner = new BatchTuner({ ...OPTIONS, limits: { ...STATIC_MODEL_LIMITS, baseTokens } });
        const { undisturbedMs } = simulate(tuner, lengths, COUNTED_LOOK_UPS, coldProcess(seed));
        expect(best.ms / undisturbedMs).toBeGreaterThan(share);
        return tuner.report().budgetTokens;
      });
      expect(Math.min(...budgets)).toBeGreaterThanOrEqual(Math.min(baseTokens, 4096));
      expect(Math.max(...budgets)).toBeLessThanOrEqual(8192);
      expect(budgets.filter((budget) => budget > baseTokens).length).toBeGreaterThanOrEqual(better);
    },
  );

  it.each([
    ['short', 0.995],
    ['logNormal', 1.01],
    ['bimodal', 1.01],
    ['atLimit', 1.001],
  ] as const)('ends runs of counted look-ups where padding costs more than another one: %s', (workload, most) => {
    const limits = limitsFor({ isStatic: true, countsTokens: true, device: 'cpu' });
    const { overheadTokens, ...filled } = limits;
    expect(overheadTokens).toBeGreaterThan(0);
    const lengths = lengthsOf(workload, 5000);
    const median = (options: TunerOptions): number => {
      const times = Array.from({ length: 9 }, (_, seed) =>
        simulate(new BatchTuner(options), lengths, COUNTED_LOOK_UPS, coldProcess(seed)),
      );
      return times.map(({ undisturbedMs }) => undisturbedMs).toSorted((a, b) => a - b)[4]!;
    };
    const ratio = median({ ...OPTIONS, limits }) / median({ ...OPTIONS, limits: filled });
    expect(ratio).toBeLessThan(most);
  });

  it('measures what larger runs cost those after them, and tries them as often as that allows', () => {
    const options = { ...OPTIONS, limits: STATIC_MODEL_LIMITS };
    const sessions = Array.from({ length: 4 }, () => SESSION).flat();
    const tunerAfter = (cost: RunCost): BatchTuner => {
      const tuner = new BatchTuner(options);
      simulate(tuner, sessions, cost);
      return tuner;
    };
    const alike: RunCost = (length, count) => (length * count) / 5000;
    const calm = tunerAfter(alike).save();
    const displaced = tunerAfter(withLastingCarryOver(alike, 0.8)).save();
    expect(calm.displacement.length).toBeGreaterThan(0);
    for (const share of calm.displacement) expect(share).toBeCloseTo(0, 2);
    // 0.8 that wears off over as many tokens as one of the row has, and no row is shorter than five runs of twice the size.
    const middle = displaced.displacement.toSorted((a, b) => a - b)[displaced.displacement.length >> 1];
    expect(middle).toBeGreaterThan(0.03);
    expect(middle).toBeLessThan(0.25);
    const largerAfter = (displacement: readonly number[]): number => {
      const tuner = new BatchTuner(options, { ...new BatchTuner(options).save(), displacement });
      const { runs } = simulate(tuner, sessions, alike);
      return runs.filter((run) => run.probe && paddedTokens(run) > 4096 * Math.SQRT2).length;
    };
    expect(largerAfter(new Array<number>(9).fill(0))).toBeGreaterThan(largerAfter(new Array<number>(9).fill(0.6)));
  });

  it('has what promises most for its price tried first, not what is dear', () => {
    const lengths = new Array<number>(400).fill(64);
    const trials = [
      { tokens: 4096, gain: 0.05, loss: 0.05 },
      { tokens: 1024, gain: 0.04, loss: 0.05 },
    ];
    const { runs } = new ProbePlanner(60).choose(lengths, longestFirst(lengths), trials, PROBE_LIMITS);
    expect(runs.map((run) => paddedTokens(run))).toContain(1024);
    expect(runs.map((run) => paddedTokens(run))).not.toContain(4096);
  });

  it('tries sizes next to those it knows only', () => {
    const { runs } = simulate(new BatchTuner(OPTIONS), SESSION, MACHINES.cachedCpu);
    let [least, most] = [OPTIONS.limits.baseTokens, OPTIONS.limits.baseTokens];
    for (const run of runs.filter(({ probe }) => probe)) {
      // An octave, and half of one that a run may be off the size it stands for.
      expect(paddedTokens(run)).toBeGreaterThan(least / 3);
      expect(paddedTokens(run)).toBeLessThan(most * 3);
      least = Math.min(least, paddedTokens(run));
      most = Math.max(most, paddedTokens(run));
    }
  });

  it('moves down as well as up', () => {
    const small = new BatchTuner(OPTIONS);
    simulate(small, SESSION, MACHINES.smallCaches);
    expect(small.report().budgetTokens).toBeLessThanOrEqual(256);
    const large = new BatchTuner(OPTIONS);
    simulate(large, SESSION, MACHINES.dearStarts);
    expect(large.report().budgetTokens).toBeGreaterThanOrEqual(2048);
    expect(large.report().moves[0]).toMatchObject({ fromTokens: 512, reason: 'faster' });
  });

  it('is done within 1,500 runs on a quiet machine, fewer than an index of 5,000 chunks takes', () => {
    for (const machine of [MACHINES.cachedCpu, MACHINES.smallCaches]) {
      for (const workload of WORKLOADS) {
        const { convergedAfter } = simulate(new BatchTuner(OPTIONS), lengthsOf(workload, 20_000), machine);
        expect(convergedAfter ?? Infinity, workload).toBeLessThan(1500);
      }
    }
  });

  it('is done within 2,500 runs on a busy machine, in seven cases of ten', () => {
    const noises = [recorded, ...[1, 2, 3].flatMap((seed) => [() => hiccups(seed), () => neighbours(seed)])];
    const cases = [MACHINES.cachedCpu, MACHINES.smallCaches].flatMap((machine) =>
      WORKLOADS.flatMap((workload) =>
        noises.map((noise) => {
          const tuner = new BatchTuner(OPTIONS);
          return simulate(tuner, lengthsOf(workload, 20_000), machine, noise()).convergedAfter ?? Infinity;
        }),
      ),
    );
    expect(cases.filter((runs) => runs <= 2500).length / cases.length).toBeGreaterThan(0.7);
  });

  it('is not thought to be done after a window of hardly any texts', () => {
    const tuner = new BatchTuner(OPTIONS);
    simulate(tuner, SESSION.slice(0, 300), MACHINES.cachedCpu);
    tuner.plan([], 'bulk');
    tuner.plan([20], 'bulk');
    expect(tuner.report().converged).toBe(false);
  });

  it('tries nothing any more once it is done', () => {
    const tuner = new BatchTuner(OPTIONS);
    const { endedAtMs } = simulate(tuner, [...SESSION, ...SESSION], MACHINES.cachedCpu);
    const { runs } = simulate(tuner, SESSION, MACHINES.cachedCpu, QUIET, endedAtMs);
    expect(runs.filter((run) => run.probe).length).toBeLessThan(runs.length / 50);
  });
});

describe('a tuner that has settled', () => {
  /** Look-ups: all runs but the last of a window are of one size, so that little is learned of others unless they are looked at. */
  const LOOKING_UP: TunerOptions = { ...OPTIONS, limits: STATIC_MODEL_LIMITS };
  const LEARNED = 2048;

  /** As fast at the size that was learned as where it was learned, and faster in one direction where that was slower. */
  function contradicted(direction: 'below' | 'above'): { readonly learnedOn: RunCost; readonly isReally: RunCost } {
    const costOf =
      (factor: (octaves: number) => number): RunCost =>
      (length, count) => {
        const octaves = Math.max(-2, Math.min(2, Math.log2((length * count) / LEARNED)));
        return ((length * count) / 2500) * factor(direction === 'above' ? octaves : -octaves);
      };
    return {
      learnedOn: costOf((octaves) => 1 + 0.25 * Math.abs(octaves)),
      isReally: costOf((octaves) => 1.2 ** -octaves),
    };
  }

  it.each(
    (['below', 'above'] as const).flatMap((direction) => [
      { direction, name: 'quiet', disturbance: QUIET },
      { direction, name: 'hiccups', disturbance: hiccups(3) },
      { direction, name: 'neighbours', disturbance: neighbours(3) },
    ]),
  )('finds out that it was wrong ($direction, $name)', ({ direction, disturbance }) => {
    const { learnedOn, isReally } = contradicted(direction);
    let tuner = new BatchTuner(LOOKING_UP);
    const many = lengthsOf('logNormal', 60_000);
    const learned = simulate(tuner, many, learnedOn);
    expect(tuner.report().budgetTokens).toBe(LEARNED);
    // As in life, one process begins to look and others go on.
    let startMs = learned.endedAtMs;
    for (let session = 0; session < 4; session++) {
      tuner = new BatchTuner(LOOKING_UP, saved(tuner));
      startMs = simulate(tuner, many, isReally, disturbance, startMs).endedAtMs;
    }
    const { budgetTokens } = tuner.report();
    expect(direction === 'above' ? budgetTokens / LEARNED : LEARNED / budgetTokens).toBeGreaterThanOrEqual(2);
  });

  it.each([
    { name: 'quiet', disturbance: QUIET },
    { name: 'hiccups', disturbance: hiccups(5) },
    { name: 'neighbours', disturbance: neighbours(5) },
    { name: 'as recorded', disturbance: recorded() },
  ])('looks at next to no cost, and is not led astray ($name)', ({ disturbance }) => {
    const lengths = lengthsOf('logNormal', 40_000);
    const tuner = new BatchTuner(OPTIONS);
    const first = simulate(tuner, lengths.slice(0, 15_000), MACHINES.cachedCpu, disturbance);
    const before = tuner.report().moves.length;
    const later = simulate(tuner, lengths.slice(15_000), MACHINES.cachedCpu, disturbance, first.endedAtMs);
    const best = bestFixedBudget(lengths.slice(15_000), MACHINES.cachedCpu);
    expect(best.ms / later.undisturbedMs).toBeGreaterThan(0.985);
    expect(movesSince(tuner, before)).not.toContain('neighbour-faster');
    expectLooksAtBoth(tuner, later.runs);
  });

  it.each(
    // Runs of less than a millisecond, which are looked at in rows, and of ten.
    [2500, 200].flatMap((tokensPerMs) => [0, 0.25, 0.5].map((share) => ({ tokensPerMs, share }))),
  )(
    'is not led astray by what larger sizes slow down after them (by $share, $tokensPerMs tokens/ms)',
    ({ tokensPerMs, share }) => {
      // All sizes are alike: whichever is looked at, it is the one in use that a look may make slower.
      const alike: RunCost = (length, count) => (length * count) / tokensPerMs;
      const lengths = lengthsOf('logNormal', 200_000);
      const tuner = new BatchTuner(LOOKING_UP);
      const carried = withLastingCarryOver(alike, share);
      const first = simulate(tuner, lengths.slice(0, 20_000), carried, hiccups(1));
      const before = tuner.report().moves.length;
      const later = simulate(tuner, lengths.slice(20_000), carried, hiccups(2), first.endedAtMs);
      expect(movesSince(tuner, before)).not.toContain('neighbour-faster');
      expect(later.runs.filter(({ probe }) => probe).length).toBeGreaterThan(10);
    },
  );

  function expectLooksAtBoth(tuner: BatchTuner, runs: readonly PlannedRun[]): void {
    const sizes = runs.filter(({ probe }) => probe).map(paddedTokens);
    const { budgetTokens } = tuner.report();
    expect(sizes.filter((tokens) => tokens < budgetTokens / Math.SQRT2).length).toBeGreaterThan(1);
    expect(sizes.filter((tokens) => tokens > budgetTokens * Math.SQRT2).length).toBeGreaterThan(1);
  }

  function movesSince(tuner: BatchTuner, before: number): string[] {
    return tuner
      .report()
      .moves.slice(before)
      .map(({ reason }) => reason);
  }
});

describe('a bag, which pads nothing', () => {
  const BAG: TunerOptions = { ...OPTIONS, limits: STATIC_MODEL_LIMITS, isBag: true };
  /** Vectors looked up leave the caches in large runs; a run itself has its price. */
  const lookUp: RunCost = (length, count) => {
    const tokens = length * count;
    return 0.1 + (tokens / 4000) * (tokens > 4096 ? 1.5 : 1);
  };

  it('has runs of real tokens, in the order of the texts but for what is tried out', () => {
    const tuner = new BatchTuner(BAG);
    simulate(tuner, SESSION, lookUp);
    const { runs } = simulate(tuner, SESSION, lookUp);
    const { budgetTokens } = tuner.report();
    for (const run of runs.filter(({ probe, count }) => !probe && count > 1)) {
      expect(paddedTokens(run)).toBeLessThanOrEqual(budgetTokens);
      expect([...run.indices]).toEqual([...run.indices].sort((a, b) => a - b));
    }
    const real = SESSION.reduce((sum, length) => sum + length, 0);
    expect(runs.reduce((sum, run) => sum + paddedTokens(run), 0)).toBe(real);
  });

  it('finds its best size as others do', () => {
    const tuner = new BatchTuner(BAG);
    // Two thirds of a second of work: larger sizes are tried seldom while it is not known what they cost those after them.
    simulate(tuner, [...SESSION, ...SESSION, ...SESSION], lookUp);
    const { undisturbedMs } = simulate(tuner, [...SESSION, ...SESSION], lookUp);
    const real = 2 * SESSION.reduce((sum, length) => sum + length, 0);
    const best = (real / 4096) * lookUp(1, 4096);
    expect(best / undisturbedMs).toBeGreaterThan(0.95);
  });

  it('plans at most half of a run that was out of memory, whatever lies next to what', () => {
    const tuner = new BatchTuner(BAG);
    tuner.outOfMemory({ length: 100.5, count: 4 });
    const lengths = [...new Array<number>(200).fill(8), ...new Array<number>(200).fill(150)];
    for (const run of tuner.plan(lengths, 'live')) expect(paddedTokens(run)).toBeLessThanOrEqual(201);
  });
});

describe('on a busy machine', () => {
  const disturbances = [1, 2, 3].map((seed) => [`neighbours ${seed}`, neighbours(seed)] as const);

  it.each([...disturbances, ['as recorded', recorded()] as const])(
    'the tuner stays near the best (%s)',
    (_, disturbance) => {
      const best = bestFixedBudget(SESSION, MACHINES.cachedCpu);
      const tuner = new BatchTuner(OPTIONS);
      const first = simulate(tuner, SESSION, MACHINES.cachedCpu, disturbance);
      const second = simulate(tuner, SESSION, MACHINES.cachedCpu, disturbance, first.endedAtMs);
      expect(best.ms / first.undisturbedMs).toBeGreaterThan(0.94);
      expect(best.ms / second.undisturbedMs).toBeGreaterThan(0.96);
    },
  );

  it('a spell that makes everything slow moves nothing', () => {
    const tuner = new BatchTuner(OPTIONS);
    const before = simulate(tuner, [...SESSION, ...SESSION], MACHINES.cachedCpu);
    const settled = tuner.report().budgetTokens;
    const slow = (timeMs: number) => (timeMs < before.endedAtMs + 30_000 ? 5 : 1);
    simulate(tuner, SESSION.slice(0, 1000), MACHINES.cachedCpu, slow, before.endedAtMs);
    expect(tuner.report().budgetTokens).toBe(settled);
  });

  it.each([
    { above: 700, factor: 4 },
    { above: 380, factor: 3 },
    { above: 380, factor: 6 },
  ])(
    'a size that takes $factor times as long is not taken for a slow machine (above $above tokens)',
    ({ above, factor }) => {
      const lengths = lengthsOf('logNormal', 20_000);
      const step: RunCost = (length, count) => {
        const tokens = length * count;
        return 0.5 + (tokens / 17) * (tokens > above && count > 1 ? factor : 1);
      };
      const tuner = new BatchTuner(OPTIONS);
      const { undisturbedMs, convergedAfter } = simulate(tuner, lengths, step, hiccups(1));
      expect(bestFixedBudget(lengths, step).ms / undisturbedMs).toBeGreaterThan(0.94);
      expect(convergedAfter).not.toBeNull();
    },
  );

  it('one run that stalls, or a machine that slept meanwhile, changes no plan', () => {
    const tuner = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 });
    const { endedAtMs } = simulate(tuner, SESSION, MACHINES.cachedCpu);
    const before = tuner.plan(SESSION.slice(0, 256), 'bulk');
    tuner.record({ shape: before[0]!, probe: false, realTokens: 1, elapsedMs: 1e6, endedAtMs: endedAtMs + 1e6 });
    expect(before.some((run) => tuner.isTooLong(run))).toBe(false);
  });

  it('a change of pace is not taken for the effect of the size that runs just then', () => {
    const tuner = new BatchTuner(OPTIONS);
    const before = simulate(tuner, [...SESSION, ...SESSION], MACHINES.cachedCpu);
    const slow = () => 5;
    for (let start = 0, startMs = before.endedAtMs; start < 5000; start += 1000)
      startMs = simulate(tuner, SESSION.slice(start, start + 1000), MACHINES.cachedCpu, slow, startMs).endedAtMs;
    expect(tuner.report().moves.filter(({ reason }) => reason === 'faster')).toEqual([]);
  });

  it('finds the new best when what is best has changed', () => {
    const tuner = new BatchTuner(OPTIONS);
    const { endedAtMs } = simulate(tuner, SESSION, MACHINES.cachedCpu);
    // The machine was given to a guest with a dear start of each run, and is slower on the whole.
    const slower: RunCost = (length, count) => 100 + 3 * MACHINES.cachedCpu(length, count);
    const after = simulate(tuner, [...SESSION, ...SESSION], slower, QUIET, endedAtMs);
    const settled = simulate(tuner, SESSION, slower, QUIET, after.endedAtMs);
    expect(bestFixedBudget(SESSION, slower).ms / settled.undisturbedMs).toBeGreaterThan(0.95);
  });
});

describe('ceilings', () => {
  it('tells which runs that were planned before anything was measured are too long', () => {
    const tuner = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 });
    const [first, ...rest] = tuner.plan(SESSION.slice(0, 256), 'bulk');
    const slow: RunCost = (length, count) => (length * count) / 2.5;
    expect(rest.some((run) => tuner.isTooLong(run))).toBe(false);
    tuner.record({
      shape: first!,
      probe: false,
      realTokens: 1,
      elapsedMs: slow(first!.length, first!.count),
      endedAtMs: 0,
    });
    const tooLong = rest.filter((run) => tuner.isTooLong(run));
    expect(tooLong.length).toBeGreaterThan(rest.length / 2);
    expect(tooLong.every((run) => run.count > 1)).toBe(true);
    const again = tuner.plan(SESSION.slice(0, 256), 'bulk').filter((run) => run.count > 1);
    for (const run of again) expect(slow(run.length, run.count)).toBeLessThan(110);
  });

  it('tells so of a bulk window, too, when live work was planned after the first run of it', () => {
    const tuner = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 });
    const [first, ...rest] = tuner.plan(SESSION.slice(0, 256), 'bulk');
    const elapsedMs = paddedTokens(first!) / 2.5;
    tuner.record({ shape: first!, probe: false, realTokens: 1, elapsedMs, endedAtMs: elapsedMs });
    tuner.plan([9], 'live');
    expect(rest.filter((run) => tuner.isTooLong(run)).length).toBeGreaterThan(rest.length / 2);
    tuner.plan(SESSION.slice(0, 256), 'bulk');
    expect(rest.some((run) => tuner.isTooLong(run))).toBe(false);
  });

  it.each(['bulk', 'live'] as const)('makes a small run first on a device nobody has measured (%s)', (purpose) => {
    const options = { ...OPTIONS, limits: DEVICE_LIMITS.webgpu, latencyCeilingMs: 100 };
    const tuner = new BatchTuner(options);
    const [scout, ...rest] = tuner.plan(SESSION.slice(0, 512), purpose);
    expect(paddedTokens(scout!)).toBeLessThanOrEqual(DEVICE_LIMITS.webgpu.safeTokens);
    const larger = rest.filter((run) => paddedTokens(run) > 0.8 * DEVICE_LIMITS.webgpu.baseTokens);
    expect(larger.length).toBeGreaterThan(rest.length / 2);
    const indices = [scout!, ...rest].flatMap((run) => [...run.indices]);
    expect(indices.toSorted((a, b) => a - b)).toEqual(SESSION.slice(0, 512).map((_, index) => index));

    // It is a program that imitates a graphics processor: a run of the size to start from takes half a minute.
    const elapsedMs = 8 * paddedTokens(scout!);
    tuner.record({ shape: scout!, probe: false, realTokens: 1, elapsedMs, endedAtMs: elapsedMs });
    expect(larger.every((run) => tuner.isTooLong(run))).toBe(true);
    const known = new BatchTuner(options, saved(tuner));
    expect(known.plan([100, 100, 100, 100], purpose).map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  });

  it('begins with a text that makes a small run, although most are long, on a device nobody has measured', () => {
    const plan = (lengths: readonly number[]) =>
      new BatchTuner({ ...OPTIONS, limits: DEVICE_LIMITS.webgpu }).plan(lengths, 'bulk');
    const long = new Array<number>(100).fill(2000);
    expect(plan([...long, 90, 100])[0]).toMatchObject({ length: 100, count: 2 });
    expect(plan(long)[0]).toMatchObject({ length: 2000, count: 1 });
    expect(plan([])).toEqual([]);
  });

  it('plans little ahead by the first runs on a device nobody has measured: they may have built programs', () => {
    const options = { ...OPTIONS, limits: DEVICE_LIMITS.cuda, latencyCeilingMs: 100 };
    const { baseTokens } = options.limits;
    const tuner = new BatchTuner(options);
    expect(tuner.windowTokens).toBe(baseTokens);
    // The first run takes sixty times as long as it would later. As in the queue, what turns out to be too long is planned again.
    let ms = 0;
    let alone = 0;
    for (let waiting: readonly number[] = SESSION; waiting.length > 0;) {
      let end = 0;
      for (let tokens = 0; end < waiting.length && (end < 256 || tokens < tuner.windowTokens);)
        tokens += waiting[end++]!;
      const window = waiting.slice(0, end);
      waiting = waiting.slice(end);
      const runs = [...tuner.plan(window, 'bulk')];
      for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
        if (tuner.isTooLong(run)) {
          waiting = [
            ...[run, ...runs].flatMap(({ indices }) => [...indices].map((index) => window[index]!)),
            ...waiting,
          ];
          break;
        }
        const elapsedMs = (3 + paddedTokens(run) / 2000) * (ms === 0 ? 60 : 1);
        ms += elapsedMs;
        alone += run.count === 1 ? 1 : 0;
        tuner.record({ shape: run, probe: run.probe, realTokens: 1, elapsedMs, endedAtMs: ms });
      }
    }
    expect(alone).toBeLessThanOrEqual(256);
    expect(tuner.windowTokens).toBeGreaterThan(baseTokens);
    expect(new BatchTuner(options, saved(tuner)).windowTokens).toBeGreaterThan(baseTokens);
    expect(new BatchTuner(OPTIONS).windowTokens).toBeGreaterThan(OPTIONS.limits.baseTokens);
  });

  it('keeps to the longest run from the first window on after a start from saved state', () => {
    const tuner = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 });
    const slow: RunCost = (length, count) => (length * count) / 2.5;
    simulate(tuner, SESSION.slice(0, 500), slow);
    const runs = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 }, saved(tuner)).plan(
      SESSION.slice(0, 256),
      'bulk',
    );
    for (const run of runs) if (run.count > 1) expect(slow(run.length, run.count)).toBeLessThan(110);
  });

  it('keeps bulk runs below the longest a query may have to wait', () => {
    const tuner = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 });
    simulate(tuner, SESSION, MACHINES.dearStarts);
    const { runs } = simulate(tuner, SESSION, MACHINES.dearStarts);
    const times = runs.filter((run) => run.count > 1).map((run) => MACHINES.dearStarts(run.length, run.count));
    expect(Math.max(...times)).toBeLessThan(110);
    expect(tuner.report().latencyCeilingTokens).toBe(1024);
  });

  it('leaves room for runs that take longer than expected', () => {
    const tuner = new BatchTuner({ ...OPTIONS, latencyCeilingMs: 100 });
    const hiccups = (timeMs: number): number => 1 + 0.2 * ((Math.floor(timeMs) * 0.6180339887498949) % 1) ** 4;
    simulate(tuner, SESSION, MACHINES.dearStarts, hiccups);
    const { runs } = simulate(tuner, SESSION, MACHINES.dearStarts, hiccups, 1e6);
    const times = runs.filter((run) => run.count > 1).map((run) => MACHINES.dearStarts(run.length, run.count));
    expect(1.2 * Math.max(...times)).toBeLessThan(100);
  });

  it('plans at most half of a run that was out of memory', () => {
    const tuner = new BatchTuner(OPTIONS);
    simulate(tuner, SESSION.slice(0, 512), MACHINES.dearStarts);
    tuner.outOfMemory({ length: 128, count: 4 });
    const runs = tuner.plan(SESSION.slice(0, 256), 'bulk');
    for (const run of runs) if (run.count > 1) expect(paddedTokens(run)).toBeLessThanOrEqual(256);
    expect(tuner.report()).toMatchObject({ memoryCeilingTokens: 256 });
    expect(tuner.report().moves.at(-1)).toMatchObject({ toTokens: 256, reason: 'out-of-memory' });
  });

  it('tells what a person allows where that is less than would be tried', () => {
    const tuner = new BatchTuner({ ...OPTIONS, memoryCeilingMb: 400 });
    const record = (count: number, rssMb: number) =>
      tuner.record({
        ...{ shape: { length: 128, count }, probe: false, realTokens: 1, elapsedMs: 9 },
        endedAtMs: 0,
        rssMb,
      });
    record(1, 300);
    expect(tuner.report().memoryCeilingTokens).toBeNull();
    record(4, 420);
    expect(tuner.report()).toMatchObject({ budgetTokens: 256, memoryCeilingTokens: 256 });
    expect(tuner.report().moves.at(-1)).toMatchObject({ reason: 'resident-memory' });
    expect(runSizeOf(tuner.report())).toEqual({ kind: 'tokens', tokens: 256, boundBy: 'memory' });
  });

  it('is as fast as before soon after running out of memory by bad luck, a hundred times', () => {
    const tuner = new BatchTuner(OPTIONS);
    const before = simulate(tuner, SESSION, MACHINES.cachedCpu);
    for (let accident = 0; accident < 100; accident++) {
      tuner.outOfMemory({ length: 100 + accident, count: 1 + (accident % 4) });
      simulate(tuner, SESSION.slice(accident * 20, accident * 20 + 20), MACHINES.cachedCpu);
    }
    simulate(tuner, SESSION.slice(0, 1000), MACHINES.cachedCpu);
    const after = simulate(tuner, SESSION, MACHINES.cachedCpu);
    expect(before.undisturbedMs / after.undisturbedMs).toBeGreaterThan(0.95);
  });

  it('keeps to a fixed number of texts, whatever size their runs have, only as far as memory allows', () => {
    const tuner = new BatchTuner({ ...OPTIONS, fixedCount: 64 });
    const long = new Array<number>(256).fill(512);
    expect(tuner.plan(long, 'bulk').map((run) => run.count)).toEqual([64, 64, 64, 64]);
    expect(tuner.report().textsPerRun).toBe(64);
    tuner.record({ shape: { length: 512, count: 64 }, probe: false, realTokens: 1, elapsedMs: 900, endedAtMs: 0 });
    expect(tuner.report()).toMatchObject({ runs: 1, memoryCeilingTokens: null });
    tuner.outOfMemory({ length: 512, count: 64 });
    expect(tuner.plan(long, 'bulk').map((run) => run.count)).toEqual(new Array(8).fill(32));
  });

  it('remembers that not even the size a graphics processor starts from fits', () => {
    const tuner = new BatchTuner({ ...OPTIONS, limits: DEVICE_LIMITS.cuda });
    tuner.outOfMemory({ length: 512, count: 32 });
    expect(new BatchTuner({ ...OPTIONS, limits: DEVICE_LIMITS.cuda }, saved(tuner)).mostTokens).toBe(8192);
  });
});

describe('saved state', () => {
  it('carries budget, convergence and ceilings over', () => {
    const tuner = new BatchTuner(OPTIONS);
    simulate(tuner, SESSION, MACHINES.dearStarts);
    tuner.outOfMemory({ length: 512, count: 64 });
    const { budgetTokens, bestTokensPerSecond, memoryCeilingTokens, runs } = tuner.report();
    const restored = new BatchTuner(OPTIONS, saved(tuner)).report();
    expect(restored).toMatchObject({ budgetTokens, bestTokensPerSecond, memoryCeilingTokens, runs });
  });

  it('is ignored when it is damaged', () => {
    const tuner = new BatchTuner(OPTIONS);
    simulate(tuner, SESSION.slice(0, 500), MACHINES.dearStarts);
    const good = tuner.save();
    const fresh = new BatchTuner(OPTIONS).plan(SESSION.slice(0, 100), 'bulk');
    const damaged: unknown[] = [
      null,
      7,
      'text',
      [],
      {},
      { ...good, version: 2 },
      { ...good, budgetTokens: Number.NaN },
      { ...good, throughput: null },
      { ...good, throughput: { ...good.throughput, mean: good.throughput.mean.slice(1) } },
      { ...good, throughput: { ...good.throughput, mean: good.throughput.mean.map(() => 1e300) } },
      { ...good, probeCredit: -1 },
      { ...good, displacement: [0.1, null] },
      { ...good, audit: { ...good.audit, below: { credit: 0, faster: -1 } } },
      { ...good, throughput: { ...good.throughput, covariance: good.throughput.covariance.map(() => -1) } },
      { ...good, throughput: { ...good.throughput, noise: 1e9 } },
      { ...good, memoryCeiling: { tokens: -5, quietStarts: 0, provenTokens: 1 } },
    ];
    for (const state of damaged) {
      const restored = new BatchTuner(OPTIONS, state === null ? null : JSON.parse(JSON.stringify(state)));
      expect(restored.plan(SESSION.slice(0, 100), 'bulk')).toEqual(fresh);
    }
  });

  it('is taken back also right after a trial that lost more than there was credit for', () => {
    const planner = new ProbePlanner(10);
    const lengths = [100, 100, 100, 100];
    // Three texts come nearest to the size, and have more tokens than it.
    const trial = { tokens: 256, gain: 1, loss: 0 };
    expect(planner.choose(lengths, longestFirst(lengths), [trial], PROBE_LIMITS).runs).toHaveLength(1);
    const { credit } = planner;
    const state = { ...new BatchTuner(OPTIONS).save(), probeCredit: Math.round(credit) };
    expect(parseTunerState(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });

  it('stays within the limits of the device it is restored on', () => {
    const tuner = new BatchTuner(OPTIONS);
    simulate(tuner, SESSION, MACHINES.dearStarts);
    const limits = { baseTokens: 128, safeTokens: 128, floorTokens: 64, ceilingTokens: 1024 };
    const restored = new BatchTuner({ ...OPTIONS, limits }, saved(tuner));
    for (const run of restored.plan(SESSION.slice(0, 256), 'bulk'))
      if (run.count > 1) expect(paddedTokens(run)).toBeLessThanOrEqual(1024);
  });
});
