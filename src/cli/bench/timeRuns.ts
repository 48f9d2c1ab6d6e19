import { paddedTokens as computedTokens } from '../../embedding/runShape.ts';
import type { BenchModel } from './benchModel.ts';
import type { Policy } from './policies.ts';
import type { Stopwatch } from './stopwatch.ts';

/** One pass of a policy over some texts. */
export interface Pass {
  readonly realTokens: number;
  readonly paddedTokens: number;
  readonly texts: number;
  readonly milliseconds: number;
  readonly runMs: readonly number[];
  readonly peakRssMb: number;
}

const BYTES_PER_MB = 1 << 20;

/** Embeds texts of these lengths by a policy: planning, running and learning are all in the time. */
export async function timePass(
  model: BenchModel,
  policy: Policy,
  lengths: readonly number[],
  options: { readonly now: Stopwatch; readonly measureRss: boolean; readonly signal?: AbortSignal | undefined },
): Promise<Pass> {
  const { now } = options;
  const runMs: number[] = [];
  let realTokens = 0;
  let paddedTokens = 0;
  let peakRssMb = 0;
  const startedMs = now();
  for (const run of policy.plan(lengths)) {
    options.signal?.throwIfAborted();
    // Single runs in passing time: the processor's is told in steps of milliseconds on some systems.
    const runStartedMs = performance.now();
    const own = Array.from(run.indices, (index) => lengths[index] ?? 0);
    await model.run(own, run.length);
    const endedAtMs = performance.now();
    const real = own.reduce((sum, length) => sum + length, 0);
    const shape = { length: model.isBag ? real / run.count : run.length, count: run.count };
    policy.record?.({ shape, probe: run.probe, realTokens: real, elapsedMs: endedAtMs - runStartedMs, endedAtMs });
    runMs.push(endedAtMs - runStartedMs);
    realTokens += real;
    paddedTokens += computedTokens(shape);
    if (options.measureRss) peakRssMb = Math.max(peakRssMb, process.memoryUsage.rss() / BYTES_PER_MB);
  }
  const milliseconds = now() - startedMs;
  return { realTokens, paddedTokens, texts: lengths.length, milliseconds, runMs, peakRssMb };
}

/** Real tokens a second. */
export function rateOf(passes: readonly Pass[]): number {
  const tokens = passes.reduce((sum, pass) => sum + pass.realTokens, 0);
  const ms = passes.reduce((sum, pass) => sum + pass.milliseconds, 0);
  return ms > 0 ? (tokens / ms) * 1000 : 0;
}
