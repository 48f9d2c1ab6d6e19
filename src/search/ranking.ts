import type { ScorePart } from '../protocol/hit.ts';
import type { ChunkEntry, FileEntry, IndexSegment } from './chunkIndex.ts';
import { type ChunkEvidence, FILE_FEATURES, type FileEvidence, type FileFeature } from './evidence.ts';
import { RANKING_WEIGHTS, type RankingWeights } from './rankingWeights.ts';

/** A chunk in the answer, with what made its score. */
export interface RankedChunk {
  readonly segment: IndexSegment;
  readonly file: FileEntry;
  readonly chunk: ChunkEntry;
  readonly score: number;
  /** Add up to the score. */
  readonly parts: readonly ScorePart[];
}

/** Most chunks of one file in an answer. */
const CHUNKS_PER_FILE = 5;

/**
 * Orders chunks by a weighted sum of what was seen. A file is scored once; its best chunk gets that score, the next ones
 * what is left of it after a share for being worse and a share for repeating the file.
 */
export function rank(
  evidence: readonly FileEvidence[],
  limit: number,
  weights: RankingWeights = RANKING_WEIGHTS,
): RankedChunk[] {
  const scored = evidence.map((file) => ({ file, score: fileScore(file, weights) }));
  scored.sort((left, right) => right.score - left.score || (left.file.entry.path < right.file.entry.path ? -1 : 1));
  // Scores may be below zero; shares of a score are taken from how far it stands above the worst one.
  const floor = Math.min(0, scored.at(-1)?.score ?? 0);
  const ranked = scored.slice(0, limit).flatMap(({ file, score }) => rankFile(file, score, floor, weights));
  ranked.sort((left, right) => right.score - left.score);
  // Only what is in the answer is put into words: that costs more than the order.
  return ranked.slice(0, limit).map(({ file, chunk, score, repeated }) => ({
    segment: file.segment,
    file: file.entry,
    chunk: chunk.entry,
    score,
    parts: explain(file, chunk, weights, repeated),
  }));
}

interface ScoredChunk {
  readonly file: FileEvidence;
  readonly chunk: ChunkEvidence;
  readonly score: number;
  /** What of it is for a better chunk of the file, 0 or less. */
  readonly repeated: number;
}

export function fileScore({ features }: FileEvidence, weights: RankingWeights): number {
  let score = 0;
  for (const feature of FILE_FEATURES) score += weights[feature] * features[feature];
  return score;
}

/** A sum of parts as a person sees it: between 0 and 1 and in the same order, though what speaks against a hit may outweigh the rest. */
export function shownScore(sum: number): number {
  return 1 / (1 + Math.exp(-sum));
}

function rankFile(file: FileEvidence, score: number, floor: number, weights: RankingWeights): ScoredChunk[] {
  const own = (chunk: ChunkEvidence) =>
    weights.chunk.text * chunk.text +
    weights.chunk.vector * Math.max(0, chunk.vector) +
    weights.chunk.definition * chunk.definition +
    weights.rareWords * chunk.rareWords +
    weights.location * chunk.location;
  const chunks = file.chunks
    .map((chunk) => ({ chunk, own: own(chunk) }))
    .sort((left, right) => right.own - left.own || left.chunk.entry.startLine - right.chunk.entry.startLine)
    // A file found by its name alone is shown by its beginning.
    .filter(({ own: value }, place) => place === 0 || (place < CHUNKS_PER_FILE && value > 0));
  const best = Math.max(1e-9, chunks[0]?.own ?? 0);
  return chunks.map(({ chunk, own: value }, place) => {
    const kept = (value / best) * (1 - weights.sameFile) ** place;
    const repeated = place === 0 ? 0 : -(1 - kept) * (score - floor);
    return { file, chunk, score: score + repeated, repeated };
  });
}

function explain(
  file: FileEvidence,
  chunk: ChunkEvidence,
  weights: RankingWeights,
  repeated: number,
): readonly ScorePart[] {
  const parts: ScorePart[] = [];
  for (const [part, features, detail] of PARTS) {
    const value = features.reduce((sum, feature) => sum + weights[feature] * file.features[feature], 0);
    if (value !== 0) parts.push({ part, value, detail: detail(file, chunk) });
  }
  if (repeated !== 0)
    parts.push({ part: 'same-file', value: repeated, detail: 'a better chunk of this file is above' });
  return parts.sort((left, right) => Math.abs(right.value) - Math.abs(left.value));
}

type Detail = (file: FileEvidence, chunk: ChunkEvidence) => string;
const percent = (share: number) => `${Math.round(100 * share)} %`;
const always =
  (detail: string): Detail =>
  () =>
    detail;

/** Features a person sees as one part, and what was seen. */
const PARTS: readonly (readonly [part: string, features: readonly FileFeature[], detail: Detail])[] = [
  ['text', ['text'], ({ features }) => `words match ${percent(features.text)} as well as the best chunk's`],
  [
    'vector',
    ['vector'],
    ({ features }) => `meaning is at ${percent(features.vector)} between the 200th and the best chunk`,
  ],
  ['file', ['textMore', 'vectorMore'], always('other chunks of this file match too')],
  [
    'coverage',
    ['coverage'],
    ({ features }) => `the file holds ${percent(features.coverage)} of the query's words, the rare ones counting more`,
  ],
  ['written', ['writtenNames'], always('the file holds the names that the query spells out')],
  [
    'name',
    ['nameWords', 'nameShare', 'nameExact'],
    ({ entry, features }) => `${percent(features.nameShare)} of the file's name is in the query (${entry.path})`,
  ],
  ['folders', ['folderWords', 'folderShare'], always('folders hold words of the query')],
  ['lead', ['lead'], always('the path holds what the query begins with')],
  ['definition', ['definition', 'definitionWords'], ({ features }, chunk) => definitionDetail(features, chunk)],
  ['rare', ['rareWords'], always('hardly any other file holds these words')],
  ['location', ['location'], always('the query names this place')],
  ['test', ['test'], always('test code, not asked for')],
  ['example', ['example'], always('example or benchmark, not asked for')],
  ['docs', ['docs'], always('documentation, not asked for')],
  ['generated', ['generated'], always('generated or vendored, not asked for')],
  ['compat', ['compat'], always('compatibility or legacy code, not asked for')],
  ['stub', ['stub'], always('type declarations only')],
  ['data', ['data'], always('data or configuration, not asked for')],
  ['depth', ['depth'], always('deep in the folders')],
  ['recent', ['recent'], always('changed lately')],
  ['open', ['open'], always('open in an editor')],
];

function definitionDetail(features: FileEvidence['features'], chunk: ChunkEvidence): string {
  const named = chunk.entry.definitions.map(({ name }) => name);
  if (chunk.definition > 0 && named.length > 0) return `defines ${named.slice(0, 3).join(', ')}`;
  return features.definition > 0 ? 'the file defines what is named' : 'a definition is called like the query';
}
