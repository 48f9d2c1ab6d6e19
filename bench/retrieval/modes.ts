/**
 * The benchmark's dev split in both of its ways of counting, by chunks (as published) and by files: full text alone, vectors alone, both added,
 * and the whole ranking, with the 95 % interval of the ranking's lead over each.
 *
 * `node bench/retrieval/modes.ts --bench DIR --checkouts DIR [--model DIR] [--cache DIR]`
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/cli/packagePlaces.ts';
import { BUNDLED_MODEL } from '../../src/protocol/embedder.ts';
import type { ChunkEvidence, FileEvidence } from '../../src/search/evidence.ts';
import { rank } from '../../src/search/ranking.ts';
import { RANKING_WEIGHTS } from '../../src/search/rankingWeights.ts';
import { Corpora } from './corpus.ts';
import { type Observation, observe } from './observations.ts';
import { benchmarkSets } from './questions.ts';
import { bootstrapInterval, mean } from './score.ts';

const { values } = parseArgs({
  options: {
    bench: { type: 'string' },
    checkouts: { type: 'string' },
    model: { type: 'string', default: path.join(packageRoot(), 'models', BUNDLED_MODEL) },
    cache: { type: 'string' },
  },
});
if (values.bench === undefined || values.checkouts === undefined) {
  console.error('usage: modes.ts --bench DIR --checkouts DIR [--model DIR] [--cache DIR]');
  process.exit(2);
}

interface Place {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
}

const RESULTS = 50;
const { text, vector } = RANKING_WEIGHTS;
const METHODS: Readonly<Record<string, (evidence: readonly FileEvidence[]) => Place[]>> = {
  'full text alone': chunksBy((chunk) => chunk.text),
  'vectors alone': chunksBy((chunk) => chunk.vector),
  'full text + vectors': chunksBy((chunk) => text * chunk.text + vector * chunk.vector),
  ranking: (evidence) =>
    rank(evidence, RESULTS).map(({ file, chunk: { startLine, endLine } }) => ({ path: file.path, startLine, endLine })),
};

const corpora = new Corpora({ model: values.model, cacheDir: values.cache ?? null });
/** By slice, mode and method: what the questions of each unit scored. Units are repositories, for commits questions. */
const scores = new Map<string, Map<string, number[]>>();
for await (const observation of observe(corpora, benchmarkSets(values.bench, values.checkouts))) {
  const { set, repository, question, evidence } = observation;
  const slice = set === 'commits' ? question.category : set;
  const unit = set === 'commits' ? question.id : repository;
  for (const [method, placesOf] of Object.entries(METHODS)) {
    const places = placesOf(evidence);
    for (const mode of ['chunk', 'file'] as const) {
      const own = scores.get(`${slice}\t${mode}\t${method}`) ?? new Map<string, number[]>();
      scores.set(`${slice}\t${mode}\t${method}`, own);
      own.set(unit, [...(own.get(unit) ?? []), ndcg(observation, places, mode)]);
    }
  }
}
corpora.dispose();
for (const [key, own] of scores) {
  const [slice = '', mode = '', method = ''] = key.split('\t');
  const units = [...own.values()].map(mean);
  const best = [...(scores.get(`${slice}\t${mode}\tranking`)?.values() ?? [])].map(mean);
  const [low, high] = bootstrapInterval(units.map((value, at) => (best[at] ?? 0) - value));
  const lead = method === 'ranking' ? '' : `  ranking leads by [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  console.log(`${slice.padEnd(20)}${mode.padEnd(7)}${method.padEnd(22)}${mean(units).toFixed(4)}${lead}`);
}
process.exit(0);

function chunksBy(score: (chunk: ChunkEvidence) => number) {
  return (evidence: readonly FileEvidence[]): Place[] =>
    evidence
      .flatMap(({ entry, chunks }) => chunks.map((chunk) => ({ path: entry.path, chunk, score: score(chunk) })))
      .sort((left, right) => right.score - left.score)
      .slice(0, RESULTS)
      .map(({ path: file, chunk }) => ({ path: file, startLine: chunk.entry.startLine, endLine: chunk.entry.endLine }));
}

/** NDCG@10 as the benchmark counts it: a target with lines needs a chunk that touches them, but not by files. */
function ndcg({ root, question }: Observation, places: readonly Place[], mode: 'chunk' | 'file'): number {
  const seen = new Set<string>();
  const kept = places.filter(({ path: file }) => mode === 'chunk' || (!seen.has(file) && seen.add(file))).slice(0, 10);
  const ranks = question.targets.map(({ path: target, startLine, endLine }) =>
    kept.findIndex((place) => {
      const full = root === '' ? place.path : `${root}/${place.path}`;
      if (full !== target && !full.endsWith(`/${target}`)) return false;
      const hasLines = mode === 'chunk' && startLine !== undefined && endLine !== undefined;
      return !hasLines || (place.endLine >= startLine && place.startLine <= endLine);
    }),
  );
  const gain = (place: number) => 1 / Math.log2(place + 2);
  const found = [...new Set(ranks)].reduce((sum, place) => sum + (place < 0 ? 0 : gain(place)), 0);
  let ideal = 0;
  for (let place = 0; place < Math.min(10, question.targets.length); place++) ideal += gain(place);
  return ideal === 0 ? 0 : found / ideal;
}
