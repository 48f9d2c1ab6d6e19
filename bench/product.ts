/**
 * Embedding as the product does it, threads and processes included, against what others do with the same model, in turns and in each round on the same texts.
 * `node bench/product.ts [--model synthetic:minilm-l6] [--workload log-normal] [--cap 512] [--rounds 5] [--slice 8] [--json]`
 *
 * The product works in processes of its own, and first until it has found out how many pay (some minutes); a query is put to it now and then. The others run in this process, with all
 * threads in one session, as they do: fixed numbers of texts in order of arrival or sorted, and one by one. Once a round the machine's rate for the encoder's matrix products is measured, too:
 * with all threads in one session, and with one thread alone, times the threads, which several sessions can at best reach.
 */
import { parseArgs } from 'node:util';
import type { LogRecord } from '../src/base/logger.ts';
import { openBenchModel, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { noMatrixSamples } from '../src/cli/bench/benchRecord.ts';
import { summarize } from '../src/cli/bench/benchReport.ts';
import { MatrixLimitMeter } from '../src/cli/bench/matrixLimit.ts';
import { type Policy, fixedCount } from '../src/cli/bench/policies.ts';
import { rateOf, timePass } from '../src/cli/bench/timeRuns.ts';
import { collectYoungGarbage } from '../src/cli/bench/youngGarbage.ts';
import type { Embedder } from '../src/server/embedder/embedder.ts';
import { nameOfLayout } from '../src/server/embedder/layout.ts';
import { embedFor, embedUntil, quantile, startEmbedder, timeQueries } from './embedderWork.ts';
import { textLengths } from './textLengths.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'synthetic:minilm-l6' },
    workload: { type: 'string', default: 'log-normal' },
    cap: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '5' },
    slice: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
/** Texts of a round, and of one call of the product: as many as the indexer commits together. */
const ROUND_TEXTS = 256;
const TEXTS = 4096;
/** The longest trial of several processes ends before. */
const MOST_SETTLING_MS = 300_000;

const lengths = await textLengths(values.workload, TEXTS, Number(values.cap));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
/** The length of the text a token is in, on average over the tokens. */
const meanLength = sum(lengths.map((length) => length ** 2)) / sum(lengths);

const synthetic = await writeSyntheticModel(values.model);
const model = await openBenchModel(values.model, 0);
/** What the product has found out. */
const layout = { name: `1 × ${model.threads}`, isSettled: false, ratios: [] as string[] };
function noteComparison({ message, fields }: LogRecord): void {
  if (message !== 'embedder processes compared') return;
  layout.name = String(fields?.['layout']);
  layout.ratios.push(String(fields?.['ratio']));
  layout.isSettled = fields?.['isLast'] === true;
}
const product = startEmbedder(synthetic.folder, 0, { onRecord: noteComparison });
const oneProcess = startEmbedder(synthetic.folder, 1);

let round = 0;
const roundLengths = (): readonly number[] =>
  Array.from({ length: ROUND_TEXTS }, (_, index) => lengths[(round * ROUND_TEXTS + index) % lengths.length] ?? 1);
/** A word is a token of a synthetic model. */
const roundTexts = (): readonly string[] =>
  roundLengths().map((tokens) => new Array<string>(tokens).fill('word').join(' '));

const sliceMs = Number(values.slice) * 1000;
const slice = (embedder: Embedder): Promise<number> => embedFor(embedder, roundTexts, sliceMs);

const busyMs: number[] = [];
async function productSlice(): Promise<number> {
  // Processes without bulk work for a minute are ended: what they take to start again is no part of it.
  await slice(product);
  const stop = new AbortController();
  const queries = timeQueries(product, () => stop.signal.aborted);
  const rate = await slice(product);
  stop.abort();
  busyMs.push(...(await queries));
  const { sessions = 0, threads = 0 } = (await product.metrics()) ?? {};
  const now = nameOfLayout({ sessions, threads });
  if (now !== layout.name) throw new Error(`The product works in ${now} threads instead of ${layout.name}.`);
  return rate;
}

async function pass(policy: Policy): Promise<number> {
  collectYoungGarbage();
  const options = { now: () => performance.now(), measureRss: false };
  return rateOf([await timePass(model, policy, roundLengths(), options)]);
}

interface Contender {
  readonly name: string;
  readonly measure: () => Promise<number>;
  /** Tokens a second, one for each round. */
  readonly rates: number[];
}
const own: Contender = { name: 'product', measure: productSlice, rates: [] };
const contenders: readonly Contender[] = [
  own,
  { name: 'product, one process', measure: () => slice(oneProcess), rates: [] },
  { name: 'one by one', measure: () => pass(fixedCount(1, 'arrival')), rates: [] },
  { name: 'fixed 64 arrival', measure: () => pass(fixedCount(64, 'arrival')), rates: [] },
  { name: 'fixed 64 sorted', measure: () => pass(fixedCount(64, 'sorted')), rates: [] },
];
const meters: MatrixLimitMeter[] = [];
try {
  const { encoder, threads } = model;
  if (encoder === null) throw new Error('The matrix products of this model are not known.');
  const matrix = { together: noMatrixSamples(), alone: noMatrixSamples() };
  for (const [samples, count] of [[matrix.together, threads] as const, [matrix.alone, 1] as const])
    meters.push(await MatrixLimitMeter.open(encoder.size, encoder.precision, count, () => performance.now(), samples));

  await slice(oneProcess);
  await product.open();
  const idle = new AbortController();
  setTimeout(() => idle.abort(), sliceMs);
  const idleMs = await timeQueries(product, () => idle.signal.aborted);
  const startedMs = performance.now();
  const untilMs = startedMs + MOST_SETTLING_MS;
  await embedUntil(product, roundTexts, () => layout.isSettled || performance.now() >= untilMs);
  const settlingSeconds = (performance.now() - startedMs) / 1_000;
  if (!layout.isSettled && threads > 1) throw new Error('The product has not found out how many processes pay.');

  for (; round < Number(values.rounds); round++) {
    for (const { measure, rates } of round % 2 === 0 ? contenders : contenders.toReversed())
      rates.push(await measure());
    for (const meter of meters) await meter.sample(own.rates.at(-1) ?? 0, meanLength);
  }
  const limits = matrix.together.limits.map((limit, at) => Math.max(limit, threads * (matrix.alone.limits[at] ?? 0)));
  const report = {
    model: values.model,
    workload: values.workload,
    cap: Number(values.cap),
    layout: layout.name,
    settlingSeconds,
    contenders: contenders.map(({ name, rates }) => ({
      name,
      tokensPerSecond: Math.round(summarize(rates).median),
      productIs: summarize(own.rates.map((rate, at) => rate / (rates[at] ?? NaN))),
    })),
    rssMb: Math.round((await product.metrics())?.rssMb ?? 0),
    queries: Object.entries({ idle: idleMs, busy: busyMs }).map(([name, times]) => ({
      name,
      count: times.length,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
    })),
    matrix: {
      oneSessionGflops: summarize(matrix.together.limits).median / 1e9,
      oneThreadTimesThreadsGflops: (threads * summarize(matrix.alone.limits).median) / 1e9,
      share: summarize(matrix.together.embedding.map((rate, at) => rate / (limits[at] ?? NaN))),
    },
  };
  if (values.json) console.log(JSON.stringify(report));
  else {
    console.log(
      `${values.model}, ${values.workload}, cap ${values.cap}: the product works in ${layout.name} threads, found out after ${settlingSeconds.toFixed(0)} s of work: ${layout.ratios.join(' | ')}`,
    );
    const spread = (ratio: ReturnType<typeof summarize>): string =>
      `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
    for (const { name, tokensPerSecond, productIs } of report.contenders)
      console.log(
        `${name.padEnd(22)}${String(tokensPerSecond).padStart(8)} tokens/s  product is × ${spread(productIs)}`,
      );
    console.log(`memory of the product's processes: ${report.rssMb} MB`);
    for (const { name, count, p50Ms, p99Ms } of report.queries)
      console.log(`queries, ${name}: p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms of ${count}`);
    const { oneSessionGflops, oneThreadTimesThreadsGflops, share } = report.matrix;
    console.log(
      `matrix products alone: ${oneSessionGflops.toFixed(0)} G operations/s in one session, ${oneThreadTimesThreadsGflops.toFixed(0)} as threads times one alone; share of the larger: ${spread(share)}`,
    );
  }
} finally {
  product.dispose();
  oneProcess.dispose();
  for (const meter of meters) await meter.dispose();
  await model.dispose();
  await synthetic.remove();
}
