import { describe, expect, it } from 'vitest';
import { type GrowingRuns, bestRowsPerSecond, isLookUp } from '../../../src/embedder/graphTrial.ts';
import type { GraphPorts } from '../../../src/embedder/graphPorts.ts';
import type { GraphOptions } from '../../../src/embedder/onnxSession.ts';
import type { ExecutionProvider } from '../../../src/protocol/embedder.ts';

/** A graph that is faster the more threads it has, up to a number of them. */
function graphOf(
  tokensPerSecond: { readonly ofThread: number; readonly mostThreads: number },
  threads: number,
  ports: Pick<GraphPorts, 'isBag' | 'countsTokens'> = { isBag: false, countsTokens: false },
) {
  const state = { threads, loads: 0, measured: 0 };
  const options = (provider: ExecutionProvider): GraphOptions => ({
    file: 'model.onnx',
    provider,
    deviceId: null,
    threads: state.threads,
  });
  const isStatic = (provider: ExecutionProvider = 'cpu') =>
    isLookUp(
      {
        ports,
        get options() {
          return options(provider);
        },
        get threads() {
          return state.threads;
        },
        useThreads: (count) => {
          Object.assign(state, { threads: count, loads: state.loads + 1 });
          return Promise.resolve();
        },
      },
      () => {
        state.measured += 1;
        return Promise.resolve(tokensPerSecond.ofThread * Math.min(state.threads, tokensPerSecond.mostThreads));
      },
    );
  return { state, isStatic };
}

describe('a graph', () => {
  it('that is quick on one thread only looks vectors up, and keeps that thread', async () => {
    const { state, isStatic } = graphOf({ ofThread: 4_000_000, mostThreads: 1 }, 16);
    expect(await isStatic()).toBe(true);
    expect(state.threads).toBe(1);
  });

  it('that takes its texts as bags only looks vectors up, however slow the machine is just then', async () => {
    for (const ports of [
      { isBag: true, countsTokens: false },
      { isBag: false, countsTokens: true },
    ]) {
      const { state, isStatic } = graphOf({ ofThread: 2_000, mostThreads: 16 }, 16, ports);
      expect(await isStatic()).toBe(true);
      expect(state).toMatchObject({ threads: 1, measured: 0 });
    }
  });

  it('of a small network is none, however quick it is on all threads, and gets them back', async () => {
    const { state, isStatic } = graphOf({ ofThread: 60_000, mostThreads: 16 }, 16);
    expect(await isStatic()).toBe(false);
    expect(state.threads).toBe(16);
  });

  it('of a network that is slow on all threads is not loaded again to find out', async () => {
    const { state, isStatic } = graphOf({ ofThread: 2_000, mostThreads: 16 }, 16);
    expect(await isStatic()).toBe(false);
    expect(state.loads).toBe(0);
  });

  it('on an accelerator is none, and nothing is measured: its limits are the device’s', async () => {
    const { state, isStatic } = graphOf({ ofThread: 4_000_000, mostThreads: 1 }, 16);
    expect(await isStatic('cuda')).toBe(false);
    expect(state.measured).toBe(0);
  });
});

describe('how fast a device is', () => {
  /** Rows of the runs it takes, and the best rate, of a device with these milliseconds for a run. */
  const measured = async (runMs: (rows: number) => number, sizes: Partial<GrowingRuns> = {}) => {
    const runs: number[] = [];
    const best = await bestRowsPerSecond({ leastRows: 1, mostRows: 300, longMs: 150, ...sizes }, (rows) => {
      runs.push(rows);
      return Promise.resolve(runMs(rows));
    });
    return { best, runs };
  };

  it('is found at the size it starts from, where that takes no time', async () => {
    const { best, runs } = await measured((rows) => 10 + rows / 10);
    expect(best).toBeCloseTo(300 / 0.04);
    expect(runs).toEqual([1, 4, 16, 64, 256, 300].flatMap((rows) => [rows, rows, rows]));
  });

  it('is not told by what any run takes, where that is more than what it computes', async () => {
    const sizes = { leastRows: 16, mostRows: 256, longMs: 5 };
    const lookUp = await measured((rows) => 0.8 + rows / 1000, sizes);
    expect(lookUp.best).toBeCloseTo(256_000 / 1.056);
    expect(lookUp.runs).toEqual([16, 16, 16, 64, 64, 64, 256, 256, 256]);
    expect((await measured((rows) => 0.8 + rows / 3, sizes)).runs).toEqual([16, 16]);
  });

  it('is found by short runs, where it is slow', async () => {
    const { best, runs } = await measured((rows) => 60 * rows);
    expect(best).toBeCloseTo(1000 / 60);
    expect(runs).toEqual([1, 1, 1, 4, 4]);
    expect((await measured(() => 4000)).runs).toEqual([1, 1]);
  });

  it('is not told by a run that had to build its programs first', async () => {
    const met = new Set<number>();
    const { best, runs } = await measured((rows) => {
      const isFirst = !met.has(rows);
      met.add(rows);
      return isFirst ? 3000 : 10;
    });
    expect(best).toBe(30_000);
    expect(Math.max(...runs)).toBe(300);
  });
});
