import { FILE_FEATURES, type FileFeature } from '../../src/search/evidence.ts';
import { mean } from './score.ts';

/** One question's candidates as numbers: row-major files × features, and which targets each file answers (bits). */
export interface FeatureTable {
  readonly set: string;
  readonly repository: string;
  readonly category: string;
  readonly files: number;
  readonly features: Float32Array;
  readonly relevant: Uint32Array;
  readonly targets: number;
}

export type Weights = Readonly<Partial<Record<FileFeature, number>>>;

const WIDTH = FILE_FEATURES.length;
const ITERATIONS = 150;
const RATE = 0.15;
/** Keeps weights that hardly matter near zero. */
const PENALTY = 1e-3;

/** NDCG@10 of the files ordered by the weighted sum. */
export function ndcgOf(table: FeatureTable, weights: Weights): number {
  const vector = FILE_FEATURES.map((feature) => weights[feature] ?? 0);
  const scores = Array.from({ length: table.files }, (_, file) => dot(table.features, file * WIDTH, vector));
  const order = scores.map((_, file) => file).sort((left, right) => (scores[right] ?? 0) - (scores[left] ?? 0));
  let found = 0;
  let seen = 0;
  order.slice(0, 10).forEach((file, rank) => {
    const fresh = (table.relevant[file] ?? 0) & ~seen;
    if (fresh === 0) return;
    seen |= fresh;
    found += 1 / Math.log2(rank + 2);
  });
  let ideal = 0;
  for (let rank = 0; rank < Math.min(10, table.targets); rank++) ideal += 1 / Math.log2(rank + 2);
  return ideal === 0 ? 0 : found / ideal;
}

/** Mean over repositories of the mean over questions, as the benchmark counts. */
export function meanOverRepositories(tables: readonly FeatureTable[], value: (table: FeatureTable) => number): number {
  return mean([...repositoryMeans(tables, value).values()]);
}

export function repositoryMeans(
  tables: readonly FeatureTable[],
  value: (table: FeatureTable) => number,
): Map<string, number> {
  const byRepository = Map.groupBy(tables, (table) => table.repository);
  return new Map([...byRepository].map(([repository, own]) => [repository, mean(own.map(value))]));
}

/**
 * Weights under which the right files are most likely the first (softmax over a question's candidates, the log-likelihood
 * is concave), by Adam; scaled so that `text` weighs 1. Each category of questions counts the same, whatever its number.
 */
export function fitWeights(tables: readonly FeatureTable[], free: readonly FileFeature[]): Weights {
  const columns = free.map((feature) => FILE_FEATURES.indexOf(feature));
  const usable = tables.filter(({ relevant }) => relevant.some((bits) => bits !== 0));
  const shares = categoryShares(usable);
  const weights = new Float64Array(free.length);
  weights[free.indexOf('text')] = 4;
  const first = new Float64Array(free.length);
  const second = new Float64Array(free.length);
  for (let step = 1; step <= ITERATIONS; step++) {
    const gradient = gradientOf(usable, columns, weights, shares);
    for (let at = 0; at < weights.length; at++) {
      const slope = (gradient[at] ?? 0) - PENALTY * (weights[at] ?? 0);
      first[at] = 0.9 * (first[at] ?? 0) + 0.1 * slope;
      second[at] = 0.999 * (second[at] ?? 0) + 0.001 * slope * slope;
      const move = (first[at] ?? 0) / (1 - 0.9 ** step) / (Math.sqrt((second[at] ?? 0) / (1 - 0.999 ** step)) + 1e-8);
      weights[at] = (weights[at] ?? 0) + RATE * move;
    }
  }
  const scale = Math.abs(weights[free.indexOf('text')] ?? 1);
  return Object.fromEntries(free.map((feature, at) => [feature, (weights[at] ?? 0) / scale]));
}

/** What one question of each category counts; all questions together count 1. */
function categoryShares(tables: readonly FeatureTable[]): ReadonlyMap<string, number> {
  const byCategory = Map.groupBy(tables, ({ category }) => category);
  return new Map([...byCategory].map(([category, own]) => [category, 1 / (byCategory.size * own.length)]));
}

function gradientOf(
  tables: readonly FeatureTable[],
  columns: readonly number[],
  weights: Float64Array,
  shares: ReadonlyMap<string, number>,
): Float64Array {
  const gradient = new Float64Array(columns.length);
  for (const { category, files, features, relevant } of tables) {
    const share = shares.get(category) ?? 0;
    const scores = new Float64Array(files);
    let highest = -Infinity;
    for (let file = 0; file < files; file++) {
      let sum = 0;
      for (let at = 0; at < columns.length; at++) {
        sum += (weights[at] ?? 0) * (features[file * WIDTH + (columns[at] ?? 0)] ?? 0);
      }
      scores[file] = sum;
      highest = Math.max(highest, sum);
    }
    let all = 0;
    let right = 0;
    for (let file = 0; file < files; file++) {
      const likelihood = Math.exp((scores[file] ?? 0) - highest);
      scores[file] = likelihood;
      all += likelihood;
      if (relevant[file] !== 0) right += likelihood;
    }
    for (let file = 0; file < files; file++) {
      const likelihood = scores[file] ?? 0;
      const pull = share * ((relevant[file] === 0 ? 0 : likelihood / right) - likelihood / all);
      for (let at = 0; at < columns.length; at++) {
        gradient[at] = (gradient[at] ?? 0) + pull * (features[file * WIDTH + (columns[at] ?? 0)] ?? 0);
      }
    }
  }
  return gradient;
}

function dot(features: Float32Array, from: number, vector: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += (vector[at] ?? 0) * (features[from + at] ?? 0);
  return sum;
}
