import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BenchModel } from '../../../src/cli/bench/benchModel.ts';
import { type BenchSetup, type WorkloadRecord, checkSameSetup, passesOf } from '../../../src/cli/bench/benchRecord.ts';
import { REPETITIONS, comparePolicies } from '../../../src/cli/bench/comparePolicies.ts';
import { TUNED, fixedCount, tokenBudget } from '../../../src/cli/bench/policies.ts';
import { BEST_FIXED, ratioName, summarizeWorkload } from '../../../src/cli/bench/summarizeWorkload.ts';
import type { Pass } from '../../../src/cli/bench/timeRuns.ts';
import { DEVICE_LIMITS } from '../../../src/embedding/deviceLimits.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

/** A millisecond a token, padding included: no time passes but that of runs. */
const MS_PER_TOKEN = 1;
const TEXTS = 64;
const LENGTHS = Array.from({ length: 500 }, (_, index) => 10 + (index % 40));
const POLICIES = [fixedCount(1, 'arrival'), fixedCount(64, 'arrival'), tokenBudget(512, false)];

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

function slowModel(): BenchModel {
  return {
    name: 'slow',
    device: 'cpu',
    limits: DEVICE_LIMITS.cpu,
    isStatic: false,
    isBag: false,
    threads: 1,
    maxTokens: 512,
    lengthOf: null,
    encoder: null,
    run: (lengths, length) => {
      vi.advanceTimersByTime(lengths.length * length * MS_PER_TOKEN);
      return Promise.resolve();
    },
    release: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  };
}

function emptyRecord(): WorkloadRecord {
  return { name: 'drawn', lengths: LENGTHS, texts: 0, msPerToken: 0, tuner: null, first: {}, rounds: [] };
}

function compare(
  record: WorkloadRecord,
  seconds: number,
  options: { readonly inOneCall: boolean; readonly mostTexts?: number },
): Promise<boolean> {
  return comparePolicies(slowModel(), record, {
    now: () => performance.now(),
    choosePolicies: () => POLICIES,
    seconds,
    untilMs: options.inOneCall ? Infinity : performance.now() + seconds * 1000,
    texts: { least: TEXTS, most: options.mostTexts ?? 256 },
    latencyCeilingMs: 1000,
    onProgress: () => undefined,
    onMeasured: () => Promise.resolve(),
    onTunedPass: () => Promise.resolve(),
  });
}

describe('the comparison of policies', () => {
  it('repeats each at least five times in one call, behind another one each time', async () => {
    const record = emptyRecord();
    expect(await compare(record, 1, { inOneCall: true })).toBe(true);
    for (const { name } of POLICIES) expect(passesOf(record, name)).toHaveLength(REPETITIONS.least);
    const before = record.rounds.map((round) => Object.keys(round)[Object.keys(round).indexOf(TUNED) - 1]);
    expect(new Set(before).size).toBeGreaterThan(2);
  });

  it('is made in several calls, none longer than it may be, that together repeat each policy as often', async () => {
    const record = emptyRecord();
    let calls = 0;
    for (let isDone = false; !isDone; calls++) {
      expect(calls).toBeLessThan(40);
      const startedMs = performance.now();
      // A pass takes 2 to 3 seconds, and all of them together about ten.
      isDone = await compare(record, 12, { inOneCall: false, mostTexts: TEXTS });
      expect(performance.now() - startedMs).toBeLessThanOrEqual(12_000);
      // As it is kept in a file between calls.
      Object.assign(record, JSON.parse(JSON.stringify(record)));
    }
    expect(calls).toBeGreaterThan(5);
    for (const { name } of POLICIES) expect(passesOf(record, name)).toHaveLength(REPETITIONS.least);
    for (const round of record.rounds) expect(Object.keys(round)).toContain(TUNED);
    const { cases, ratios } = summarizeWorkload(record, [...POLICIES.map(({ name }) => name), TUNED]);
    expect(cases.map(({ policy }) => policy)).toEqual([...POLICIES.map(({ name }) => name), TUNED]);
    for (const { name } of POLICIES) expect(ratios[ratioName(record.name, name)]?.repetitions).toBe(REPETITIONS.least);
    expect(ratios[ratioName(record.name, BEST_FIXED)]?.repetitions).toBeGreaterThan(2);
  });

  it('is over at once when earlier calls have measured everything', async () => {
    const record = emptyRecord();
    await compare(record, 1, { inOneCall: true });
    const before = structuredClone(record.rounds);
    expect(await compare(record, 600, { inOneCall: false })).toBe(true);
    expect(record.rounds).toEqual(before);
  });

  it('takes fewer texts of a slow model, as many as show what the policies do', async () => {
    const record = emptyRecord();
    await compare(record, 1, { inOneCall: true });
    // 256 texts of 30 tokens would be 7.6 s: below the 8 s a pass may take.
    expect(record.texts).toBe(256);
    const slow: WorkloadRecord = { ...emptyRecord(), lengths: LENGTHS.map((length) => length * 8) };
    await compare(slow, 1, { inOneCall: true });
    expect(slow.texts).toBe(TEXTS);
  });
});

describe('the ratio to the best fixed policy', () => {
  /** Rates by policy, round by round; the tuned one has 100. */
  function recordOf(rates: Readonly<Record<string, readonly number[]>>): WorkloadRecord {
    const count = Object.values(rates)[0]?.length ?? 0;
    const pass = (rate: number): Pass => ({
      realTokens: rate,
      paddedTokens: rate,
      texts: 1,
      milliseconds: 1000,
      runMs: [1000],
      peakRssMb: 0,
    });
    const rounds = Array.from({ length: count }, (_, round) =>
      Object.fromEntries([
        [TUNED, pass(100)],
        ...Object.entries(rates).map(([name, own]) => [name, pass(own[round] ?? 1)] as const),
      ]),
    );
    return { ...emptyRecord(), rounds };
  }

  it('is to the one that is faster than the others', () => {
    const { ratios } = summarizeWorkload(recordOf({ slow: [50, 50, 50, 50], fast: [125, 125, 125, 125] }), [
      'slow',
      'fast',
      TUNED,
    ]);
    expect(ratios[ratioName('drawn', BEST_FIXED)]).toMatchObject({ median: 0.8, repetitions: 4 });
  });

  it('is to no slower one where time left the fastest out of some rounds', () => {
    const record = recordOf({ slow: new Array<number>(8).fill(50), fast: new Array<number>(8).fill(125) });
    record.rounds.forEach((round, index) => index % 2 === 1 && delete round['fast']);
    const { ratios } = summarizeWorkload(record, ['slow', 'fast', TUNED]);
    expect(ratios[ratioName('drawn', BEST_FIXED)]).toMatchObject({ median: 0.8, repetitions: 4 });
  });

  it('is not moved by luck: among many of the same speed it is about 1, though the luckiest of them seems faster', () => {
    const random = new SeededRandom(4);
    const names = Array.from({ length: 9 }, (_, index) => `budget ${2 ** index}`);
    const lucky: number[] = [];
    const best: number[] = [];
    for (let trial = 0; trial < 40; trial++) {
      const noisy = (): number[] => Array.from({ length: 24 }, () => 100 * Math.exp(0.3 * random.normal()));
      const record = recordOf(Object.fromEntries(names.map((name) => [name, noisy()])));
      const { ratios } = summarizeWorkload(record, [...names, TUNED]);
      lucky.push(Math.min(...names.map((name) => ratios[ratioName('drawn', name)]?.median ?? NaN)));
      best.push(ratios[ratioName('drawn', BEST_FIXED)]?.median ?? NaN);
    }
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(lucky)).toBeLessThan(0.92);
    expect(mean(best)).toBeGreaterThan(0.97);
    expect(mean(best)).toBeLessThan(1.03);
  });
});

describe('policies', () => {
  it('need as many texts as show what they do', () => {
    expect(fixedCount(64, 'arrival').leastTexts).toBe(64);
    expect(fixedCount(64, 'sorted').leastTexts).toBe(128);
    expect(fixedCount(Infinity, 'arrival').leastTexts).toBe(1);
  });
});

describe('measurements of several calls', () => {
  it('are only put together when they were made alike', () => {
    const setup: BenchSetup = {
      model: 'one',
      device: 'cpu',
      threads: 2,
      clock: 'wall',
      processor: 'any',
      maxTokens: 512,
      latencyCeilingMs: 100,
    };
    expect(() => checkSameSetup(setup, { ...setup })).not.toThrow();
    expect(() => checkSameSetup(setup, { ...setup, threads: 1 })).toThrow(/of one had threads 2, now it is 1/);
  });
});
