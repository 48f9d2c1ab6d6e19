import { cpus } from 'node:os';
import { TesseraError } from '../../base/errors.ts';
import { EmbeddingModel } from '../../embedder/embeddingModel.ts';
import { type BenchModel, openBenchModel } from './benchModel.ts';
import type { BenchCase, BenchOptions, BenchRatio, BenchReport, SessionComparison } from './benchReport.ts';
import { comparePolicies } from './comparePolicies.ts';
import { compareSessions } from './compareSessions.ts';
import { MatrixLimitMeter } from './matrixLimit.ts';
import { stopwatch } from './stopwatch.ts';
import { rateOf } from './timeRuns.ts';
import { DRAWN_WORKLOADS, REAL_WORKLOADS, type Workload, drawWorkload, realWorkloads } from './workloads.ts';

/** Texts of one pass; a policy of 128 texts a run needs two runs to show what it does. */
const PASS_TEXTS = { quick: 128, full: 256 } as const;
/** Lookups take microseconds: more texts, or the clock is too coarse. */
const STATIC_PASS_TEXTS = 2048;
const QUICK_WORKLOADS = ['log-normal', 'code'];
/** A folder with fewer chunks says nothing about batches. */
const FEWEST_REAL_TEXTS = 128;
const SEED = 11;

/** Compares batching policies on this machine, side by side in one run. */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const now = stopwatch(options.clock);
  const notes: string[] = [];
  options.onProgress(`loading ${options.model}`);
  const model = await openBenchModel(options.model, options.threads);
  const { threads } = model;
  const meter =
    model.encoder === null || model.device !== 'cpu'
      ? null
      : await MatrixLimitMeter.open(model.encoder.size, model.encoder.precision, threads, now);
  try {
    const workloads = await chooseWorkloads(options, model, notes);
    const cases: BenchCase[] = [];
    const ratios: Record<string, BenchRatio> = {};
    const sessions: SessionComparison[] = [];
    for (const workload of workloads) {
      const usualTexts = model.isStatic ? STATIC_PASS_TEXTS : PASS_TEXTS[options.full ? 'full' : 'quick'];
      const texts = options.texts === 0 ? usualTexts : options.texts;
      const meanLength = weightedMeanLength(workload.lengths.slice(0, texts));
      const comparison = await comparePolicies(model, workload, {
        now,
        full: options.full,
        policies: options.policies,
        seconds: options.seconds / workloads.length,
        texts,
        latencyCeilingMs: options.latencyCeilingMs,
        signal: options.signal,
        onProgress: options.onProgress,
        onRepetition: async (pass) => {
          await meter?.sample(rateOf([pass]), meanLength);
        },
      });
      cases.push(...comparison.cases);
      Object.assign(ratios, comparison.ratios);
      if (options.sessionChunks === 0) continue;
      const { bestBudget, savedState } = comparison;
      sessions.push(
        await compareSessions(model, workload, bestBudget, savedState, {
          now,
          chunks: options.sessionChunks,
          seconds: options.seconds / workloads.length,
          latencyCeilingMs: options.latencyCeilingMs,
          signal: options.signal,
          onProgress: options.onProgress,
        }),
      );
    }
    return {
      model: model.name,
      device: model.device,
      threads,
      clock: options.clock,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cases,
      ratios,
      matrixLimit: meter === null ? null : meter.report(),
      sessions,
      notes,
    };
  } finally {
    await meter?.dispose();
    await model.dispose();
  }
}

async function chooseWorkloads(options: BenchOptions, model: BenchModel, notes: string[]): Promise<Workload[]> {
  const known = [...DRAWN_WORKLOADS, ...Object.keys(REAL_WORKLOADS)];
  const unknown = options.workloads.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TesseraError('invalid-argument', `There is no workload ${unknown}; name one of ${known.join(', ')}.`);
  }
  const asked = options.full ? known : QUICK_WORKLOADS;
  const names = options.workloads.length > 0 ? options.workloads : asked;
  const maxTokens = Math.min(options.maxTokens, model.maxTokens);
  const count = Math.max(options.sessionChunks, 5000);
  const drawn = names.flatMap((name) => drawWorkload(name, count, maxTokens, SEED) ?? []);
  const realNames = names.filter((name) => Object.hasOwn(REAL_WORKLOADS, name));
  if (options.folder === null || realNames.length === 0) return drawn;
  options.onProgress(`cutting ${options.folder} into chunks`);
  const tokenizer = await EmbeddingModel.open(options.tokenizerModel, { device: 'cpu', threads: 1 });
  try {
    const countTokens = (text: string): number => Math.min(maxTokens, tokenizer.encode(text, 'document').length);
    const real = await realWorkloads(options.folder, count, countTokens, options.signal);
    const wanted = real.filter(({ name }) => realNames.includes(name));
    for (const { name, lengths } of wanted)
      if (lengths.length < FEWEST_REAL_TEXTS)
        notes.push(`${name}: left out, since the folder has only ${lengths.length} such chunks.`);
    return [...drawn, ...wanted.filter(({ lengths }) => lengths.length >= FEWEST_REAL_TEXTS)];
  } finally {
    await tokenizer.release();
  }
}

/** The length of the text a token is in, on average over the tokens. */
function weightedMeanLength(lengths: readonly number[]): number {
  let squares = 0;
  let sum = 0;
  for (const length of lengths) {
    squares += length * length;
    sum += length;
  }
  return squares / sum;
}
