import { TesseraError } from '../../base/errors.ts';
import { BatchTuner } from '../../embedding/batchTuner.ts';
import type { PlannedRun, RunMeasurement } from '../../embedding/runShape.ts';
import { longestFirst, packGreedily, packUnpadded } from '../../embedding/tokenBatcher.ts';
import type { BudgetLimits } from '../../embedding/tunerTypes.ts';
import type { BenchModel } from './benchModel.ts';

/** A way to cut texts that wait together into runs. */
export interface Policy {
  readonly name: string;
  plan(lengths: readonly number[]): readonly PlannedRun[];
  /** Told of every run. */
  record?(run: RunMeasurement): void;
  /** Texts that should wait together, in tokens; undefined: does not matter. */
  readonly windowTokens?: number;
  /** Fewer texts than this do not show what the policy does; undefined: any do. */
  readonly leastTexts?: number;
}

/** So many texts a run, in order of arrival or sorted by length. */
export function fixedCount(count: number, order: 'arrival' | 'sorted', name?: string): Policy {
  return {
    name: name ?? `fixed ${count} ${order}`,
    leastTexts: Number.isFinite(count) ? (order === 'sorted' ? 2 : 1) * count : 1,
    plan(lengths) {
      const all = order === 'sorted' ? longestFirst(lengths) : inOrder(lengths);
      const runs: PlannedRun[] = [];
      for (let start = 0; start < all.length; start += count) {
        const indices = all.slice(start, start + count);
        const length = indices.reduce((most, index) => Math.max(most, lengths[index] ?? 0), 0);
        runs.push({ indices, length, count: indices.length, probe: false });
      }
      return runs;
    },
  };
}

/** Sorted by length, up to so many padded tokens a run; for a bag its own tokens, in order of arrival. */
export function tokenBudget(tokens: number, isBag: boolean): Policy {
  const limits = { maxTokens: tokens, maxCount: Infinity, lengthStep: 1 };
  return {
    name: `budget ${tokens}`,
    windowTokens: 16 * tokens,
    plan: (lengths) =>
      isBag ? packUnpadded(lengths, inOrder(lengths), limits) : packGreedily(lengths, longestFirst(lengths), limits),
  };
}

/** Whether a policy is a fixed token budget. */
export function isTokenBudget({ name }: Policy): boolean {
  return budgetOf(name) !== undefined;
}

/** Padded tokens of a policy that is a fixed budget, by its name. */
export function budgetOf(policyName: string): number | undefined {
  const tokens = /^budget (\d+)$/.exec(policyName)?.[1];
  return tokens === undefined ? undefined : Number(tokens);
}

function inOrder(lengths: readonly number[]): Uint32Array {
  return Uint32Array.from(lengths, (_, index) => index);
}

export interface TunedPolicy extends Policy {
  readonly tuner: BatchTuner;
  readonly windowTokens: number;
}

/** What Tessera does. */
export function tuned(
  name: string,
  { limits, isBag }: Pick<BenchModel, 'limits' | 'isBag'>,
  latencyCeilingMs: number,
  saved?: unknown,
): TunedPolicy {
  const tuner = new BatchTuner(
    { limits, latencyCeilingMs, memoryCeilingMb: Infinity, fixedCount: 0, lengthStep: 1, isBag },
    saved,
  );
  return {
    name,
    tuner,
    plan: (lengths) => tuner.plan(lengths, 'bulk'),
    record: (run) => tuner.record(run),
    get windowTokens() {
      return tuner.windowTokens;
    },
  };
}

/** Name of the policy everything is compared with. */
export const TUNED = 'tuned';

/** Budgets compared where not all are. */
const LIKELY_BUDGETS = 4;

/** Budgets of the exhaustive search for the best fixed one. */
export function oracleBudgets(limits: BudgetLimits, most = 16_384): number[] {
  const budgets: number[] = [];
  for (let tokens = limits.floorTokens; tokens <= Math.min(most, limits.ceilingTokens); tokens *= 2)
    budgets.push(tokens);
  return budgets;
}

/** Some around the size the tuner begins with. */
function likelyBudgets(limits: BudgetLimits): number[] {
  const all = oracleBudgets(limits);
  const base = all.indexOf(limits.baseTokens);
  const first = Math.max(0, Math.min(base - 1, all.length - LIKELY_BUDGETS));
  return all.slice(first, first + LIKELY_BUDGETS);
}

/** What is compared. What peers do is named after them (Continue embeds one by one). */
export function policiesFor(
  full: boolean,
  { isStatic, isBag, limits }: Pick<BenchModel, 'isStatic' | 'isBag' | 'limits'>,
): Policy[] {
  const budget = (tokens: number): Policy => tokenBudget(tokens, isBag);
  const oneByOne = fixedCount(1, 'arrival', 'one by one (Continue)');
  const known = [fixedCount(8, 'arrival'), fixedCount(64, 'arrival'), fixedCount(64, 'sorted')];
  if (!full) return [oneByOne, ...known, ...likelyBudgets(limits).map(budget)];
  const peers = [
    fixedCount(60, 'arrival', 'fixed 60 (Roo Code)'),
    fixedCount(100, 'arrival', 'fixed 100 (claude-context)'),
  ];
  const whole = isStatic ? [fixedCount(Infinity, 'arrival', 'all at once (semble)')] : [];
  return [oneByOne, ...known, fixedCount(128, 'arrival'), ...peers, ...whole, ...oracleBudgets(limits).map(budget)];
}

/** Those whose names have one of these texts in them; all when there are none. Throws `invalid-argument` for a text no name has. */
export function choosePolicies(policies: readonly Policy[], wanted: readonly string[]): Policy[] {
  const unknown = wanted.find((text) => !policies.some(({ name }) => name.includes(text)));
  if (unknown !== undefined) {
    const names = policies.map(({ name }) => name).join(', ');
    throw new TesseraError('invalid-argument', `There is no policy with ${unknown} in its name; there are ${names}.`);
  }
  return policies.filter(({ name }) => wanted.length === 0 || wanted.some((text) => name.includes(text)));
}
