import { NO_FILTERS } from '../protocol/hit.ts';
import type { SegmentedIndex } from './chunkIndex.ts';
import { forEachToken } from './identifierTokens.ts';
import type { SearchQuery } from './searchQuery.ts';
import { termStatistics } from './textScores.ts';

/** Words compared: the rest of a long text adds noise and time. */
const TERMS = 40;

/**
 * A query that finds code like a text: its most telling words, by how often they occur in it and, where the index is known,
 * how rare they are there.
 */
export function similarityQuery(text: string, index?: SegmentedIndex): SearchQuery {
  const counts = new Map<string, number>();
  forEachToken(text, (token) => counts.set(token, (counts.get(token) ?? 0) + 1));
  const counted = [...counts].map(([token, count]) => ({ token, weight: count / (count + 1) }));
  const known = index === undefined ? counted.map((term) => ({ ...term, idf: 1 })) : termStatistics(index, counted);
  const telling = known
    .sort((left, right) => right.weight * right.idf - left.weight * left.idf)
    .slice(0, TERMS)
    .map(({ token, weight }) => ({ token, weight }));
  return {
    text,
    filters: NO_FILTERS,
    phrases: [],
    withoutWords: [],
    symbols: [],
    kind: 'text',
    locations: [],
    terms: telling,
    words: [],
    written: [],
    pieces: [],
    names: new Map(),
    lead: new Set(),
  };
}
