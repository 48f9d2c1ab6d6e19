import type { BenchModel } from './benchModel.ts';
import { type BenchRatio, type SessionComparison, summarize } from './benchReport.ts';
import { type Policy, tokenBudget, tuned } from './policies.ts';
import type { Stopwatch } from './stopwatch.ts';
import { type Pass, rateOf, timePass } from './timeRuns.ts';
import type { Workload } from './workloads.ts';
import { collectYoungGarbage } from './youngGarbage.ts';

/** Texts that wait together, as in the index. */
const WINDOW_TEXTS = 256;
/** Windows of a single session that are compared at a time: a disturbance of a second touches one group only. */
const GROUPS = 10;
/** Sessions, where they are short enough: so many at most, and fewer than the least are compared by parts. */
const SESSIONS = { least: 5, most: 41 } as const;

interface SessionOptions {
  readonly now: Stopwatch;
  readonly chunks: number;
  /** As many sessions are made as fit into this; one at least. */
  readonly seconds: number;
  readonly latencyCeilingMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (text: string) => void;
}

/** Passes over the same windows, one for each window. */
interface Session {
  readonly oracle: readonly Pass[];
  readonly cold: readonly Pass[];
  readonly saved: readonly Pass[];
  readonly coldBudget: number;
  readonly convergedAfterRuns: number | null;
}

/**
 * A whole index, window by window, by three policies in turn: the best fixed budget, a tuner that knows nothing at the
 * start, and one that was saved by another session. Learning is in the time.
 */
export async function compareSessions(
  model: BenchModel,
  workload: Workload,
  oracleBudget: number,
  saved: unknown,
  options: SessionOptions,
): Promise<SessionComparison> {
  const sessions: Session[] = [];
  const startedMs = performance.now();
  let windows = 0;
  for (;;) {
    const session = await runSession(model, workload, oracleBudget, saved, windows, options);
    sessions.push(session);
    windows += session.oracle.length;
    const seconds = (performance.now() - startedMs) / 1000;
    if (sessions.length === SESSIONS.most || (seconds / sessions.length) * (sessions.length + 1) > options.seconds)
      break;
  }
  const oracle = sessions.flatMap((session) => session.oracle);
  const last = sessions.at(-1);
  return {
    workload: workload.name,
    chunks: options.chunks,
    oracleBudget,
    oracleTokensPerSecond: rateOf(oracle),
    cold: compare(sessions, (session) => session.cold),
    saved: compare(sessions, (session) => session.saved),
    coldBudget: last?.coldBudget ?? 0,
    coldConvergedAfterRuns: last?.convergedAfterRuns ?? null,
  };
}

async function runSession(
  model: BenchModel,
  workload: Workload,
  oracleBudget: number,
  saved: unknown,
  windowsBefore: number,
  options: SessionOptions,
): Promise<Session> {
  const cold = tuned('cold', model, options.latencyCeilingMs);
  const restored = tuned('saved', model, options.latencyCeilingMs, saved);
  const oracle = tokenBudget(oracleBudget, model.isBag);
  const policies: readonly Policy[] = [oracle, cold, restored];
  const windowTokens = Math.max(...policies.map((policy) => policy.windowTokens ?? 0));
  const windows = cutWindows(workload.lengths, options.chunks, windowTokens);
  const passes = new Map<Policy, Pass[]>(policies.map((policy) => [policy, []]));
  let runs = 0;
  let convergedAfterRuns: number | null = null;
  for (const [index, window] of windows.entries()) {
    options.onProgress(`${workload.name}: window ${index + 1} of ${windows.length} of an index`);
    // Over all sessions, each comes first as often as the others, and after each of the others: what one leaves in the caches is the next one's.
    const place = windowsBefore + index;
    const isReversed = Math.floor(place / policies.length) % 2 === 1;
    for (let turn = 0; turn < policies.length; turn++) {
      const step = isReversed ? policies.length - 1 - turn : turn;
      const policy = policies[(step + place) % policies.length];
      if (policy === undefined) continue;
      collectYoungGarbage();
      const pass = await timePass(model, policy, window, { ...options, measureRss: false });
      passes.get(policy)?.push(pass);
      if (policy === cold) runs += pass.runMs.length;
    }
    if (convergedAfterRuns === null && cold.tuner.report().converged) convergedAfterRuns = runs;
  }
  const of = (policy: Policy): readonly Pass[] => passes.get(policy) ?? [];
  return {
    oracle: of(oracle),
    cold: of(cold),
    saved: of(restored),
    coldBudget: cold.tuner.report().budgetTokens,
    convergedAfterRuns,
  };
}

/** One policy's rate over the oracle's: median and spread of the sessions, or of the parts of a single one. */
function compare(sessions: readonly Session[], pick: (session: Session) => readonly Pass[]): BenchRatio {
  const ratio = (own: readonly Pass[], oracle: readonly Pass[]): number => rateOf(own) / rateOf(oracle);
  const whole = sessions.map((session) => ratio(pick(session), session.oracle));
  if (whole.length >= SESSIONS.least) return summarize(whole);
  const parts = sessions.flatMap((session) => {
    const groups = Math.min(GROUPS, session.oracle.length);
    const part = (all: readonly Pass[], group: number): readonly Pass[] =>
      all.slice(Math.floor((group * all.length) / groups), Math.floor(((group + 1) * all.length) / groups));
    return Array.from({ length: groups }, (_, group) => ratio(part(pick(session), group), part(session.oracle, group)));
  });
  // The whole is what counts; the parts tell how much it varied.
  return { ...summarize(parts), median: summarize(whole).median };
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
