import { type BenchCase, type BenchRatio, summarize } from './benchReport.ts';
import { type Round, type WorkloadRecord, passesOf } from './benchRecord.ts';
import { TUNED, budgetOf } from './policies.ts';
import { rateOf } from './timeRuns.ts';

/** What stands for the fastest policy besides the tuned one in the name of a ratio. */
export const BEST_FIXED = 'best fixed policy';

/** The longest of a pass's runs may take so many times as long as it should for no other reason than a busy machine. */
const MUCH_LONGER = 2;

export interface WorkloadSummary {
  readonly cases: readonly BenchCase[];
  readonly ratios: Readonly<Record<string, BenchRatio>>;
  /** The best fixed budget; 0 when none was measured. */
  readonly bestBudget: number;
}

/** Rates of the policies that were measured, in the order given, and how the tuned one compares within each round. */
export function summarizeWorkload(record: WorkloadRecord, policyNames: readonly string[]): WorkloadSummary {
  const measured = policyNames.filter((name) => passesOf(record, name).length > 0);
  const cases = measured.map((name) => summarizePolicy(record, name));
  const ratios: Record<string, BenchRatio> = {};
  const fixed = measured.filter((name) => name !== TUNED);
  for (const name of fixed) ratios[ratioName(record.name, name)] = summarize(tunedRatios(record.rounds, name));
  // In passes that had no part in choosing it: the best of many that are about as fast would be the one with the most luck (the winner's curse).
  const best = record.best === null ? [] : tunedRatios(record.pairs, record.best);
  if (best.length > 0) ratios[ratioName(record.name, BEST_FIXED)] = summarize(best);
  const budgets = cases.flatMap((one) => {
    const tokens = budgetOf(one.policy);
    return tokens === undefined ? [] : [{ tokens, rate: one.tokensPerSecond }];
  });
  const bestBudget = budgets.sort((a, b) => b.rate - a.rate)[0]?.tokens ?? 0;
  return { cases, ratios, bestBudget };
}

/** Name of the ratio of the tuned policy's rate over another's. */
export function ratioName(workload: string, policy: string): string {
  return `${workload}: ${TUNED} / ${policy}`;
}

/** The tuned policy's rate over another's, in each of these rounds that has both. */
function tunedRatios(rounds: readonly Round[], name: string): number[] {
  return rounds.flatMap((round) => {
    const own = round[name];
    const tuned = round[TUNED];
    return own === undefined || tuned === undefined ? [] : [rateOf([tuned]) / rateOf([own])];
  });
}

/**
 * The fastest policy besides the tuned one, by how they compare with that, of those that keep a query waiting no longer: whose longest run takes not much more than
 * the latency ceiling, or than the tuned policy's where that is longer (a single text may be). Null when there is none.
 */
export function bestFixedPolicy(rounds: readonly Round[], latencyCeilingMs: number): string | null {
  const names = new Set(rounds.flatMap(Object.keys).filter((name) => name !== TUNED));
  const longestMs = (name: string): number =>
    summarize(rounds.flatMap((round) => (round[name] === undefined ? [] : [Math.max(...round[name].runMs)]))).median;
  const mostMs = Math.max(latencyCeilingMs, longestMs(TUNED));
  const compared = [...names].flatMap((name) => {
    const ratios = tunedRatios(rounds, name);
    return ratios.length === 0 || longestMs(name) > MUCH_LONGER * mostMs
      ? []
      : [{ name, ratio: summarize(ratios).median }];
  });
  return compared.sort((a, b) => a.ratio - b.ratio)[0]?.name ?? null;
}

function summarizePolicy(record: WorkloadRecord, policy: string): BenchCase {
  const passes = passesOf(record, policy);
  const real = passes.reduce((sum, pass) => sum + pass.realTokens, 0);
  const padded = passes.reduce((sum, pass) => sum + pass.paddedTokens, 0);
  const runMs = passes.flatMap((pass) => pass.runMs).sort((a, b) => a - b);
  const quantile = (share: number): number => runMs[Math.max(0, Math.ceil(share * runMs.length) - 1)] ?? 0;
  return {
    policy,
    workload: record.name,
    tokensPerSecond: summarize(passes.map((pass) => rateOf([pass]))).median,
    textsPerSecond: summarize(passes.map((pass) => (pass.texts / pass.milliseconds) * 1000)).median,
    paddingRatio: (padded - real) / real,
    runs: Math.round(runMs.length / passes.length),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    peakRssMb: record.first[policy]?.peakRssMb ?? 0,
    repetitions: passes.length,
  };
}
