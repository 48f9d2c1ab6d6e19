import { TesseraError } from '../base/errors.ts';
import type { ChunkEntry, FileEntry, IndexSegment, SegmentedIndex } from './chunkIndex.ts';
import type { Scope } from '../protocol/scope.ts';
import { type PathTrait, asksFor } from './pathTraits.ts';
import { QueryWords } from './queryWords.ts';
import type { SearchQuery } from './searchQuery.ts';
import { stem } from './stemming.ts';
import { Highest } from './highest.ts';
import { averageLength, termStatistics, textScores } from './textScores.ts';
import { topScores } from './topScores.ts';
import { WordCoverage, WordHolders } from './wordHolders.ts';

/** What was seen about one chunk. */
export interface ChunkEvidence {
  readonly entry: ChunkEntry;
  /** Full-text score as a share of the best one of this query, 0 to 1. */
  readonly text: number;
  /** Similarity, 1 for the best chunk of this query, 0 for the 200th; below 0 for worse ones. 0 without vectors. */
  readonly vector: number;
  /** How likely the query names a definition that starts here, 0 to 1. */
  readonly definition: number;
  /** Share of the query's weight on words that hardly any other file holds, 0 to 1. */
  readonly rareWords: number;
  /** A place of the query lies in this chunk: 1 for the first one of the query, less for later ones. */
  readonly location: number;
}

/** What was seen about one file: numbers from 0 to about 1, by the part of the ranking that weighs them. */
export const FILE_FEATURES = [
  'text',
  'textMore',
  'vector',
  'vectorMore',
  'coverage',
  'writtenNames',
  'nameWords',
  'nameShare',
  'nameExact',
  'folderWords',
  'folderShare',
  'lead',
  'definition',
  'definitionWords',
  'rareWords',
  'location',
  'test',
  'example',
  'docs',
  'generated',
  'compat',
  'stub',
  'data',
  'depth',
  'recent',
  'open',
] as const;
export type FileFeature = (typeof FILE_FEATURES)[number];

export interface FileEvidence {
  readonly segment: IndexSegment;
  readonly entry: FileEntry;
  /** The file's first one and those that matched at all, in the file's order. */
  readonly chunks: readonly ChunkEvidence[];
  readonly features: Readonly<Record<FileFeature, number>>;
}

export interface EvidenceRequest {
  readonly index: SegmentedIndex;
  readonly query: SearchQuery;
  /** The query's embedding by each scope's model, unit length; null searches by words alone. */
  readonly vectors: Readonly<Record<Scope, Float32Array | null>>;
  readonly acceptsFile: (file: FileEntry, segment: IndexSegment) => boolean;
  readonly acceptsChunk: (chunk: ChunkEntry, number: number, segment: IndexSegment) => boolean;
  /** How lately a file was changed, 0 to 1. */
  readonly recencyOf: (path: string, segment: IndexSegment) => number;
  /** Open in an editor, most recently used first. */
  readonly openPaths: readonly string[];
}

/** Candidates by words, by vector, and by name: more changes nothing measurable on the dev split. */
const TEXT_CANDIDATES = 300;
const VECTOR_CANDIDATES = 200;
const NAME_CANDIDATES = 200;
/** Vectors of a file that say how much of it is about the query. */
const BEST_VECTORS = 5;
/** Chunks of a file whose words say it. */
const TEXTS_COUNTED = 4;
/** A name less likely than this makes no file a candidate on its own. */
const NAME_LIKELIHOOD = 0.7;

interface SegmentScores {
  readonly segment: IndexSegment;
  readonly acceptsFile: (file: number) => boolean;
  readonly accepts: (chunk: number) => boolean;
  readonly text: Float32Array;
  readonly vector: Float32Array | null;
  readonly candidates: Set<number>;
}

/** Gathers what speaks for and against every file that may answer the query. */
export function collectEvidence(request: EvidenceRequest): FileEvidence[] {
  const { index, query } = request;
  const terms = termStatistics(index, query.terms);
  const average = averageLength(index);
  const scored = index.segments.map((segment) => scoreSegment(request, segment, terms, average));
  const byText = bestOf(scored, ({ text }) => text, TEXT_CANDIDATES, 0);
  const bestText = Math.max(1e-9, byText[0]?.score ?? 0);
  const scales = { code: vectorScale(scored, 'code'), docs: vectorScale(scored, 'docs') };
  const words = new QueryWords(query, terms, index.chunkCount);
  const accepting = new Map(scored.map(({ segment, acceptsFile }) => [segment, acceptsFile]));
  const wholeWords = termStatistics(index, query.words);
  const holders = new WordHolders(
    wholeWords,
    index.segments,
    (file, segment) => accepting.get(segment)?.(file) === true,
  );
  const coverage = new WordCoverage(wholeWords, index.segments);
  const written = new WordCoverage(termStatistics(index, query.written), index.segments);
  return scored.flatMap((scores) => {
    const files = new Set<number>();
    for (const chunk of scores.candidates) files.add(scores.segment.lexical.files[chunk] ?? 0);
    return [...files].map((file) =>
      fileEvidence(request, scores, file, {
        words,
        holders,
        coverage,
        written,
        bestText,
        scale: scales[scores.segment.space],
      }),
    );
  });
}

function scoreSegment(
  { query, vectors, acceptsFile, acceptsChunk }: EvidenceRequest,
  segment: IndexSegment,
  terms: ReturnType<typeof termStatistics>,
  average: number,
): SegmentScores {
  const { lexical } = segment;
  const passes = onceForEach(segment.files.length, (number) => {
    const file = segment.files[number];
    return file !== undefined && !segment.gone.has(number) && acceptsFile(file, segment);
  });
  const accepts = (number: number) => {
    const entry = segment.chunks[number];
    return entry !== undefined && passes(lexical.files[number] ?? 0) && acceptsChunk(entry, number, segment);
  };
  const text = textScores(segment, terms, average);
  const vector = vectors[segment.space];
  const similarities = vector === null ? null : (segment.vectors?.similarities(vector) ?? null);
  const candidates = new Set<number>();
  for (const [name, likelihood] of query.names) {
    if (likelihood < NAME_LIKELIHOOD) continue;
    for (const chunk of lexical.named(stem(name)).filter(accepts).slice(0, NAME_CANDIDATES)) candidates.add(chunk);
  }
  for (const { path } of query.locations) {
    segment.files.forEach((file, number) => {
      if (!endsWithPath(file.path, path)) return;
      const { from, to } = segment.chunksOf(number);
      for (let chunk = from; chunk < to; chunk++) if (accepts(chunk)) candidates.add(chunk);
    });
  }
  return { segment, acceptsFile: passes, accepts, text, vector: similarities, candidates };
}

/** A test of numbers below `count` that is made when its answer is first wanted: most files come near no query. */
function onceForEach(count: number, test: (number: number) => boolean): (number: number) => boolean {
  const verdicts = new Uint8Array(count);
  return (number) => {
    const known = verdicts[number] ?? 0;
    if (known !== 0) return known === 1;
    const passes = test(number);
    verdicts[number] = passes ? 1 : 2;
    return passes;
  };
}

interface BestChunk {
  readonly scores: SegmentScores;
  readonly chunk: number;
  readonly score: number;
}

/** The best chunks of all segments by one score, best first; they become candidates. */
function bestOf(
  scored: readonly SegmentScores[],
  values: (scores: SegmentScores) => Float32Array | null,
  limit: number,
  floor: number,
): BestChunk[] {
  let best: BestChunk[] = [];
  for (const scores of scored) {
    const own = values(scores);
    if (own === null) continue;
    // What the segments before have better need not be gathered.
    const least = best.length < limit ? floor : (best.at(-1)?.score ?? floor);
    const found = topScores(own, limit, least, scores.accepts);
    if (found.length === 0) continue;
    best = [...best, ...found.map((chunk) => ({ scores, chunk, score: own[chunk] ?? 0 }))]
      .sort((left, right) => right.score - left.score)
      .slice(0, limit);
  }
  for (const { scores, chunk } of best) scores.candidates.add(chunk);
  return best;
}

/** Similarity of the best and of the 200th chunk of the query: what 1 and 0 stand for. */
interface VectorScale {
  readonly best: number;
  readonly last: number;
}

/** Similarities of different models say nothing about each other: each space has a scale of its own. */
function vectorScale(scored: readonly SegmentScores[], space: Scope): VectorScale {
  const own = scored.filter(({ segment }) => segment.space === space);
  const top = bestOf(own, ({ vector }) => vector, VECTOR_CANDIDATES, -1);
  return { best: top[0]?.score ?? 1, last: top.at(-1)?.score ?? 0 };
}

/** What is known of the query and the folder before any file is looked at. */
interface QueryEvidence {
  readonly words: QueryWords;
  readonly holders: WordHolders;
  readonly coverage: WordCoverage;
  readonly written: WordCoverage;
  readonly bestText: number;
  readonly scale: VectorScale;
}

function fileEvidence(
  { query, recencyOf, openPaths }: EvidenceRequest,
  { segment, accepts, text, vector }: SegmentScores,
  file: number,
  { words, holders, coverage, written, bestText, scale }: QueryEvidence,
): FileEvidence {
  const entry = segment.files[file];
  if (entry === undefined) throw new TesseraError('internal', `The segment has no file ${file}.`);
  const { from, to } = segment.chunksOf(file);
  const chunks: ChunkEvidence[] = [];
  const texts = new Highest(TEXTS_COUNTED);
  const vectors = new Highest(BEST_VECTORS);
  let definition = 0;
  let definitionWords = 0;
  let location = 0;
  for (let number = from; number < to; number++) {
    const chunk = segment.chunks[number];
    if (chunk === undefined || !accepts(number)) continue;
    let own = 0;
    for (const name of chunk.definitions) {
      own = Math.max(own, words.likelihood(name.collapsed));
      definitionWords = Math.max(definitionWords, words.agreement(name.pieces));
    }
    const similarity = vector?.[number] ?? -1;
    const seen: ChunkEvidence = {
      entry: chunk,
      text: (text[number] ?? 0) / bestText,
      vector: similarity <= -1 ? 0 : Math.max(-0.5, (similarity - scale.last) / (scale.best - scale.last + 1e-9)),
      definition: own,
      rareWords: holders.rareShare(chunk),
      location: query.locations.length === 0 ? 0 : locationOf(query, entry.path, chunk),
    };
    definition = Math.max(definition, own);
    location = Math.max(location, seen.location);
    texts.take(seen.text);
    vectors.take(seen.vector);
    // A file found by its name alone is shown by its beginning.
    if (chunks.length === 0 || hasMatched(seen)) chunks.push(seen);
  }
  const matched = words.covered(entry.stem.pieces);
  const folders = words.covered([...entry.folderWords]);
  // A word that only tests hold asks for tests as much as the word “test” does.
  const flag = (trait: PathTrait) =>
    entry.traits.has(trait) && !asksFor(trait, query.text) ? 1 - holders.shareOnlyIn(trait, entry) : 0;
  const openRank = openPaths.indexOf(entry.path);
  return {
    segment,
    entry,
    chunks,
    features: {
      text: texts.at(0),
      textMore: 0.6 * texts.at(1) + 0.3 * texts.at(2) + 0.1 * texts.at(3),
      vector: vectors.at(0),
      vectorMore: vectors.sumAboveZero / BEST_VECTORS,
      coverage: coverage.of(file, segment),
      writtenNames: written.of(file, segment),
      nameWords: matched.weight,
      nameShare: matched.share,
      nameExact: words.likelihood(entry.stem.collapsed),
      folderWords: folders.weight,
      folderShare: folders.share,
      lead: shareIn(query.lead, entry),
      definition,
      definitionWords,
      rareWords: holders.rareShare(entry),
      location,
      test: flag('test'),
      example: flag('example'),
      docs: flag('docs'),
      generated: flag('generated'),
      compat: flag('compat'),
      stub: flag('stub'),
      data: flag('data'),
      depth: entry.folderWords.size / 10,
      recent: recencyOf(entry.path, segment),
      open: openRank < 0 ? 0 : 1 / (1 + openRank),
    },
  };
}

function hasMatched({ text, vector, definition, rareWords, location }: ChunkEvidence): boolean {
  return text > 0 || vector > 0 || definition > 0 || rareWords > 0 || location > 0;
}

/** Share of the query's lead that the path holds. */
function shareIn(lead: ReadonlySet<string>, { stem: name, folderWords }: FileEntry): number {
  let held = 0;
  for (const piece of lead) if (folderWords.has(piece) || name.pieces.includes(piece)) held++;
  return lead.size === 0 ? 0 : held / lead.size;
}

function locationOf(query: SearchQuery, path: string, chunk: ChunkEntry): number {
  const at = query.locations.findIndex(
    (place) => endsWithPath(path, place.path) && place.line >= chunk.startLine && place.line <= chunk.endLine,
  );
  return at < 0 ? 0 : 1 / (1 + at / 4);
}

/** Whether one path ends with the other: a trace holds absolute paths of another machine, a person types the file's name. */
function endsWithPath(path: string, named: string): boolean {
  return path === named || path.endsWith(`/${named}`) || named.endsWith(`/${path}`);
}
