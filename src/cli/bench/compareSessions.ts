import type { BenchModel } from './benchModel.ts';
import { type SessionComparison, summarize } from './benchReport.ts';
import { type Policy, tokenBudget, tuned } from './policies.ts';
import type { Stopwatch } from './stopwatch.ts';
import { type Pass, rateOf, timePass } from './timeRuns.ts';
import type { Workload } from './workloads.ts';

/** Texts that wait together, as in the index. */
const WINDOW_TEXTS = 256;
/** Windows that are compared at a time: a disturbance of a second touches one group only. */
const GROUPS = 10;

/**
 * A whole index, window by window, by three policies in turn: the best fixed budget, a tuner that knows nothing at the
 * start, and one that was saved by another session. Learning is in the time.
 */
export async function compareSessions(
  model: BenchModel,
  workload: Workload,
  oracleBudget: number,
  saved: unknown,
  options: {
    readonly now: Stopwatch;
    readonly chunks: number;
    readonly latencyCeilingMs: number;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress: (text: string) => void;
  },
): Promise<SessionComparison> {
  const cold = tuned('cold', model.limits, options.latencyCeilingMs);
  const restored = tuned('saved', model.limits, options.latencyCeilingMs, saved);
  const oracle = tokenBudget(oracleBudget);
  const policies: readonly Policy[] = [oracle, cold, restored];
  const windowTokens = Math.max(...policies.map((policy) => policy.windowTokens ?? 0));
  const windows = cutWindows(workload.lengths, options.chunks, windowTokens);
  const passes = new Map<Policy, Pass[]>(policies.map((policy) => [policy, []]));
  let runs = 0;
  let convergedAfterRuns: number | null = null;
  for (const [index, window] of windows.entries()) {
    options.onProgress(`${workload.name}: window ${index + 1} of ${windows.length} of an index`);
    for (let turn = 0; turn < policies.length; turn++) {
      const policy = policies[(turn + index) % policies.length];
      if (policy === undefined) continue;
      const pass = await timePass(model, policy, window, { ...options, measureRss: false });
      passes.get(policy)?.push(pass);
      if (policy === cold) runs += pass.runMs.length;
    }
    if (convergedAfterRuns === null && cold.tuner.report().converged) convergedAfterRuns = runs;
  }
  const of = (policy: Policy): readonly Pass[] => passes.get(policy) ?? [];
  const compare = (policy: Policy) => {
    const groups = Math.min(GROUPS, windows.length);
    const parts = Array.from({ length: groups }, (_, group) => {
      const part = (all: readonly Pass[]): readonly Pass[] =>
        all.slice(Math.floor((group * all.length) / groups), Math.floor(((group + 1) * all.length) / groups));
      return rateOf(part(of(policy))) / rateOf(part(of(oracle)));
    });
    // The whole is what counts; the parts tell how much it varied.
    return { ...summarize(parts), median: rateOf(of(policy)) / rateOf(of(oracle)) };
  };
  return {
    workload: workload.name,
    chunks: windows.reduce((sum, window) => sum + window.length, 0),
    oracleBudget,
    oracleTokensPerSecond: rateOf(of(oracle)),
    cold: compare(cold),
    saved: compare(restored),
    coldBudget: cold.tuner.report().budgetTokens,
    coldConvergedAfterRuns: convergedAfterRuns,
  };
}

function cutWindows(lengths: readonly number[], chunks: number, windowTokens: number): number[][] {
  const windows: number[][] = [];
  let window: number[] = [];
  let tokens = 0;
  for (let index = 0; index < chunks; index++) {
    const length = lengths[index % lengths.length] ?? 1;
    window.push(length);
    tokens += length;
    if (window.length < WINDOW_TEXTS || tokens < windowTokens) continue;
    windows.push(window);
    window = [];
    tokens = 0;
  }
  if (window.length > 0) windows.push(window);
  return windows;
}
