import { resolveLanguage } from '../../../src/indexing/languages.ts';
import { ChunkIndex, type IndexableFile } from '../../../src/search/chunkIndex.ts';
import { type EvidenceRequest, collectEvidence } from '../../../src/search/evidence.ts';
import { type RankedChunk, rank } from '../../../src/search/ranking.ts';
import { parseQuery } from '../../../src/search/searchQuery.ts';

export const DIMENSION = 4;
const SHAPE = { dimensions: { code: DIMENSION, docs: DIMENSION }, hasOneSpace: true };

interface ChunkSketch {
  readonly text: string;
  readonly symbol?: string;
  readonly definitions?: readonly string[];
  readonly enclosing?: readonly string[];
  readonly vector?: readonly number[];
}

/** A file of chunks of ten lines each. */
export function file(path: string, ...chunks: readonly (string | ChunkSketch)[]): IndexableFile {
  return {
    path,
    scope: path.endsWith('.md') ? 'docs' : 'code',
    language: path.endsWith('.md') ? 'markdown' : 'typescript',
    chunks: chunks.map((chunk, ordinal) => {
      const sketch = typeof chunk === 'string' ? { text: chunk } : chunk;
      return {
        id: `${path}#${ordinal}`,
        startLine: 10 * ordinal + 1,
        endLine: 10 * ordinal + 10,
        text: sketch.text,
        symbol: sketch.symbol ?? '',
        definitions: sketch.definitions ?? [],
        enclosing: sketch.enclosing ?? [],
        vector: sketch.vector === undefined ? null : Float32Array.from(sketch.vector),
      };
    }),
  };
}

export function indexOf(...files: readonly IndexableFile[]): ChunkIndex {
  const index = new ChunkIndex(SHAPE);
  index.add(files);
  return index;
}

export function search(
  index: ChunkIndex,
  query: string,
  options: Partial<EvidenceRequest> & { readonly limit?: number } = {},
): RankedChunk[] {
  const evidence = collectEvidence({
    index,
    query: parseQuery(query, resolveLanguage),
    vectors: { code: null, docs: null },
    acceptsFile: () => true,
    acceptsChunk: () => true,
    recencyOf: () => 0,
    openPaths: [],
    ...options,
  });
  return rank(evidence, options.limit ?? 10);
}

export const pathsOf = (hits: readonly RankedChunk[]) => hits.map((hit) => hit.file.path);
