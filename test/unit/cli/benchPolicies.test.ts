import { describe, expect, it } from 'vitest';
import type { BenchModel } from '../../../src/cli/bench/benchModel.ts';
import { choosePolicies, fixedCount, policiesFor, tokenBudget, tuned } from '../../../src/cli/bench/policies.ts';
import { timePass } from '../../../src/cli/bench/timeRuns.ts';
import { DEVICE_LIMITS, limitsFor } from '../../../src/embedding/deviceLimits.ts';
import type { RunMeasurement } from '../../../src/embedding/runShape.ts';

const POLICIES = policiesFor(true, { isStatic: false, isBag: false, limits: DEVICE_LIMITS.cpu });

describe('policies to compare', () => {
  it('are all, unless some are asked for', () => {
    expect(choosePolicies(POLICIES, [])).toEqual(POLICIES);
  });

  it('are chosen by a part of their names, in their own order', () => {
    const names = choosePolicies(POLICIES, ['budget 512', 'fixed 64']).map(({ name }) => name);
    expect(names).toEqual(['fixed 64 arrival', 'fixed 64 sorted', 'budget 512']);
  });

  it('refuse a name that none has, and tell those there are', () => {
    expect(() => choosePolicies(POLICIES, ['budget 7'])).toThrow(/budget 7 .*budget 256/);
  });
});

it('the full comparison has every policy, those of peers by their names', () => {
  const names = policiesFor(true, { isStatic: true, isBag: false, limits: DEVICE_LIMITS.cpu }).map(({ name }) => name);
  expect(names).toEqual([
    'one by one (Continue)',
    'fixed 8 arrival',
    'fixed 64 arrival',
    'fixed 64 sorted',
    'fixed 128 arrival',
    'fixed 60 (Roo Code)',
    'fixed 100 (claude-context)',
    'all at once (semble)',
    ...[64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384].map((tokens) => `budget ${tokens}`),
  ]);
});

it.each([
  ['an encoder', DEVICE_LIMITS.cpu, [256, 512, 1024, 2048]],
  ['the bundled model', limitsFor({ isStatic: true, countsTokens: true, device: 'cpu' }), [2048, 4096, 8192, 16_384]],
  ['an accelerator', DEVICE_LIMITS.cuda, [2048, 4096, 8192, 16_384]],
])('the short comparison has the budgets around the size one begins with: %s', (_, limits, budgets) => {
  const names = policiesFor(false, { isStatic: false, isBag: false, limits }).map(({ name }) => name);
  expect(names).toEqual([
    ...['one by one (Continue)', 'fixed 8 arrival', 'fixed 64 arrival', 'fixed 64 sorted'],
    ...budgets.map((tokens) => `budget ${tokens}`),
  ]);
});

describe('a bag, which pads nothing', () => {
  const LENGTHS = [100, 3, 50, 7];
  const limits = { baseTokens: 128, safeTokens: 128, floorTokens: 64, ceilingTokens: 1024 };

  it('is filled up to a budget of its own tokens, in the order of arrival', () => {
    const runs = tokenBudget(110, true).plan(LENGTHS);
    expect(runs.map(({ indices }) => [...indices])).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('is timed and learned from by its own tokens, whatever a policy plans', async () => {
    const model: BenchModel = {
      ...{ name: 'bag', device: 'cpu', limits, isStatic: true, isBag: true, threads: 1, maxTokens: 512 },
      ...{ lengthOf: null, encoder: null },
      run: () => Promise.resolve(),
      release: () => Promise.resolve(),
      dispose: () => Promise.resolve(),
    };
    const shapes: unknown[] = [];
    const policy = { ...fixedCount(4, 'arrival'), record: ({ shape }: RunMeasurement) => shapes.push(shape) };
    const options = { now: () => performance.now(), measureRss: false };
    expect(await timePass(model, policy, LENGTHS, options)).toMatchObject({ realTokens: 160, paddedTokens: 160 });
    expect(shapes).toEqual([{ length: 40, count: 4 }]);
    const own = tuned('own', model, 100);
    expect(own.plan(LENGTHS).flatMap(({ indices }) => [...indices])).toEqual([0, 1, 2, 3]);
  });
});
