import { cpus } from 'node:os';
import { TesseraError } from '../../base/errors.ts';
import { EmbeddingModel } from '../../embedder/embeddingModel.ts';
import { type BenchModel, openBenchModel } from './benchModel.ts';
import {
  type BenchRecord,
  type BenchSetup,
  type WorkloadRecord,
  checkSameSetup,
  noMatrixSamples,
} from './benchRecord.ts';
import type { BenchCase, BenchOptions, BenchRatio, BenchReport, SessionComparison } from './benchReport.ts';
import { comparePolicies } from './comparePolicies.ts';
import { compareSessions } from './compareSessions.ts';
import { MatrixLimitMeter } from './matrixLimit.ts';
import { type Policy, TUNED, choosePolicies, isTokenBudget, policiesFor } from './policies.ts';
import { stopwatch } from './stopwatch.ts';
import { summarizeWorkload } from './summarizeWorkload.ts';
import { rateOf } from './timeRuns.ts';
import { DRAWN_WORKLOADS, REAL_WORKLOADS, type Workload, drawWorkload, realWorkloads } from './workloads.ts';

/** Texts of one pass at most, and at least for a slow model. A policy of 128 texts a run is among all of them. */
const PASS_TEXTS = { quick: { least: 64, most: 128 }, full: { least: 128, most: 256 } } as const;
/** Lookups take microseconds: more texts, or the clock is too coarse. */
const STATIC_PASS_TEXTS = { least: 2048, most: 2048 };
const QUICK_WORKLOADS = ['log-normal', 'code'];
/** A folder with fewer chunks says nothing about batches. */
const FEWEST_REAL_TEXTS = 128;
const SEED = 11;

/** Compares batching policies on this machine, side by side in one run or, as `piece` says, in several. */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const startedMs = performance.now();
  const now = stopwatch(options.clock);
  const notes: string[] = [];
  options.onProgress(`loading ${options.model}`);
  const model = await openBenchModel(options.model, options.threads, options.device, options.graphFor);
  let meter: MatrixLimitMeter | null = null;
  try {
    // What is named wrongly is refused before anything is measured.
    checkPolicies(options, choosePolicies(policiesFor(options.full, model), options.policies), notes);
    const record = startRecord(options, model);
    if (model.encoder !== null && record.matrix !== null) {
      const { size, precision } = model.encoder;
      meter = await MatrixLimitMeter.open(size, precision, model.threads, now, record.matrix);
    }
    const workloads = await openWorkloads(options, model, record, notes);
    const cases: BenchCase[] = [];
    const ratios: Record<string, BenchRatio> = {};
    const sessions: SessionComparison[] = [];
    let complete = true;
    const passesBefore = countPasses(record);
    for (const workload of workloads) {
      const meanLength = (): number => weightedMeanLength(workload.lengths.slice(0, workload.texts));
      const isDone = await comparePolicies(model, workload, {
        now,
        choosePolicies: (texts) => affordablePolicies(options, model, texts, notes),
        seconds: options.seconds / workloads.length,
        untilMs: options.piece === null ? Infinity : startedMs + options.seconds * 1000,
        texts: textsOfPass(options, model),
        latencyCeilingMs: options.latencyCeilingMs,
        signal: options.signal,
        onProgress: options.onProgress,
        onMeasured: async () => options.piece?.save(),
        onTunedPass: async (pass) => meter?.sample(rateOf([pass]), meanLength()),
      });
      complete &&= isDone;
      const names = [...policiesFor(true, model).map(({ name }) => name), TUNED];
      const summary = summarizeWorkload(workload, names);
      cases.push(...summary.cases);
      Object.assign(ratios, summary.ratios);
      if (options.sessionChunks === 0) continue;
      sessions.push(
        await compareSessions(model, workload, summary.bestBudget, workload.tuner, {
          now,
          chunks: options.sessionChunks,
          seconds: options.seconds / workloads.length,
          latencyCeilingMs: options.latencyCeilingMs,
          signal: options.signal,
          onProgress: options.onProgress,
        }),
      );
    }
    if (!complete && countPasses(record) === passesBefore)
      throw new TesseraError('invalid-argument', `Not one pass fits into ${options.seconds} seconds; allow more.`);
    const { device, threads, clock, processor } = record.setup;
    return {
      model: model.name,
      device,
      threads,
      clock,
      processor,
      cases,
      ratios,
      matrixLimit: meter?.report() ?? null,
      sessions,
      complete,
      notes: [...new Set(notes)],
    };
  } finally {
    await meter?.dispose();
    await model.dispose();
  }
}

/** Throws `invalid-argument` where a session would have no budget to be compared with. */
function checkPolicies(options: BenchOptions, chosen: readonly Policy[], notes: string[]): void {
  if (options.sessionChunks === 0) return;
  if (!chosen.some(isTokenBudget))
    throw new TesseraError(
      'invalid-argument',
      'A session is compared with the best token budget; choose some of them with --policy, or leave --policy out.',
    );
  if (!options.full || options.policies.length > 0)
    notes.push('Sessions are compared with the best of the budgets above; --full without --policy measures all.');
}

/** What earlier calls measured, if it can be added to; else an empty record. Throws `invalid-argument` as `checkSameSetup`. */
function startRecord({ piece, clock, maxTokens, latencyCeilingMs }: BenchOptions, model: BenchModel): BenchRecord {
  const processor = cpus()[0]?.model.trim() ?? 'unknown';
  const { name, device, threads, encoder } = model;
  const setup: BenchSetup = { model: name, device, threads, clock, processor, maxTokens, latencyCeilingMs };
  const earlier = piece?.records.find((record) => record.setup.model === name);
  if (earlier !== undefined) {
    checkSameSetup(earlier.setup, setup);
    return earlier;
  }
  const matrix = encoder !== null && device === 'cpu' ? noMatrixSamples() : null;
  const record: BenchRecord = { setup, workloads: [], matrix };
  piece?.records.push(record);
  return record;
}

/** Those for memory, too. */
function countPasses({ workloads }: BenchRecord): number {
  return workloads.reduce(
    (sum, { rounds, pairs, first }) => sum + [...rounds, ...pairs, first].flatMap(Object.keys).length,
    0,
  );
}

function textsOfPass(
  { texts, full }: BenchOptions,
  model: BenchModel,
): { readonly least: number; readonly most: number } {
  if (texts > 0) return { least: texts, most: texts };
  return model.isStatic ? STATIC_PASS_TEXTS : PASS_TEXTS[full ? 'full' : 'quick'];
}

/** The policies asked for, without those that so few texts say nothing about. */
function affordablePolicies(
  { full, policies }: BenchOptions,
  model: BenchModel,
  texts: number,
  notes: string[],
): readonly Policy[] {
  const wanted = choosePolicies(policiesFor(full, model), policies);
  const affordable = wanted.filter(({ leastTexts = 1 }) => leastTexts <= texts);
  for (const policy of wanted)
    if (!affordable.includes(policy))
      notes.push(`${policy.name}: left out, since ${texts} texts do not show what it does.`);
  return affordable;
}

/** Records of the workloads asked for: those measured before go on with the same texts. */
async function openWorkloads(
  options: BenchOptions,
  model: BenchModel,
  record: BenchRecord,
  notes: string[],
): Promise<WorkloadRecord[]> {
  const names = chooseWorkloads(options);
  const isMissing = (name: string): boolean => !record.workloads.some((workload) => workload.name === name);
  const missing = await makeWorkloads(options, model, names.filter(isMissing), notes);
  for (const { name, lengths } of missing)
    record.workloads.push({
      name,
      lengths,
      texts: 0,
      msPerToken: 0,
      tuner: null,
      first: {},
      rounds: [],
      best: null,
      pairs: [],
    });
  return names.flatMap((name) => record.workloads.find((workload) => workload.name === name) ?? []);
}

/** Throws `invalid-argument` for a name there is not. */
function chooseWorkloads({ workloads, full }: BenchOptions): readonly string[] {
  const known = [...DRAWN_WORKLOADS, ...Object.keys(REAL_WORKLOADS)];
  const unknown = workloads.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TesseraError('invalid-argument', `There is no workload ${unknown}; name one of ${known.join(', ')}.`);
  }
  if (workloads.length > 0) return workloads;
  return full ? known : QUICK_WORKLOADS;
}

async function makeWorkloads(
  options: BenchOptions,
  model: BenchModel,
  names: readonly string[],
  notes: string[],
): Promise<Workload[]> {
  const maxTokens = Math.min(options.maxTokens, model.maxTokens);
  const count = Math.max(options.sessionChunks, 5000);
  const drawn = names.flatMap((name) => drawWorkload(name, count, maxTokens, SEED) ?? []);
  const realNames = names.filter((name) => Object.hasOwn(REAL_WORKLOADS, name));
  if (realNames.length === 0) return drawn;
  if (options.folder === null) {
    notes.push(`${realNames.join(', ')}: left out, since no folder was named to take them from.`);
    return drawn;
  }
  options.onProgress(`cutting ${options.folder} into chunks`);
  const tokenizer =
    model.lengthOf === null ? await EmbeddingModel.open(options.tokenizerModel, { device: 'cpu', threads: 1 }) : null;
  try {
    const lengthOf = model.lengthOf ?? ((text: string): number => tokenizer?.countTokens(text) ?? 0);
    const countTokens = (text: string): number => Math.max(1, Math.min(maxTokens, lengthOf(text)));
    const real = await realWorkloads(options.folder, count, countTokens, options.signal);
    const wanted = real.filter(({ name }) => realNames.includes(name));
    for (const { name, lengths } of wanted)
      if (lengths.length < FEWEST_REAL_TEXTS)
        notes.push(`${name}: left out, since the folder has only ${lengths.length} such chunks.`);
    return [...drawn, ...wanted.filter(({ lengths }) => lengths.length >= FEWEST_REAL_TEXTS)];
  } finally {
    await tokenizer?.release();
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
