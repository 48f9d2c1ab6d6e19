import { describe, expect, it } from 'vitest';
import { MemoryCeiling, mergeMemoryCeilings, parseMemoryCeiling } from '../../../src/embedding/memoryCeiling.ts';

const OPTIONS = { limitMb: Infinity, floorTokens: 64, safeTokens: 512 };

function succeedTimes(ceiling: MemoryCeiling, times: number, tokens = Math.min(512, ceiling.tokens)): void {
  for (let run = 0; run < times; run++) ceiling.succeed(tokens, undefined);
}

describe('a memory ceiling', () => {
  it('is not there until something happens', () => {
    expect(new MemoryCeiling(OPTIONS).tokens).toBe(Infinity);
    expect(new MemoryCeiling(OPTIONS).failureTokens).toBeNull();
  });

  it('remembers half of a size that never worked', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 1000, 4096);
    expect(ceiling.tokens).toBe(4096);
    expect(ceiling.failureTokens).toBe(4096);
  });

  it('is outgrown in time where that size met a passing shortage', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    let runs = 0;
    for (; ceiling.tokens < 8192; runs++) ceiling.succeed(ceiling.tokens, undefined);
    expect(runs).toBe(1024);
  });

  it('tries a size above what is remembered less and less often', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    const failedAfter: number[] = [];
    for (let run = 0; run < 100_000; run++) {
      const tokens = Math.min(ceiling.tokens, 8192);
      if (tokens > 4096) {
        ceiling.fail(tokens);
        failedAfter.push(run);
      } else ceiling.succeed(tokens, undefined);
    }
    expect(failedAfter).toEqual([0, 1025, 5122, 21_507, 87_044]);
    expect(ceiling.tokens).toBe(4096);
  });

  it('is tried again by as many runs whoever makes them, and its failure told to every process after it counts once', () => {
    let ceiling = new MemoryCeiling(OPTIONS);
    const restart = (): void => {
      ceiling = new MemoryCeiling(OPTIONS, parseMemoryCeiling(JSON.parse(JSON.stringify(ceiling.save()))));
    };
    /** Runs until a size above 4,096 is tried, in processes that make `each` of them. */
    const runsUntilRaised = (each: number): number => {
      let runs = 0;
      // Of some starts more than 1,024, so that none of them is raised by being quiet.
      for (; ceiling.tokens <= 4096; runs++) {
        if (runs > 0 && runs % each === 0) restart();
        ceiling.succeed(ceiling.tokens, undefined);
      }
      return runs;
    };
    ceiling.fail(8192);
    expect(runsUntilRaised(600)).toBe(1024);
    restart();
    // Of a death that has nothing to do with it.
    ceiling.fail(8192, { isRetold: true });
    expect(ceiling.tokens).toBe(8192);
    ceiling.fail(8192);
    restart();
    ceiling.fail(8192, { isRetold: true });
    ceiling.fail(8192, { isRetold: true });
    expect(ceiling.tokens).toBe(4096);
    expect(runsUntilRaised(5000)).toBe(4096);
  });

  it('is tried less often after a death also where the process had not saved that it was raised', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 900, 4096);
    const saved = ceiling.save();
    succeedTimes(ceiling, 124, 4096);
    expect(ceiling.tokens).toBe(8192);
    const triedAfter = ceiling.triedAfter(8192);
    expect([triedAfter, ceiling.triedAfter(4096)]).toEqual([1024, undefined]);
    const next = new MemoryCeiling(OPTIONS, saved);
    next.fail(8192, { triedAfter: triedAfter! });
    expect(next.save()).toMatchObject({ tokens: 4096, raising: { runs: 0, needed: 4096 } });
  });

  it('takes the deaths of several processes at one size for no more than one', () => {
    let saved = new MemoryCeiling(OPTIONS).save();
    const tell = (death: { triedAfter?: number }): void => {
      const ceiling = new MemoryCeiling(OPTIONS, saved);
      ceiling.fail(16_384, death);
      saved = { ...ceiling.save(), quietStarts: 0 };
    };
    for (let process = 0; process < 4; process++) tell({});
    expect(saved).toMatchObject({ tokens: 8192, raising: { needed: 1024 } });
    for (let process = 0; process < 4; process++) tell({ triedAfter: 1024 });
    expect(saved).toMatchObject({ tokens: 8192, raising: { needed: 4096 } });
  });

  it('keeps what was outgrown when a try above that fails', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 1024, 4096);
    succeedTimes(ceiling, 1024, 8192);
    ceiling.fail(16_384);
    expect(ceiling.save()).toMatchObject({ tokens: 8192, raising: { raisedFrom: 4096, needed: 4096 } });
    ceiling.fail(16_384);
    expect(ceiling.save()).toMatchObject({ tokens: 8192, raising: { needed: 16_384 } });
  });

  it('is raised by quiet starts less often, too, after a try that failed', () => {
    let ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 1024, 4096);
    ceiling.fail(8192);
    let starts = 0;
    for (; ceiling.tokens === 4096; starts++) ceiling = new MemoryCeiling(OPTIONS, ceiling.save());
    expect(starts).toBe(16);
  });

  it('is raised once by runs of what it was raised from', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 10_000, 4096);
    expect(ceiling.tokens).toBe(8192);
    succeedTimes(ceiling, 1024, 8192);
    expect(ceiling.tokens).toBe(16_384);
  });

  it('that was raised after quiet starts and fails is tried less often, too', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 1000, 4096);
    const raised = new MemoryCeiling(OPTIONS, { ...ceiling.save(), quietStarts: 3 });
    expect(raised.save()).toMatchObject({ tokens: 5120, raising: { runs: 0, raisedFrom: 4096 } });
    raised.fail(5120);
    expect(raised.save()).toMatchObject({ tokens: 4096, raising: { needed: 4096, raisedFrom: null } });
  });

  it('is not raised by runs far below it', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    succeedTimes(ceiling, 100_000, 1024);
    expect(ceiling.tokens).toBe(4096);
  });

  it('leaves what has succeeded allowed when something a little larger runs out', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    succeedTimes(ceiling, 10, 1024);
    ceiling.fail(1200);
    expect(ceiling.tokens).toBe(1024);
    expect(new MemoryCeiling(OPTIONS, ceiling.save()).tokens).toBe(1024);
  });

  it('halves at once a size that used to work, and comes back when it works again', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    succeedTimes(ceiling, 10, 2048);
    ceiling.fail(2048);
    expect(ceiling.tokens).toBe(1024);
    for (let run = 0; run < 100; run++) ceiling.succeed(Math.min(2048, ceiling.tokens), undefined);
    expect(ceiling.tokens).toBe(Infinity);
  });

  it('tries a size that keeps failing less and less often', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    let failures = 0;
    for (let run = 0; run < 100_000; run++) {
      const tokens = Math.min(ceiling.tokens, 512);
      if (tokens > 256) {
        ceiling.fail(tokens);
        failures++;
      } else ceiling.succeed(tokens, undefined);
    }
    expect(failures).toBeLessThan(10);
    expect(ceiling.tokens).toBe(256);
  });

  it('is back where it was soon after failures that have nothing to do with size', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    for (let run = 0; run < 500; run++) {
      const tokens = Math.min(512, ceiling.tokens);
      if (run % 5 === 4) ceiling.fail(tokens);
      else ceiling.succeed(tokens, undefined);
    }
    for (let run = 0; run < 100; run++) ceiling.succeed(Math.min(512, ceiling.tokens), undefined);
    expect(ceiling.tokens).toBeGreaterThanOrEqual(512);
  });

  it('is as soon back after larger runs failed, where safe ones fail too', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    // Whatever is larger than what is safe meets a shortage, three times; then safe runs do.
    for (let failures = 0; failures < 3;) {
      const tokens = Math.min(512, ceiling.tokens);
      if (tokens === 512) {
        ceiling.fail(tokens);
        failures++;
      } else ceiling.succeed(tokens, undefined);
    }
    ceiling.fail(256);
    ceiling.fail(128);
    let runs = 0;
    for (; ceiling.tokens < 512; runs++) ceiling.succeed(ceiling.tokens, undefined);
    expect(runs).toBe(48);
  });

  it('remembers nothing against a size that succeeded in a process before', () => {
    const ceiling = new MemoryCeiling({ ...OPTIONS, provenTokens: 2048 });
    ceiling.fail(2048);
    expect(ceiling.tokens).toBe(1024);
    expect(ceiling.save().tokens).toBeNull();
    succeedTimes(ceiling, 16, 1024);
    expect(ceiling.tokens).toBe(2048);
  });

  it('never goes below the floor', () => {
    const ceiling = new MemoryCeiling(OPTIONS);
    for (let round = 0; round < 20; round++) ceiling.fail(100);
    expect(ceiling.tokens).toBe(64);
  });

  it('is carried over, and raised a little after some quiet starts', () => {
    let ceiling = new MemoryCeiling(OPTIONS);
    ceiling.fail(8192);
    const seen: number[] = [];
    for (let start = 0; start < 5; start++) {
      ceiling = new MemoryCeiling(OPTIONS, parseMemoryCeiling(JSON.parse(JSON.stringify(ceiling.save()))));
      seen.push(ceiling.tokens);
    }
    expect(seen).toEqual([4096, 4096, 4096, 5120, 5120]);
  });

  it('keeps resident memory below the limit by forecast', () => {
    // 200 MB, and 0.1 MB a token.
    const ceiling = new MemoryCeiling({ ...OPTIONS, limitMb: 1000 });
    for (let tokens = 256; tokens <= 2048 && tokens <= ceiling.tokens; tokens *= 2)
      ceiling.succeed(tokens, 200 + tokens / 10);
    expect(ceiling.tokens).toBeGreaterThan(7000);
    expect(ceiling.tokens).toBeLessThanOrEqual(8000);
  });

  it('halves the runs that brought memory over the limit, whichever run finds it there', () => {
    const ceiling = new MemoryCeiling({ ...OPTIONS, limitMb: 500 });
    ceiling.succeed(4096, 480);
    // A query, while the heap of the process breathes.
    for (let run = 0; run < 10; run++) ceiling.succeed(12, 501);
    expect(ceiling.tokens).toBeGreaterThanOrEqual(4096);
    ceiling.succeed(4096, 501);
    expect(ceiling.tokens).toBe(2048);
  });

  it('is not lowered by queries before the first bulk work, nor again and again by memory that smaller runs take as well, or that one long text takes', () => {
    const ceiling = new MemoryCeiling({ ...OPTIONS, limitMb: 500 });
    for (let run = 0; run < 10; run++) ceiling.succeed(12, 501 + 30 * run);
    expect(ceiling.tokens).toBe(Infinity);
    ceiling.succeed(512, 800);
    expect(ceiling.tokens).toBe(256);
    // Given back, and there again.
    for (let run = 0; run < 100; run++) ceiling.succeed(256, run % 10 === 0 ? 250 : 820);
    for (let run = 0; run < 100; run++) ceiling.succeed(480, 820 + run);
    expect(ceiling.tokens).toBe(256);
  });

  it('is lowered where late runs take more, though they are smaller than earlier ones', () => {
    const ceiling = new MemoryCeiling({ ...OPTIONS, limitMb: 500 });
    ceiling.succeed(8192, 490);
    ceiling.succeed(3000, 900);
    expect(ceiling.tokens).toBe(1500);
  });

  it('halves runs once for each new peak over the limit', () => {
    const ceiling = new MemoryCeiling({ ...OPTIONS, limitMb: 1000 });
    ceiling.succeed(512, 500);
    ceiling.succeed(4096, 1200);
    expect(ceiling.tokens).toBe(2048);
    for (let run = 0; run < 50; run++) ceiling.succeed(2048, 1200 + run);
    expect(ceiling.tokens).toBe(2048);
  });
});

describe('the memory ceilings of two processes', () => {
  const state = (tokens: number | null, raisedFrom: number | null = null, needed = 1024, quietStarts = 1) => ({
    tokens,
    quietStarts,
    provenTokens: 512,
    raising: { runs: 0, needed, raisedFrom },
  });

  it.each([
    ['the smaller one', state(2048), state(4096), 2048],
    ['the only one', state(null), state(4096), 4096],
    ['the one that was raised from the other', state(4096), state(8192, 4096), 8192],
    ['the one that was raised twice from the other', state(4096), state(16_384, 4096), 16_384],
    ['the smaller one where the other was raised from more', state(2048), state(8192, 4096), 2048],
    ['what is left of a try that failed', state(4096, null, 4096), state(8192, 4096), 4096],
    ['what was outgrown, also after a try above it', state(4096), state(8192, 4096, 4096), 8192],
  ])('are %s', (_, one, other, tokens) => {
    expect(mergeMemoryCeilings(one, other).tokens).toBe(tokens);
    expect(mergeMemoryCeilings(other, one).tokens).toBe(tokens);
  });

  it('forget no try that failed because another process has been quiet for longer', () => {
    const [failed, quiet] = [state(4096, null, 4096, 0), state(4096, null, 1024, 3)];
    expect(mergeMemoryCeilings(quiet, failed)).toEqual(failed);
    expect(mergeMemoryCeilings(failed, quiet)).toEqual(failed);
  });

  it('agree on the runs after a try that failed in either', () => {
    for (const [one, other] of [
      [state(4096, null, 4096), state(4096, null, 1024, 3)],
      [state(4096, null, 4096), state(2048)],
    ] as const) {
      expect(mergeMemoryCeilings(one, other).raising.needed).toBe(4096);
      expect(mergeMemoryCeilings(other, one).raising.needed).toBe(4096);
    }
  });
});
