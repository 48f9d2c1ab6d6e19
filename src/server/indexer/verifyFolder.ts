import { isDeepStrictEqual } from 'node:util';
import { counted } from '../../base/wording.ts';
import { isIndexed } from '../indexReport.ts';
import type { CandidateFile, SkippedPath } from '../scanner/entries.ts';
import type { ChunkRow, FileRecord, StoredRows } from '../store/chunkStore.ts';
import { mapAhead } from './mapAhead.ts';
import { type PreparedChunk, prepareFile, skippedRecord } from './preparedFile.ts';
import { type FolderPass, scanFolderOnce } from './reconcileFolder.ts';

/** What is wrong with a file's rows. */
export const DIFFERENCES = [
  /** In the folder, not in the index. */
  'not-indexed',
  /** In the index, not (or no longer) in the folder. */
  'not-in-folder',
  /** Made from another content. */
  'outdated',
  /** Text, span, symbol or tokens of a chunk are not what cutting the file gives. */
  'wrong-rows',
  /** A chunk without a vector that was not given up. */
  'missing-vector',
  /** Rows that belong to no file record, or twice the same. */
  'stray-rows',
] as const;
export type DifferenceKind = (typeof DIFFERENCES)[number];

export interface Difference {
  readonly path: string;
  readonly kind: DifferenceKind;
  /** One clause for a person. */
  readonly detail: string;
}

export interface VerifyReport {
  /** Files with rows that were compared; skipped ones are compared too but not counted, as in a status. */
  readonly files: number;
  readonly chunks: number;
  readonly differences: readonly Difference[];
  /** False when the models could not be opened. */
  readonly vectorsCompared: boolean;
}

const FILES_PER_READ = 64;

/** Compares every row with the disk: reads and cuts all files again, embeds nothing. Without models vectors are not compared, nor the keys they are kept by. */
export async function verifyFolder(pass: FolderPass, hasModels: boolean): Promise<VerifyReport> {
  const { store, progress, signal } = pass;
  const { files, skipped } = await scanFolderOnce(pass, '');
  const stored = await store.files();
  progress.startWork(files);
  const differences: Difference[] = [];
  let chunks = 0;
  for (let from = 0; from < files.length; from += FILES_PER_READ) {
    const group = files.slice(from, from + FILES_PER_READ);
    const rows = await store.rowsOf(group.map(({ path }) => path));
    const compare = (file: CandidateFile) =>
      compareFile({ ...pass, hasModels }, file, stored.get(file.path), rows, signal);
    for await (const difference of mapAhead(group, 4, compare))
      if (difference !== undefined) differences.push(difference);
    chunks += rows.chunks.length;
    for (const { size } of group) progress.finishFile(size);
  }
  differences.push(...compareSkipped(skipped, stored));
  const present = new Set([...files, ...skipped].map(({ path }) => path));
  for (const path of stored.keys()) {
    if (!present.has(path)) differences.push({ path, kind: 'not-in-folder', detail: 'the folder has no such file' });
  }
  for (const path of await store.strayPaths()) {
    differences.push({ path, kind: 'stray-rows', detail: 'rows that belong to no file, or twice the same' });
  }
  return {
    files: files.filter(({ path }) => isIndexed(stored.get(path))).length,
    chunks,
    differences,
    vectorsCompared: hasModels,
  };
}

async function compareFile(
  pass: FolderPass & { readonly hasModels: boolean },
  file: CandidateFile,
  record: FileRecord | undefined,
  rows: StoredRows,
  signal: AbortSignal,
): Promise<Difference | undefined> {
  const { path } = file;
  // Without a record nothing can count as touched: the file is cut again.
  const preparation = await prepareFile(pass, file, undefined, signal);
  if (preparation.kind !== 'replace') return undefined;
  const expected = preparation.file;
  const difference = (kind: DifferenceKind, detail: string): Difference => ({ path, kind, detail });
  if (record === undefined) return difference('not-indexed', 'no rows of it are in the index');
  if (record.fileHash !== expected.record.fileHash) return difference('outdated', 'its content has changed');
  const isPartlyGivenUp = record.skipped?.reason === 'quarantined';
  if (!isDeepStrictEqual(factsOf(record, isPartlyGivenUp), factsOf(expected.record, isPartlyGivenUp))) {
    return difference('wrong-rows', 'its record differs from the file');
  }
  const own = rows.chunks.filter((chunk) => chunk.path === path).sort((a, b) => a.ordinal - b.ordinal);
  if (own.length !== expected.chunks.length) {
    return difference('wrong-rows', `${counted(own.length, 'chunk')} instead of ${expected.chunks.length}`);
  }
  const wrong = own.find(
    (chunk, ordinal) => !isSameChunk(chunk, rows, record, expected.chunks[ordinal], pass.hasModels),
  );
  if (wrong !== undefined) return difference('wrong-rows', `the chunk at line ${wrong.startLine} differs`);
  if (!pass.hasModels) return undefined;
  const bare = own.find(({ id }) => !rows.withVector.has(id));
  if (bare !== undefined && !isPartlyGivenUp) {
    return difference('missing-vector', `the chunk at line ${bare.startLine} has no vector`);
  }
  return undefined;
}

/** What of a record follows from the file; the times are the scan's business, and giving up a text is the embedder's. */
function factsOf(record: FileRecord, isPartlyGivenUp: boolean) {
  const { fileHash, sizeBytes, scope, language, lines, chunks, skipped } = record;
  return { fileHash, sizeBytes, scope, language, lines, chunks, skipped: isPartlyGivenUp ? null : skipped };
}

function isSameChunk(
  row: ChunkRow,
  rows: StoredRows,
  record: FileRecord,
  expected: PreparedChunk | undefined,
  hasModels: boolean,
): boolean {
  if (expected === undefined || row.fileHash !== record.fileHash) return false;
  const { searchText, embeddingText: _, ...rest } = expected;
  const { id, path: __, ordinal: ___, fileHash: ____, scope: _____, language: ______, ...stored } = row;
  return (
    rows.searchTexts.get(id) === searchText &&
    isDeepStrictEqual(stored, hasModels ? { ...rest } : { ...rest, chunkHash: row.chunkHash })
  );
}

function compareSkipped(entries: readonly SkippedPath[], stored: ReadonlyMap<string, FileRecord>): Difference[] {
  return entries.flatMap((entry) => {
    const record = stored.get(entry.path);
    if (isDeepStrictEqual(record?.skipped, skippedRecord(entry).skipped) && record?.chunks === 0) return [];
    return [{ path: entry.path, kind: 'outdated', detail: `it is skipped now: ${entry.detail}` } as const];
  });
}
