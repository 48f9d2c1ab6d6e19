import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BenchModel } from '../../../src/cli/bench/benchModel.ts';
import { type BenchSetup, type WorkloadRecord, checkSameSetup, passesOf } from '../../../src/cli/bench/benchRecord.ts';
import { REPETITIONS, comparePolicies } from '../../../src/cli/bench/comparePolicies.ts';
import { TUNED, fixedCount, tokenBudget } from '../../../src/cli/bench/policies.ts';
import { BEST_FIXED, bestFixedPolicy, ratioName, summarizeWorkload } from '../../../src/cli/bench/summarizeWorkload.ts';
import type { Pass } from '../../../src/cli/bench/timeRuns.ts';
import { DEVICE_LIMITS } from '../../../src/embedding/deviceLimits.ts';

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
  return {
    name: 'drawn',
    lengths: LENGTHS,
    texts: 0,
    msPerToken: 0,
    tuner: null,
    first: {},
    rounds: [],
    best: null,
    pairs: [],
  };
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
    expect(ratios[ratioName(record.name, BEST_FIXED)]?.repetitions).toBe(REPETITIONS.least);
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
  /** Passes of this rate by policy. */
  function round(rates: Readonly<Record<string, number>>): Record<string, Pass> {
    const pass = (rate: number): Pass => ({
      realTokens: rate,
      paddedTokens: rate,
      texts: 1,
      milliseconds: 1000,
      runMs: [1000],
      peakRssMb: 0,
    });
    return Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, pass(rate)]));
  }

  it('is to the one that is faster than the others, also where time left it out of some rounds', () => {
    const rounds = [
      round({ [TUNED]: 100, slow: 50 }),
      round({ [TUNED]: 100, slow: 50, fast: 125 }),
      round({ [TUNED]: 10, slow: 5, fast: 12.5 }),
    ];
    expect(bestFixedPolicy(rounds, 1000)).toBe('fast');
    expect(bestFixedPolicy([round({ [TUNED]: 100 })], 1000)).toBeNull();
  });

  it('is to none that lets a query wait longer than it may, unless the tuned policy has to', () => {
    const slowRuns = (own: Record<string, Pass>, name: string): Record<string, Pass> => ({
      ...own,
      [name]: { ...own[name]!, runMs: [20, 3000] },
    });
    const rounds = [slowRuns(round({ [TUNED]: 100, huge: 200, fast: 125 }), 'huge')];
    expect(bestFixedPolicy(rounds, 1000)).toBe('fast');
    expect(bestFixedPolicy(rounds, 5000)).toBe('huge');
    expect(bestFixedPolicy([slowRuns(rounds[0]!, TUNED)], 1000)).toBe('huge');
  });

  it('is of passes that had no part in choosing it', () => {
    const rounds = [round({ [TUNED]: 100, lucky: 200, other: 100 })];
    const pairs = [1, 2, 3].map(() => round({ [TUNED]: 100, lucky: 100 }));
    const record = { ...emptyRecord(), rounds, best: bestFixedPolicy(rounds, 1000), pairs };
    const { ratios } = summarizeWorkload(record, ['lucky', 'other', TUNED]);
    expect(ratios[ratioName('drawn', 'lucky')]?.median).toBe(0.5);
    expect(ratios[ratioName('drawn', BEST_FIXED)]).toMatchObject({ median: 1, repetitions: 3 });
  });

  it('is measured once the others are, as often as the time allows', async () => {
    const record = emptyRecord();
    await compare(record, 1, { inOneCall: true });
    expect(record.best).toBe(bestFixedPolicy(record.rounds, 1000));
    expect(record.pairs).toHaveLength(REPETITIONS.least);
    for (const pair of record.pairs) expect(Object.keys(pair).sort()).toEqual([record.best, TUNED].sort());
    const long = emptyRecord();
    await compare(long, 2000, { inOneCall: true });
    expect(long.pairs.length).toBeGreaterThan(20);
    const firsts = new Set(long.pairs.map((pair) => Object.keys(pair)[0]));
    expect(firsts.size).toBe(2);
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
