/**
 * One embedder process with all threads against several with a share each, on bulk work, in turns, with a query now and then
 * that the process with all threads answers.
 * `node bench/layouts.ts [--model synthetic:minilm-l6] [--sessions 2] [--pairs 6] [--slice 8] [--json]`
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isSynthetic, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import type { Embedder } from '../src/server/embedder/embedder.ts';
import { embedFor, quantile, startEmbedder, timeQueries } from './embedderWork.ts';
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

const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
const folder = synthetic?.folder ?? path.resolve(values.model);
const texts = synthetic === undefined ? codeTexts() : drawnTexts();

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
const nextTexts = (): string[] => Array.from({ length: GROUP_TEXTS }, () => texts[next++ % texts.length] ?? '');
const slice = (embedder: Embedder, ms: number): Promise<number> => embedFor(embedder, nextTexts, ms);

const one = startEmbedder(folder, 1);
const several = startEmbedder(folder, Number(values.sessions));
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
      // Those of either are answered by the process with all threads.
      const queries = timeQueries(one, () => stop.signal.aborted);
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
