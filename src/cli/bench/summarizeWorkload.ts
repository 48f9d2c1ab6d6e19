import { type BenchCase, type BenchRatio, summarize } from './benchReport.ts';
import { type WorkloadRecord, passesOf } from './benchRecord.ts';
import { TUNED } from './policies.ts';
import { rateOf } from './timeRuns.ts';

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
  for (const name of measured) {
    if (name === TUNED) continue;
    const values = record.rounds.flatMap((round) => {
      const own = round[name];
      const tuned = round[TUNED];
      return own === undefined || tuned === undefined ? [] : [rateOf([tuned]) / rateOf([own])];
    });
    ratios[`${record.name}: ${TUNED} / ${name}`] = summarize(values);
  }
  const budgets = cases.flatMap((one) => {
    const tokens = /^budget (\d+)$/.exec(one.policy)?.[1];
    return tokens === undefined ? [] : [{ tokens: Number(tokens), rate: one.tokensPerSecond }];
  });
  const bestBudget = budgets.sort((a, b) => b.rate - a.rate)[0]?.tokens ?? 0;
  return { cases, ratios, bestBudget };
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
