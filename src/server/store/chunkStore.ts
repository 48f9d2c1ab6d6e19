import type { CancellationSignal } from '../../base/cancellation.ts';
import type { Chunk } from '../../indexing/document.ts';
import type { SearchFilters } from '../../protocol/hit.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { SkipReason } from '../../protocol/server.ts';
import type { VectorSpaces } from './vectorSpaces.ts';

/**
 * What the index knows about one file of the folder, indexed or skipped. It is a row of the chunk table itself (ordinal −1, no
 * vector, no search text), written in the same commit as the file's chunks, so "what is indexed" has one source of truth;
 * a file without chunks (skipped, empty) is this row alone.
 */
export interface FileRecord {
  /** Relative to the indexed folder, with `/`. */
  readonly path: string;
  /** Hash of the file's bytes; empty when it was skipped without reading it. */
  readonly fileHash: string;
  readonly sizeBytes: number;
  /** Modification time in milliseconds since the epoch, as `stat` gave it. */
  readonly mtimeMs: number;
  /** Time of the last change of anything about the file, like `mtimeMs`. */
  readonly ctimeMs: number;
  readonly scope: Scope;
  readonly language: string;
  readonly lines: number;
  readonly chunks: number;
  /** Null when the whole file is indexed. A quarantined text leaves its file's other chunks indexed. */
  readonly skipped: { readonly reason: SkipReason; readonly detail: string } | null;
}

/** A chunk as it is written. The vector is null when its text could not be embedded (it can still be found by its words). */
export interface ChunkToWrite extends Chunk {
  /** Key of the embedding: hash of model, use and embedding text. */
  readonly chunkHash: string;
  /** Whitespace-separated tokens for the full-text index. */
  readonly searchText: string;
  readonly vector: Float32Array | null;
}

export interface FileToWrite {
  readonly record: FileRecord;
  readonly chunks: readonly ChunkToWrite[];
}

/** A chunk as it is read, without its vector. */
export interface ChunkRow extends Chunk {
  readonly id: string;
  readonly path: string;
  /** Place in the file, from 0. */
  readonly ordinal: number;
  readonly fileHash: string;
  readonly chunkHash: string;
  readonly scope: Scope;
  readonly language: string;
}

export interface VectorCandidate extends ChunkRow {
  /** Cosine similarity with the query, −1 to 1, higher is better. */
  readonly similarity: number;
}

export interface TextCandidate extends ChunkRow {
  /** BM25 of the query's tokens, higher is better. */
  readonly bm25: number;
}

/** A chunk with its vector (unit length), which is null when its text could not be embedded. */
export interface ChunkWithVector extends ChunkRow {
  readonly vector: Float32Array | null;
}

/** Vectors of some chunks: row `i` belongs to `paths[i]` / `ids[i]`. */
export interface VectorBlock {
  readonly ids: readonly string[];
  readonly paths: readonly string[];
  readonly dimension: number;
  /** Row-major `ids.length × dimension`, unit length. */
  readonly vectors: Float32Array;
}

/** What a search may ask of an index. Reads see the newest commit. */
export interface ChunkReader {
  /** Whether a full pass over the folder has been finished once. */
  readonly isComplete: boolean;
  /** Whether its vectors are of the models in use; an index made with others is searched by words until its successor is done. */
  readonly hasVectors: boolean;
  /** Whose vectors each scope's chunks have. */
  readonly spaces: VectorSpaces;
  /** Whether both scopes' vectors come from one model, so that one query vector serves `all`. */
  readonly hasOneVectorSpace: boolean;

  /** Chunks nearest to a unit-length query vector, best first. `filters.scope` says whose model made the vector (`all`: one vector space). */
  nearest(query: {
    readonly vector: Float32Array;
    readonly limit: number;
    readonly filters: SearchFilters;
  }): Promise<readonly VectorCandidate[]>;
  /** Chunks whose `searchText` holds any of the tokens, by BM25, best first; slow in a table too small to have an index for it. */
  matching(query: {
    readonly tokens: readonly string[];
    readonly limit: number;
    readonly filters: SearchFilters;
  }): Promise<readonly TextCandidate[]>;
  /** Chunks in which a definition with one of these exact names starts. */
  defining(query: {
    readonly names: readonly string[];
    readonly limit: number;
    readonly filters: SearchFilters;
  }): Promise<readonly ChunkRow[]>;

  /** A file's chunks in order; empty when there are none. */
  chunksOf(path: string): Promise<readonly ChunkRow[]>;
  /** Texts by chunk id; one that has gone is not among them. */
  textsById(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Vectors of these chunks that are of the scope's model; one without a vector is left out. */
  vectorsById(scope: Scope, ids: readonly string[]): Promise<VectorBlock>;
  /** All vectors of these files that are of the scope's model, in no particular order. */
  vectorsOf(scope: Scope, paths: readonly string[]): Promise<VectorBlock>;
  /** All vectors of a scope, block by block. */
  scanVectors(scope: Scope): AsyncIterable<VectorBlock>;

  /** All chunks of these files with their vectors, a file's in order: for indexes held in memory. Ask for some hundred files at a time. */
  chunksWithVectors(paths: readonly string[]): Promise<readonly ChunkWithVector[]>;

  /** Every file the index knows of, by path. Kept in memory, so cheap; a live view that follows later commits. */
  files(): Promise<ReadonlyMap<string, FileRecord>>;
  /** Changes with every commit; for caches made from reads. */
  version(): Promise<string>;
}

/** A change of some files, in one commit: a kill leaves the old rows or the new ones, of all of them. */
export interface StoreChange {
  /** Files whose rows are replaced (or added). */
  readonly replace: readonly FileToWrite[];
  /** Files whose content is as stored, whose `stat` is not. */
  readonly touch: readonly FileRecord[];
  readonly remove: readonly string[];
}

/** All rows of some files, as the self-check needs them. */
export interface StoredRows {
  readonly chunks: readonly ChunkRow[];
  /** By chunk id. */
  readonly searchTexts: ReadonlyMap<string, string>;
  /** Ids of the chunks whose vector is there and of unit length. */
  readonly withVector: ReadonlySet<string>;
}

/** When upkeep is asked for: however few commits there were (but not without any), once it is worth it, or once it cannot wait any more. */
export type UpkeepNeed = 'any' | 'due' | 'overdue';

/** The chunk table of one folder. One writer at a time (see `writerLock.ts`); failures are `store-failed`. */
export interface ChunkStore extends ChunkReader {
  apply(change: StoreChange): Promise<void>;
  /** Vectors already here for these embedding keys, of one scope's model. */
  vectorsByHash(scope: Scope, hashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
  rowsOf(paths: readonly string[]): Promise<StoredRows>;
  /** Paths with rows that belong to no file record, or with two rows of one id. */
  strayPaths(): Promise<readonly string[]>;
  /** Records that a full pass over the folder is done. */
  markComplete(): Promise<void>;
  /** Brings indexes up to date, compacts, and lets go of old versions; writes wait meanwhile, seconds for a large table. */
  maintain(options: { readonly need: UpkeepNeed; readonly signal?: CancellationSignal }): Promise<void>;
  close(): void;
}
