import type { SegmentedIndex, IndexSegment } from './chunkIndex.ts';
import { FIELDS } from './lexicalSegment.ts';
import type { QueryTerm } from './queryTerms.ts';

/**
 * BM25 over weighted fields (Robertson, Zaragoza and Taylor 2004): counts of all fields are summed by weight, then saturated
 * once. Only the body is normalised by length. On the dev split k1 from 1.2 to 2, b from 0.5 to 0.9 and half or
 * twice each field's weight all stay within ±.002 of these values.
 */
const K1 = 1.5;
const B = 0.75;
const FIELD_WEIGHTS = { definitions: 2, enclosing: 1, stem: 2, folders: 1 } as const;

export interface TermStatistics extends QueryTerm {
  /** Rarity in this folder: log(1 + (N − n + ½) / (n + ½)). */
  readonly idf: number;
}

/** Terms of a query that occur in the folder at all. */
export function termStatistics(index: SegmentedIndex, terms: readonly QueryTerm[]): TermStatistics[] {
  const total = index.chunkCount;
  return terms.flatMap(({ token, weight }) => {
    let holding = 0;
    for (const { lexical } of index.segments) holding += lexical.postings(token).documents.length;
    return holding === 0 ? [] : [{ token, weight, idf: inverseFrequency(total, holding) }];
  });
}

export function inverseFrequency(total: number, holding: number): number {
  return Math.log(1 + (total - holding + 0.5) / (holding + 0.5));
}

/** Words of an average chunk's body. */
export function averageLength(index: SegmentedIndex): number {
  let words = 0;
  for (const { lexical } of index.segments) words += lexical.totalLength;
  return words / Math.max(1, index.chunkCount);
}

/** Full-text score of every chunk of a segment. */
export function textScores(
  { lexical, chunks }: IndexSegment,
  terms: readonly TermStatistics[],
  averageWords: number,
): Float32Array {
  const scores = new Float32Array(chunks.length);
  for (const { token, weight, idf } of terms) {
    const { documents, frequencies } = lexical.postings(token);
    for (let at = 0; at < documents.length; at++) {
      const chunk = documents[at] ?? 0;
      const packed = frequencies[at] ?? 0;
      const length = 1 - B + (B * (lexical.bodyLengths[chunk] ?? 0)) / Math.max(1, averageWords);
      const count =
        ((packed >>> FIELDS.body.shift) & FIELDS.body.max) / length +
        FIELD_WEIGHTS.definitions * ((packed >>> FIELDS.definitions.shift) & FIELDS.definitions.max) +
        FIELD_WEIGHTS.enclosing * ((packed >>> FIELDS.enclosing.shift) & FIELDS.enclosing.max) +
        FIELD_WEIGHTS.stem * ((packed >>> FIELDS.stem.shift) & FIELDS.stem.max) +
        FIELD_WEIGHTS.folders * ((packed >>> FIELDS.folders.shift) & FIELDS.folders.max);
      scores[chunk] = (scores[chunk] ?? 0) + (weight * idf * count * (K1 + 1)) / (count + K1);
    }
  }
  return scores;
}
