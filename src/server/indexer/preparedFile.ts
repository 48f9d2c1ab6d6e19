import { setImmediate as nextTurn } from 'node:timers/promises';
import { embeddingText } from '../../indexing/embeddingText.ts';
import type { Chunk, Chunker, SourceDocument } from '../../indexing/document.ts';
import { languageOf } from '../../indexing/languages.ts';
import { type FileStat, trustedMtime } from '../../indexing/reconcilePlan.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import { searchTextOf } from '../../search/searchText.ts';
import type { CandidateFile, ReadLimits, ReadOutcome, SkippedPath } from '../scanner/entries.ts';
import type { ChunkToWrite, FileRecord } from '../store/chunkStore.ts';
import { embeddingKey } from './embeddingKey.ts';

/** A chunk on its way to its vector. */
export type PreparedChunk = Omit<ChunkToWrite, 'vector'> & { readonly embeddingText: string };

/** A file read and cut, with all its rows but their vectors. */
export interface PreparedFile {
  readonly record: FileRecord;
  readonly chunks: readonly PreparedChunk[];
}

export type Preparation =
  | { readonly kind: 'replace'; readonly file: PreparedFile }
  /** Same content, other `stat`. */
  | { readonly kind: 'touch'; readonly record: FileRecord }
  | { readonly kind: 'gone'; readonly path: string };

export interface Preparer {
  readonly folder: string;
  readonly models: Readonly<Record<Scope, Pick<ModelInfo, 'id' | 'dimension'>>>;
  readonly chunker: Chunker;
  readonly limits: ReadLimits;
  readonly readSource: (folder: string, path: string, limits: ReadLimits, signal?: AbortSignal) => Promise<ReadOutcome>;
  /** Milliseconds since the epoch. */
  readonly wallTime: () => number;
}

/** Reads one candidate and, when its content differs from what is stored, cuts it. */
export async function prepareFile(
  { folder, models, chunker, limits, readSource, wallTime }: Preparer,
  candidate: Pick<CandidateFile, 'path' | 'ctimeMs'>,
  stored: FileRecord | undefined,
  signal?: AbortSignal,
): Promise<Preparation> {
  const readAtMs = wallTime();
  const outcome = await readSource(folder, candidate.path, limits, signal);
  if (outcome.kind === 'missing') return { kind: 'gone', path: candidate.path };
  const mtimeMs = trustedMtime(outcome.mtimeMs, readAtMs);
  // Of the scan, before anything was read: a change since then shows next time.
  const { ctimeMs } = candidate;
  if (outcome.kind === 'skipped') {
    const stat = { sizeBytes: outcome.size, mtimeMs, ctimeMs };
    return { kind: 'replace', file: { record: skippedRecord(outcome, stat), chunks: [] } };
  }
  // A lone surrogate (possible in UTF-16 files) has no UTF-8 form.
  const document = { ...outcome.document, text: outcome.document.text.toWellFormed() };
  // A quarantined text is tried again only when its file changes.
  if (stored?.fileHash === outcome.contentHash && stored.language === document.language) {
    return { kind: 'touch', record: { ...stored, sizeBytes: outcome.size, mtimeMs, ctimeMs } };
  }
  // Cutting is work for this thread: searches get their turn between files.
  await nextTurn();
  const chunks = await prepareChunks(document, chunker, models[document.scope]);
  const record: FileRecord = {
    path: document.path,
    fileHash: outcome.contentHash,
    sizeBytes: outcome.size,
    mtimeMs,
    ctimeMs,
    scope: document.scope,
    language: document.language,
    lines: outcome.lines,
    chunks: chunks.length,
    skipped: null,
  };
  return { kind: 'replace', file: { record, chunks } };
}

async function prepareChunks(
  document: SourceDocument,
  chunker: Chunker,
  model: Pick<ModelInfo, 'id' | 'dimension'>,
): Promise<PreparedChunk[]> {
  return (await chunker.chunk(document)).map((cut) => {
    const chunk = wellFormed(cut);
    const text = embeddingText(document.path, chunk);
    return {
      ...chunk,
      chunkHash: embeddingKey(model, text),
      searchText: searchTextOf(document.path, chunk),
      embeddingText: text,
    };
  });
}

/** Names may have been shortened in the middle of a character; what is stored must come back as it was. */
function wellFormed(chunk: Chunk): Chunk {
  const fix = (text: string) => text.toWellFormed();
  return {
    ...chunk,
    text: fix(chunk.text),
    symbol: fix(chunk.symbol),
    enclosing: chunk.enclosing.map(fix),
    definitions: chunk.definitions.map(fix),
  };
}

/** Nobody reads files that are skipped by name or size, so no `stat` of theirs is kept: once they may be read, they differ. */
export const NOT_LOOKED_AT: FileStat = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0 };

/** The record of a file (or folder) that is not indexed. */
export function skippedRecord({ path, reason, detail }: SkippedPath, stat: FileStat = NOT_LOOKED_AT): FileRecord {
  const { id, scope } = languageOf(path);
  return {
    path,
    fileHash: '',
    ...stat,
    scope,
    language: id,
    lines: 0,
    chunks: 0,
    skipped: { reason, detail },
  };
}
