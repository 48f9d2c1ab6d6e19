import { describe, expect, it } from 'vitest';
import { type RunSample, RunSampler } from '../../../src/embedding/runSampler.ts';

const LENGTH = 64;

/** Runs of so many tokens, one after another, that take so many ms each. */
function add(sampler: RunSampler, tokens: number, times: readonly number[], { probe = false } = {}): RunSample[] {
  return times.flatMap((elapsedMs) => [
    ...sampler.add({ shape: { length: LENGTH, count: tokens / LENGTH }, probe, elapsedMs, endedAtMs: 0 }, false),
  ]);
}

/** Of a process that has run for a while. */
function warmSampler(): RunSampler {
  const sampler = new RunSampler();
  add(sampler, 64, [60]);
  return sampler;
}

describe('what is learned of runs', () => {
  it('is each one where they are long', () => {
    const samples = add(warmSampler(), 512, [40, 44, 39]);
    expect(samples.map(({ elapsedMs }) => elapsedMs)).toEqual([40, 44, 39]);
  });

  it('is nothing of the first 50 ms of a process', () => {
    const sampler = new RunSampler();
    expect(add(sampler, 4096, [16, 3, 2.5, 2.5, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1.9])).toEqual([]);
    const [sample] = add(sampler, 4096, [1, 1, 1, 1, 1, 1]);
    expect(sample?.elapsedMs).toBeCloseTo(1, 10);
    // One run that is longer than that tells a lot.
    expect(add(new RunSampler(), 512, [2000])).toMatchObject([{ elapsedMs: 2000 }]);
  });

  it('is the middle of short ones, and of two neither the slower nor the faster', () => {
    const sampler = warmSampler();
    add(sampler, 4096, [2, 2, 2]);
    const [sample] = add(sampler, 4096, [3, 3.2]);
    expect(sample?.elapsedMs).toBeCloseTo(3.1, 10);
    const [stalled] = add(sampler, 4096, [1, 1, 1, 30, 1, 1]);
    expect(stalled?.elapsedMs).toBeCloseTo(1, 10);
  });

  it('is one sample of a row of short ones that is tried, without the two it begins with', () => {
    const sampler = warmSampler();
    add(sampler, 4096, [0.8, 0.8, 0.8]);
    expect(add(sampler, 8192, [9, 9, 1.8, 1.6, 1.7, 1.9, 1.5], { probe: true }).every(({ probe }) => !probe)).toBe(
      true,
    );
    const [row] = add(sampler, 4096, [0.8]);
    expect(row).toMatchObject({ probe: true, runs: 5, shape: { length: LENGTH, count: 8192 / LENGTH } });
    expect(row?.elapsedMs).toBeCloseTo(1.7, 10);
  });

  it('is a row that ended a window, before the next one', () => {
    const sampler = warmSampler();
    add(sampler, 4096, [0.8, 0.8, 0.8]);
    add(sampler, 8192, [9, 9, 1.6, 1.7, 1.8], { probe: true });
    expect(sampler.endRow()).toMatchObject([{ probe: true, runs: 3 }]);
    expect(sampler.endRow()).toEqual([]);
    add(sampler, 4096, [0.8, 0.8]);
    expect(sampler.endRow()).toEqual([]);
    // Of two rows with nothing between them but the end of a window, each has runs it begins with.
    add(sampler, 8192, [9, 9, 1.6, 1.7, 1.8], { probe: true });
    sampler.endRow();
    add(sampler, 8192, [9, 9, 1.6, 1.7, 1.8], { probe: true });
    expect(sampler.endRow()[0]?.elapsedMs).toBeCloseTo(1.7, 10);
  });
});
