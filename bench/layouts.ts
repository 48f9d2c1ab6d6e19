/**
 * One embedder process with all threads against several with a share each, on bulk work, in turns, with a query now and then
 * that the process with all threads answers.
 * `node bench/layouts.ts [--model synthetic:minilm-l6] [--sessions 2] [--pairs 6] [--slice 8] [--json]`
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SILENT_LOGGER } from '../src/base/logger.ts';
import { isSynthetic, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import { SYSTEM_CLOCK } from '../src/process/systemClock.ts';
import type { EmbedderSettings } from '../src/protocol/embedder.ts';
import { createEmbedder } from '../src/server/embedder/createEmbedder.ts';
import type { Embedder } from '../src/server/embedder/embedder.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';
import { makeSourceTree } from './sourceTree.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'synthetic:minilm-l6' },
    sessions: { type: 'string', default: '2' },
    pairs: { type: 'string', default: '6' },
    slice: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
/** Texts of one call, as the indexer commits them together. */
const GROUP_TEXTS = 256;
const CHUNK_CHARS = 1_200;
const MEAN_PAUSE_MS = 400;

const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
const folder = synthetic?.folder ?? path.resolve(values.model);
const texts = synthetic === undefined ? codeTexts() : drawnTexts();

const start = (sessions: number): Embedder => {
  const settings: EmbedderSettings = {
    models: { code: folder, docs: folder },
    device: 'cpu',
    threads: 0,
    sessions,
    batchSize: 0,
    memoryCeilingMb: 0,
    latencyCeilingMs: 100,
    tunerStateFile: null,
  };
  return createEmbedder({ settings, spawn: () => spawnEmbedder(), clock: SYSTEM_CLOCK, logger: SILENT_LOGGER });
};

function drawnTexts(): string[] {
  const lengths = drawWorkload('log-normal', 4096, 512, 11)?.lengths ?? [];
  return lengths.map((tokens) => new Array<string>(tokens).fill('word').join(' '));
}

/** Pieces of real files, about as long as chunks. */
function codeTexts(): string[] {
  const tree = makeSourceTree(120);
  try {
    const files = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return files.flatMap((file) => {
      const text = readFileSync(path.join(file.parentPath, file.name), 'utf8');
      return Array.from({ length: Math.ceil(text.length / CHUNK_CHARS) }, (_, index) =>
        text.slice(index * CHUNK_CHARS, (index + 1) * CHUNK_CHARS),
      );
    });
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

let next = 0;
/** Bulk work for so long, two calls at a time, until all of it is answered; tokens a second. */
async function slice(embedder: Embedder, ms: number): Promise<number> {
  const startedMs = performance.now();
  let tokens = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - startedMs < ms) {
      const group = Array.from({ length: GROUP_TEXTS }, () => texts[next++ % texts.length] ?? '');
      const { tokenCounts } = await embedder.embed({ texts: group, role: 'document', scope: 'code', lane: 'bulk' });
      for (const count of tokenCounts) tokens += count;
    }
  };
  await Promise.all([worker(), worker()]);
  return (tokens * 1000) / (performance.now() - startedMs);
}

/** Times of queries put to the process with all threads, until told to stop. */
async function timeQueries(signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    await sleep(Math.random() * 2 * MEAN_PAUSE_MS);
    const startedMs = performance.now();
    await one.embed({ texts: ['where are retries handled in this code'], role: 'query', scope: 'code', lane: 'query' });
    times.push(performance.now() - startedMs);
  }
  return times;
}

const quantile = (numbers: readonly number[], share: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.max(0, Math.ceil(share * numbers.length) - 1)] ?? 0;

const one = start(1);
const several = start(Number(values.sessions));
const layouts = [
  { name: 'one', embedder: one, rates: [] as number[], queryMs: [] as number[] },
  { name: 'several', embedder: several, rates: [] as number[], queryMs: [] as number[] },
] as const;
try {
  const sliceMs = Number(values.slice) * 1_000;
  // Loading and learning are no part of it.
  for (const { embedder } of layouts) await slice(embedder, sliceMs);
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    for (const layout of pair % 2 === 0 ? layouts : [...layouts].reverse()) {
      const stop = new AbortController();
      const queries = timeQueries(stop.signal);
      layout.rates.push(await slice(layout.embedder, sliceMs));
      stop.abort();
      layout.queryMs.push(...(await queries));
    }
  }
  const ratios = layouts[1].rates.map((rate, pair) => rate / (layouts[0].rates[pair] ?? NaN));
  const metrics = await Promise.all(layouts.map(({ embedder }) => embedder.metrics()));
  const report = {
    model: values.model,
    sessions: Number(values.sessions),
    ratioMedian: quantile(ratios, 0.5),
    ratios,
    layouts: layouts.map(({ name, rates, queryMs }, index) => ({
      name,
      tokensPerSecond: quantile(rates, 0.5),
      rssMb: metrics[index]?.rssMb,
      queries: queryMs.length,
      queryP50Ms: quantile(queryMs, 0.5),
      queryP99Ms: quantile(queryMs, 0.99),
    })),
  };
  if (values.json) console.log(JSON.stringify(report));
  else {
    console.table(report.layouts);
    console.log(
      `several / one: median ${report.ratioMedian.toFixed(3)} of ${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}`,
    );
  }
} finally {
  one.dispose();
  several.dispose();
  await synthetic?.remove();
}
