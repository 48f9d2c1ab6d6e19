import type { BenchModel } from './benchModel.ts';
import { type BenchCase, type BenchRatio, summarize } from './benchReport.ts';
import { type Policy, TUNED, choosePolicies, policiesFor, tuned } from './policies.ts';
import type { Stopwatch } from './stopwatch.ts';
import { type Pass, rateOf, timePass } from './timeRuns.ts';
import type { Workload } from './workloads.ts';

/** Repetitions, if time allows; fewer than the least are never made. */
const REPETITIONS = { least: 5, most: 9 } as const;
/** Windows a tuner learns from before it is compared, at most. */
const LEARNING_PASSES = 40;
/** Share of the time that learning may take. */
const LEARNING_SHARE = 0.25;

export interface Comparison {
  readonly cases: readonly BenchCase[];
  readonly ratios: Readonly<Record<string, BenchRatio>>;
  /** The best fixed budget, by name of its policy. */
  readonly bestBudget: number;
  readonly savedState: unknown;
}

/**
 * Policies side by side on one workload: each repetition runs all of them over the same texts, beginning with another
 * one each time, so that what disturbs the machine disturbs them alike. Ratios are taken within a repetition.
 */
export async function comparePolicies(
  model: BenchModel,
  workload: Workload,
  options: {
    readonly now: Stopwatch;
    readonly full: boolean;
    readonly policies: readonly string[];
    readonly seconds: number;
    readonly texts: number;
    readonly latencyCeilingMs: number;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress: (text: string) => void;
    /** Called in each repetition with the rate of the tuned policy in it. */
    readonly onRepetition?: (tunedPass: Pass) => Promise<void>;
  },
): Promise<Comparison> {
  const { now, signal, onProgress } = options;
  const lengths = workload.lengths.slice(0, options.texts);
  const tunedPolicy = tuned(TUNED, model.limits, options.latencyCeilingMs);
  onProgress(`${workload.name}: learning`);
  await learn(model, workload, tunedPolicy, { milliseconds: options.seconds * 1000 * LEARNING_SHARE, now, signal });
  const known = policiesFor(options.full, model.isStatic, model.limits);
  const policies: Policy[] = [...choosePolicies(known, options.policies), tunedPolicy];

  // First pass: memory from a fresh session, and everything warm.
  const peaks = new Map<Policy, number>();
  const startedMs = performance.now();
  for (const policy of policies) {
    onProgress(`${workload.name}: memory of ${policy.name}`);
    await model.release();
    await model.run([8], 8);
    const { peakRssMb } = await timePass(model, policy, lengths, { now, measureRss: true, signal });
    peaks.set(policy, peakRssMb);
  }
  await model.release();
  await model.run([8], 8);
  const passMs = performance.now() - startedMs;
  const affordable = Math.floor((options.seconds * 1000 * (1 - LEARNING_SHARE)) / passMs) - 1;
  const repetitions = Math.min(REPETITIONS.most, Math.max(REPETITIONS.least, affordable));

  const passes = new Map<Policy, Pass[]>(policies.map((policy) => [policy, []]));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    onProgress(`${workload.name}: repetition ${repetition + 1} of ${repetitions}`);
    for (let turn = 0; turn < policies.length; turn++) {
      const policy = policies[(turn + repetition) % policies.length];
      if (policy === undefined) continue;
      const pass = await timePass(model, policy, lengths, { now, measureRss: false, signal });
      passes.get(policy)?.push(pass);
      if (policy === tunedPolicy) await options.onRepetition?.(pass);
    }
  }
  return summarizeComparison(workload.name, policies, passes, peaks, tunedPolicy);
}

/** Lets a tuner see other texts of the workload, until it says that it knows enough or the time is up. */
async function learn(
  model: BenchModel,
  workload: Workload,
  policy: ReturnType<typeof tuned>,
  options: { readonly milliseconds: number; readonly now: Stopwatch; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const untilMs = performance.now() + options.milliseconds;
  let start = 0;
  for (let pass = 0; pass < LEARNING_PASSES && performance.now() < untilMs; pass++) {
    const window: number[] = [];
    for (let tokens = 0; window.length < 128 || tokens < policy.windowTokens; start++) {
      const length = workload.lengths[start % workload.lengths.length] ?? 1;
      window.push(length);
      tokens += length;
    }
    await timePass(model, policy, window, { ...options, measureRss: false });
    if (policy.tuner.report().converged && pass > 2) return;
  }
}

function summarizeComparison(
  workload: string,
  policies: readonly Policy[],
  passes: ReadonlyMap<Policy, readonly Pass[]>,
  peaks: ReadonlyMap<Policy, number>,
  tunedPolicy: ReturnType<typeof tuned>,
): Comparison {
  const of = (policy: Policy): readonly Pass[] => passes.get(policy) ?? [];
  const cases = policies.map((policy): BenchCase => {
    const own = of(policy);
    const real = own.reduce((sum, pass) => sum + pass.realTokens, 0);
    const padded = own.reduce((sum, pass) => sum + pass.paddedTokens, 0);
    const runMs = own.flatMap((pass) => pass.runMs).sort((a, b) => a - b);
    const quantile = (share: number): number => runMs[Math.max(0, Math.ceil(share * runMs.length) - 1)] ?? 0;
    return {
      policy: policy.name,
      workload,
      tokensPerSecond: summarize(own.map((pass) => rateOf([pass]))).median,
      textsPerSecond: summarize(own.map((pass) => (pass.texts / pass.milliseconds) * 1000)).median,
      paddingRatio: (padded - real) / real,
      runs: Math.round(runMs.length / Math.max(1, own.length)),
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      peakRssMb: peaks.get(policy) ?? 0,
      repetitions: own.length,
    };
  });
  const ratios: Record<string, BenchRatio> = {};
  for (const policy of policies) {
    if (policy === tunedPolicy) continue;
    const values = of(policy).map((pass, index) => {
      const other = of(tunedPolicy)[index];
      return other === undefined ? 0 : rateOf([other]) / rateOf([pass]);
    });
    ratios[`${workload}: ${TUNED} / ${policy.name}`] = summarize(values);
  }
  const budgets = cases.flatMap((one) => {
    const tokens = /^budget (\d+)$/.exec(one.policy)?.[1];
    return tokens === undefined ? [] : [{ tokens: Number(tokens), rate: one.tokensPerSecond }];
  });
  const bestBudget = budgets.sort((a, b) => b.rate - a.rate)[0]?.tokens ?? 0;
  return { cases, ratios, bestBudget, savedState: tunedPolicy.tuner.save() };
}
