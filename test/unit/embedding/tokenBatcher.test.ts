import { describe, expect, it } from 'vitest';
import { type RunCost, paddedTokens } from '../../../src/embedding/runShape.ts';
import { longestFirst, packByCost, packGreedily, packUnpadded } from '../../../src/embedding/tokenBatcher.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

const NO_LIMITS = { maxTokens: Infinity, maxCount: Infinity, lengthStep: 1 };
const random = new SeededRandom(1);
const LENGTHS = Array.from({ length: 300 }, () => 1 + random.integer(512));

/** The least total cost over every way to cut, by trying them all: for few texts only. */
function leastCost(sorted: readonly number[], maxTokens: number, cost: RunCost): number {
  if (sorted.length === 0) return 0;
  let least = Infinity;
  for (let count = 1; count <= sorted.length; count++) {
    if (count > 1 && sorted[0]! * count > maxTokens) break;
    least = Math.min(least, cost(sorted[0]!, count) + leastCost(sorted.slice(count), maxTokens, cost));
  }
  return least;
}

describe('sorting a window', () => {
  it('puts the longest first and keeps equals in their order', () => {
    expect([...longestFirst([3, 9, 3, 12, 9])]).toEqual([3, 1, 4, 0, 2]);
  });

  it('takes an empty window', () => {
    expect([...longestFirst([])]).toEqual([]);
  });
});

describe('packing without padding', () => {
  const order = Uint32Array.from(LENGTHS, (_, index) => index);

  it('keeps the order of the texts, fills runs with their own tokens and counts no others', () => {
    const runs = packUnpadded(LENGTHS, order, { maxTokens: 2048, maxCount: Infinity });
    expect(runs.flatMap((run) => [...run.indices])).toEqual([...order]);
    for (const [place, run] of runs.entries()) {
      const real = [...run.indices].reduce((sum, index) => sum + LENGTHS[index]!, 0);
      expect(paddedTokens(run)).toBe(real);
      expect(real).toBeLessThanOrEqual(2048);
      const next = runs[place + 1];
      if (next !== undefined) expect(real + LENGTHS[next.indices[0]!]!).toBeGreaterThan(2048);
    }
  });

  it('runs a text that is over the budget alone, and keeps to a number of texts', () => {
    const pack = (lengths: readonly number[], maxCount: number) =>
      packUnpadded(lengths, Uint32Array.from(lengths.keys()), { maxTokens: 512, maxCount }).map((run) => run.count);
    expect(pack([700, 10, 20], Infinity)).toEqual([1, 2]);
    expect(pack([10, 20, 30, 40, 50], 2)).toEqual([2, 2, 1]);
  });
});

describe.each(['greedily', 'by cost'] as const)('packing %s', (way) => {
  const pack = (lengths: readonly number[], limits: Partial<typeof NO_LIMITS>) => {
    const all = { ...NO_LIMITS, ...limits };
    const order = longestFirst(lengths);
    return way === 'greedily'
      ? packGreedily(lengths, order, all)
      : packByCost(lengths, order, all, (length, count) => 50 + length * count);
  };

  it('puts every text into exactly one run, and no run over the budget', () => {
    const runs = pack(LENGTHS, { maxTokens: 512 });
    expect(runs.flatMap((run) => [...run.indices]).sort((a, b) => a - b)).toEqual(LENGTHS.map((_, index) => index));
    for (const run of runs) expect(paddedTokens(run)).toBeLessThanOrEqual(512);
  });

  it('pads a run to its longest text', () => {
    for (const run of pack(LENGTHS, { maxTokens: 2048 })) {
      expect(run.count).toBe(run.indices.length);
      expect(run.length).toBe(Math.max(...[...run.indices].map((index) => LENGTHS[index]!)));
    }
  });

  it('runs a text that is over the budget alone', () => {
    const runs = pack([700, 10], { maxTokens: 512 });
    expect(runs.map((run) => [...run.indices])).toEqual([[0], [1]]);
  });

  it('keeps to a number of texts', () => {
    for (const run of pack(LENGTHS, { maxCount: 5 })) expect(run.count).toBeLessThanOrEqual(5);
  });

  it('rounds lengths up and still keeps to the budget', () => {
    for (const run of pack(LENGTHS, { maxTokens: 512, lengthStep: 32 })) {
      expect(run.length % 32).toBe(0);
      expect(paddedTokens(run)).toBeLessThanOrEqual(512);
    }
  });

  it('makes no runs of an empty window', () => {
    expect(pack([], { maxTokens: 512 })).toEqual([]);
  });
});

describe('packing up to a padding', () => {
  const OVERHEAD = 192;
  const cost: RunCost = (length, count) => OVERHEAD + length * count;
  const costOf = (runs: readonly { readonly length: number; readonly count: number }[]): number =>
    runs.reduce((sum, { length, count }) => sum + cost(length, count), 0);

  it.each([
    ['of any length', 714, (): number => 1 + random.integer(512)],
    ['that are all short', 714, (): number => 4 + random.integer(28)],
    ['mostly short', 714, (): number => Math.round(512 * random.uniform() ** 4) + 1],
    ['of one length', 714, (): number => 128],
    ['short or long', 714, (): number => (random.uniform() < 0.9 ? 20 + random.integer(4) : 500 + random.integer(12))],
    ['that are few', 40, (): number => 1 + random.integer(512)],
  ] as const)('comes near the least cost of texts %s', (_, count, draw) => {
    const lengths = Array.from({ length: count }, draw);
    const order = longestFirst(lengths);
    const limits = { ...NO_LIMITS, maxTokens: 8192 };
    const runs = packGreedily(lengths, order, { ...limits, mostPadding: OVERHEAD });
    expect(runs.flatMap((run) => [...run.indices])).toEqual([...order]);
    expect(costOf(runs)).toBeLessThan(1.02 * costOf(packByCost(lengths, order, limits, cost)));
    expect(costOf(runs)).toBeLessThanOrEqual(costOf(packGreedily(lengths, order, limits)));
  });

  it('counts no padding that another run would have as well', () => {
    const lengths = new Array<number>(100).fill(33);
    const runs = packGreedily(lengths, longestFirst(lengths), { ...NO_LIMITS, lengthStep: 32, mostPadding: 192 });
    expect(runs).toHaveLength(1);
  });

  it('cuts where one text more would pass it', () => {
    const lengths = [10, 9, 8, 8, 7];
    const runs = packGreedily(lengths, longestFirst(lengths), { ...NO_LIMITS, mostPadding: 3 });
    expect(runs.map(({ count }) => count)).toEqual([3, 2]);
  });
});

describe('packing by cost', () => {
  it.each([
    ['an overhead for each run', (length: number, count: number) => 100 + length * count],
    [
      'attention that grows with the square',
      (length: number, count: number) => 20 + count * (length + length ** 2 / 300),
    ],
    [
      'a cache that is outgrown',
      (length: number, count: number) => 10 + length * count * (length * count > 256 ? 2 : 1),
    ],
  ] as const)('finds the cheapest cut with %s', (_, cost) => {
    for (let round = 0; round < 20; round++) {
      const lengths = Array.from({ length: 12 }, () => 1 + random.integer(200));
      const runs = packByCost(lengths, longestFirst(lengths), { ...NO_LIMITS, maxTokens: 600 }, cost);
      const found = runs.reduce((sum, run) => sum + cost(run.length, run.count), 0);
      const sorted = [...lengths].sort((a, b) => b - a);
      expect(found).toBeCloseTo(leastCost(sorted, 600, cost), 6);
    }
  });

  it('loses little to its coarse counts on long windows', () => {
    const cost: RunCost = (length, count) => 2000 + length * count;
    const short = Array.from({ length: 400 }, () => 5 + random.integer(3));
    const runs = packByCost(short, longestFirst(short), { ...NO_LIMITS, maxTokens: 4096 }, cost);
    const found = runs.reduce((sum, run) => sum + cost(run.length, run.count), 0);
    // 400 texts of at most 7 tokens fit one run of 2,800.
    expect(found).toBeLessThanOrEqual(1.02 * (2000 + 400 * 7));
  });

  it('runs texts alone when a cost says nothing else is possible', () => {
    const runs = packByCost([4, 4], longestFirst([4, 4]), NO_LIMITS, (_, count) => (count > 1 ? Infinity : 1));
    expect(runs).toHaveLength(2);
  });
});
