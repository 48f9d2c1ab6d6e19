import { ChunkIndex, type VectorShape } from '../../search/chunkIndex.ts';
import type { SearchQuery } from '../../search/searchQuery.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import type { SearchFilters } from '../../protocol/hit.ts';
import type { ChunkReader, ChunkRow } from '../store/chunkStore.ts';
import { indexableFiles } from './memoryIndex.ts';

const TEXT_CANDIDATES = 200;
const VECTOR_CANDIDATES = 200;
const NAME_CANDIDATES = 50;
/** Files whose chunks are read in full: the ranking looks at a file's other chunks too. */
const FILES = 120;

export interface CandidateRequest {
  readonly reader: ChunkReader;
  readonly shape: VectorShape;
  readonly query: SearchQuery;
  readonly vectors: Readonly<Record<Scope, Float32Array | null>>;
  readonly filters: SearchFilters;
}

/**
 * An index of the files most likely to answer one query, found by the table's own full-text and vector search: for folders
 * too large to hold in memory. What is rare is then judged among the candidates, so that the order is a little worse.
 */
export async function candidateIndex({
  reader,
  shape,
  query,
  vectors,
  filters,
}: CandidateRequest): Promise<ChunkIndex> {
  const tokens = query.terms.map(({ token }) => token);
  const names = [...new Set([...query.text.matchAll(/[\p{L}\p{N}_$]+/gu)].map(([name]) => name))];
  const nearest = SCOPES.flatMap((scope) => {
    const vector = vectors[scope];
    if (vector === null || shape.dimensions[scope] === 0) return [];
    const own = shape.hasOneSpace ? filters : { ...filters, scope };
    const isAsked = shape.hasOneSpace || filters.scope === 'all' || filters.scope === scope;
    return isAsked ? [reader.nearest({ vector, limit: VECTOR_CANDIDATES, filters: own })] : [];
  });
  const lists: readonly (readonly ChunkRow[])[] = await Promise.all([
    reader.defining({ names, limit: NAME_CANDIDATES, filters }),
    reader.matching({ tokens, limit: TEXT_CANDIDATES, filters }),
    ...nearest,
  ]);
  const paths = firstPaths(lists, FILES);
  const index = new ChunkIndex(shape);
  index.add(indexableFiles(await reader.chunksWithVectors(paths)));
  return index;
}

/** The paths that come first in the lists, one list after the other at each place. */
function firstPaths(lists: readonly (readonly ChunkRow[])[], limit: number): string[] {
  const paths = new Set<string>();
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let place = 0; place < longest; place++) {
    for (const list of lists) {
      const row = list[place];
      if (row !== undefined && paths.size < limit) paths.add(row.path);
    }
  }
  return [...paths];
}
