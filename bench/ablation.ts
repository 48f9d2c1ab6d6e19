/**
 * What each part of the ranking is worth: the three sets of the benchmark with all parts, without each one, and some parts alone,
 * as differences with 95 % bootstrap intervals over repositories (over questions for commits, which have five repositories).
 *
 * `node bench/ablation.ts --bench DIR --checkouts DIR [--model DIR] [--cache DIR] [--fit QUESTIONS.json] [--json]`
 *
 * With `--fit`, it also fits the weights on questions of other repositories (made by `retrieval/fitQuestions.ts`), reports the
 * fitted weights, and shows what the variants score on those questions. Neither the benchmark nor the bundled model's training
 * may have seen those repositories: vectors would look better than they are.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/cli/packagePlaces.ts';
import { BUNDLED_MODEL } from '../src/protocol/embedder.ts';
import { FILE_FEATURES, type FileFeature } from '../src/search/evidence.ts';
import { RANKING_WEIGHTS } from '../src/search/rankingWeights.ts';
import { Corpora } from './retrieval/corpus.ts';
import { featureTables } from './retrieval/featureTables.ts';
import {
  type FeatureTable,
  type Weights,
  fitWeights,
  meanOverRepositories,
  ndcgOf,
  repositoryMeans,
} from './retrieval/linearFit.ts';
import { benchmarkSets, questionSetsIn } from './retrieval/questions.ts';
import { bootstrapInterval, mean } from './retrieval/score.ts';

const { values } = parseArgs({
  options: {
    bench: { type: 'string' },
    checkouts: { type: 'string' },
    model: { type: 'string', default: path.join(packageRoot(), 'models', BUNDLED_MODEL) },
    cache: { type: 'string' },
    fit: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (values.bench === undefined || values.checkouts === undefined) {
  console.error('usage: ablation.ts --bench DIR --checkouts DIR [--model DIR] [--cache DIR] [--fit FILE] [--json]');
  process.exit(2);
}

const NO_VECTORS = { vector: 0, vectorMore: 0 };
const GROUPS: Readonly<Record<string, readonly FileFeature[]>> = {
  'full text': ['text'],
  'other chunks of the file': ['textMore', 'vectorMore'],
  vectors: ['vector', 'vectorMore'],
  'words anywhere in the file': ['coverage'],
  'names spelled out, anywhere in the file': ['writtenNames'],
  'words nobody else has': ['rareWords'],
  'file name': ['nameWords', 'nameShare', 'nameExact'],
  folders: ['folderWords', 'folderShare'],
  'what the question begins with': ['lead'],
  definitions: ['definition', 'definitionWords'],
  tests: ['test'],
  'examples, benchmarks': ['example'],
  documentation: ['docs'],
  'generated, vendored': ['generated'],
  'compat, legacy': ['compat'],
  'type stubs': ['stub'],
  'data, configuration': ['data'],
  'depth of folders': ['depth'],
};

interface Slice {
  readonly name: string;
  readonly tables: readonly FeatureTable[];
  /** What is drawn in the bootstrap. */
  readonly unit: 'repository' | 'question';
}

interface Result {
  readonly variant: string;
  readonly slice: string;
  readonly ndcg: number;
  /** Against all parts. */
  readonly difference: number;
  readonly interval: readonly [number, number];
}

const corpora = new Corpora({ model: values.model, cacheDir: values.cache ?? null });
const tables = await featureTables(corpora, benchmarkSets(values.bench, values.checkouts));
const others = values.fit === undefined ? [] : await featureTables(corpora, questionSetsIn(values.fit));
const ofSet = (set: string) => tables.filter((table) => table.set === set);
const byCategory = (of: readonly FeatureTable[], wanted: string) => of.filter(({ category }) => category === wanted);
const slices: readonly Slice[] = [
  { name: 'annotations', tables: ofSet('annotations'), unit: 'repository' },
  { name: 'annotations-full', tables: ofSet('annotations-full'), unit: 'repository' },
  { name: 'commit-unnamed', tables: byCategory(tables, 'commit-unnamed'), unit: 'question' },
  { name: 'commit-names-file', tables: byCategory(tables, 'commit-names-file'), unit: 'question' },
  ...(values.fit === undefined
    ? []
    : ([
        { name: 'fit unnamed', tables: byCategory(others, 'commit-unnamed'), unit: 'question' },
        { name: 'fit names-file', tables: byCategory(others, 'commit-names-file'), unit: 'question' },
      ] as const)),
];

const results: Result[] = [];
const all: Weights = RANKING_WEIGHTS;
compare('full text alone', { text: 1 });
compare('vectors alone', { vector: 1 });
compare('full text + vectors', { text: all.text ?? 1, vector: all.vector ?? 0 });
compare('ranking without vectors', { ...all, ...NO_VECTORS });
compare('all parts', all);
for (const [name, features] of Object.entries(GROUPS)) {
  compare(`without ${name}`, { ...all, ...Object.fromEntries(features.map((feature) => [feature, 0])) });
}

let fitted: Weights | null = null;
if (values.fit !== undefined) {
  const skipped: readonly FileFeature[] = ['location', 'recent', 'open', 'rareWords', 'nameWords'];
  fitted = fitWeights(
    others,
    FILE_FEATURES.filter((feature) => !skipped.includes(feature)),
  );
  compare('weights as fitted on other repositories', fitted);
}
corpora.dispose();
if (values.json) console.log(JSON.stringify({ results, fitted }));
else print();
process.exit(0);

function compare(variant: string, weights: Weights): void {
  for (const { name, tables: own, unit } of slices) {
    const ndcg = (table: FeatureTable) => ndcgOf(table, weights);
    const base = (table: FeatureTable) => ndcgOf(table, all);
    const byUnit =
      unit === 'question'
        ? own.map((table) => ndcg(table) - base(table))
        : [...repositoryMeans(own, (table) => ndcg(table) - base(table)).values()];
    results.push({
      variant,
      slice: name,
      ndcg: unit === 'question' ? mean(own.map(ndcg)) : meanOverRepositories(own, ndcg),
      difference: mean(byUnit),
      interval: bootstrapInterval(byUnit),
    });
  }
}

function print(): void {
  console.log('NDCG@10 by files (first chunk of each); in brackets the 95 % interval of the difference to all parts.');
  const width = 42;
  console.log(''.padEnd(width) + slices.map(({ name }) => name.padEnd(26)).join(''));
  for (const [variant, own] of Map.groupBy(results, (result) => result.variant)) {
    const cells = own.map(({ ndcg, interval: [low, high] }) =>
      `${ndcg.toFixed(4)} [${signed(low)}, ${signed(high)}]`.padEnd(26),
    );
    console.log(variant.padEnd(width) + cells.join(''));
  }
  if (fitted !== null) {
    console.log('\nfitted on other repositories, text = 1:');
    for (const [feature, weight] of Object.entries(fitted)) console.log(`  ${feature.padEnd(18)}${weight.toFixed(2)}`);
  }
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}
