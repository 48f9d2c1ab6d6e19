import { counted } from '../../base/wording.ts';
import type { Lane, ModelInfo } from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import type { Embedder } from '../embedder/embedder.ts';
import type { EmbeddingCache } from '../store/embeddingCache.ts';
import type { ChunkStore, FileToWrite } from '../store/chunkStore.ts';
import type { PreparedChunk, PreparedFile } from './preparedFile.ts';
import type { RunProgress } from './runProgress.ts';

export interface EmbeddingSources {
  readonly store: ChunkStore;
  readonly cache: EmbeddingCache;
  readonly embedder: Embedder;
  readonly models: Readonly<Record<Scope, Pick<ModelInfo, 'id' | 'dimension'>>>;
}

/** Stored path a file's content was moved from, by the file's new path. */
export type MovedFrom = ReadonlyMap<string, string>;

/** Why a text has no vector. */
type Failures = ReadonlyMap<string, string>;

/**
 * Gives every chunk of some files its vector: from the file it was moved from, from this index, from the cache, and only
 * then from the embedder. A text that can't be embedded leaves its chunk without a vector and its file marked.
 */
export async function embedGroup(
  sources: EmbeddingSources,
  files: readonly PreparedFile[],
  movedFrom: MovedFrom,
  lane: Lane,
  progress: RunProgress,
  signal: AbortSignal,
): Promise<readonly FileToWrite[]> {
  const inherited = await vectorsOfMovedFiles(sources.store, files, movedFrom);
  const vectors = new Map<string, Float32Array>();
  const failures = new Map<string, string>();
  let embedded = 0;
  for (const scope of SCOPES) {
    const chunks = files
      .filter(({ record }) => record.scope === scope && !inherited.has(record.path))
      .flatMap((file) => file.chunks);
    embedded += await findVectors(sources, scope, chunks, lane, { vectors, failures, progress, signal });
  }
  const total = files.reduce((sum, file) => sum + file.chunks.length, 0);
  progress.chunksDone += total;
  const written = files.map((file) => withVectors(file, inherited.get(file.record.path), vectors, failures));
  const withVector = written.flatMap((file) => file.chunks).filter(({ vector }) => vector !== null).length;
  // Chunks of the same text share one embedding: the others count as reused.
  progress.reused += withVector - embedded;
  return written;
}

/** Number of texts embedded. */
async function findVectors(
  { store, cache, embedder, models }: EmbeddingSources,
  scope: Scope,
  chunks: readonly PreparedChunk[],
  lane: Lane,
  into: {
    readonly vectors: Map<string, Float32Array>;
    readonly failures: Map<string, string>;
    readonly progress: RunProgress;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const texts = new Map(chunks.map((chunk) => [chunk.chunkHash, chunk.embeddingText]));
  if (texts.size === 0) return 0;
  const { vectors, failures, progress, signal } = into;
  const { dimension } = models[scope];
  const missing = () => [...texts.keys()].filter((key) => !vectors.has(key));
  for (const [key, vector] of await store.vectorsByHash(scope, missing())) vectors.set(key, vector);
  for (const [key, vector] of await cache.lookup(dimension, missing())) vectors.set(key, vector);
  const toEmbed = missing();
  if (toEmbed.length === 0) return 0;

  progress.startEmbedding();
  try {
    const result = await embedder.embed(
      { texts: toEmbed.map((key) => texts.get(key) ?? ''), role: 'document', scope, lane },
      signal,
    );
    for (const { index, reason } of result.failures) failures.set(toEmbed[index] ?? '', reason);
    const fresh = new Map<string, Float32Array>();
    toEmbed.forEach((key, index) => {
      if (!failures.has(key)) fresh.set(key, result.vectors.subarray(index * dimension, (index + 1) * dimension));
    });
    for (const [key, vector] of fresh) vectors.set(key, vector);
    cache.add(dimension, fresh);
    progress.embedded += fresh.size;
    progress.tokens += result.tokenCounts.reduce((sum, tokens) => sum + tokens, 0);
    return fresh.size;
  } finally {
    progress.finishEmbedding();
  }
}

/**
 * A moved file's chunks keep their vectors although the path in the header of what was embedded is the old one: the text is the
 * same, and moving a folder should cost nothing.
 */
async function vectorsOfMovedFiles(
  store: ChunkStore,
  files: readonly PreparedFile[],
  movedFrom: MovedFrom,
): Promise<ReadonlyMap<string, readonly Float32Array[]>> {
  const inherited = new Map<string, readonly Float32Array[]>();
  for (const { record, chunks } of files) {
    const from = movedFrom.get(record.path);
    if (from === undefined || (await store.files()).get(from)?.scope !== record.scope) continue;
    const rows = await store.chunksOf(from);
    const { ids, vectors, dimension } = await store.vectorsOf(record.scope, [from]);
    const rowOf = new Map(ids.map((id, row) => [id, row]));
    const found = rows.flatMap(({ id, text }, ordinal) => {
      const row = rowOf.get(id);
      const isSame = row !== undefined && text === chunks[ordinal]?.text;
      return isSame ? [vectors.subarray(row * dimension, (row + 1) * dimension)] : [];
    });
    if (found.length === chunks.length) inherited.set(record.path, found);
  }
  return inherited;
}

function withVectors(
  { record, chunks }: PreparedFile,
  inherited: readonly Float32Array[] | undefined,
  vectors: ReadonlyMap<string, Float32Array>,
  failures: Failures,
): FileToWrite {
  const failed = inherited === undefined ? chunks.filter(({ chunkHash }) => failures.has(chunkHash)) : [];
  const [first] = failed;
  const detail =
    first === undefined
      ? ''
      : `${failed.length} of ${counted(chunks.length, 'chunk')} without a vector: ${failures.get(first.chunkHash) ?? ''}`;
  return {
    record: first === undefined ? record : { ...record, skipped: { reason: 'quarantined', detail } },
    chunks: chunks.map(({ embeddingText: _, ...chunk }, ordinal) => ({
      ...chunk,
      vector: inherited?.[ordinal] ?? vectors.get(chunk.chunkHash) ?? null,
    })),
  };
}
