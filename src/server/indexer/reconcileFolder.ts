import { isUnchanged, planReconcile } from '../../indexing/reconcilePlan.ts';
import type { CandidateFile, ScanOptions, Scanner, SkippedPath } from '../scanner/entries.ts';
import type { FileRecord } from '../store/chunkStore.ts';
import { type Pass, indexFiles } from './indexFiles.ts';
import { NOT_LOOKED_AT, skippedRecord } from './preparedFile.ts';

export interface FolderPass extends Pass {
  readonly scanner: Scanner;
  readonly scanOptions: ScanOptions;
}

/** Rows of this many files are removed, or marked as skipped, in one commit. */
const FILES_PER_COMMIT = 500;

export interface Seen {
  readonly files: readonly CandidateFile[];
  readonly skipped: readonly SkippedPath[];
}

/** Makes the index agree with the whole folder. */
export async function reconcileFolder(pass: FolderPass, firstPaths: readonly string[]): Promise<void> {
  await inOnePass(pass, async (turn) => {
    const seen = await scanFolderOnce(pass, '');
    await reconcile(pass, turn, seen, await pass.store.files(), firstPaths, 'bulk');
  });
}

/** Makes the index agree with the folder where these paths are concerned. */
export async function reconcilePaths(pass: FolderPass, paths: readonly string[]): Promise<void> {
  await inOnePass(pass, async (turn) => {
    const { folder, scanner, scanOptions, store, signal } = pass;
    const files: CandidateFile[] = [];
    const skipped: SkippedPath[] = [];
    for (const verdict of await scanner.checkPaths(folder, scanOptions, paths, signal)) {
      if (verdict.kind === 'file') files.push(verdict);
      else if (verdict.kind === 'skipped') skipped.push(verdict);
      else if (verdict.kind === 'folder') {
        const inside = await scanFolderOnce(pass, verdict.path);
        files.push(...inside.files);
        skipped.push(...inside.skipped);
      }
    }
    // What is stored for a path, or below it when it is (or was) a folder, is what may have to go.
    const prefixes = paths.map((path) => `${path}/`);
    const named = new Set(paths);
    const concerned = new Map(
      [...(await store.files())].filter(
        ([path]) => named.has(path) || prefixes.some((prefix) => path.startsWith(prefix)),
      ),
    );
    await reconcile(pass, turn, { files, skipped }, concerned, [], 'saved');
  });
}

/** The turn is taken before anything is looked at, so that what another pass finds later wins. */
async function inOnePass({ turns }: FolderPass, work: (turn: number) => Promise<void>): Promise<void> {
  turns.startPass();
  try {
    await work(turns.take());
  } finally {
    turns.endPass();
  }
}

/** Everything a full scan of the folder, or of one folder in it, accounts for. */
export async function scanFolderOnce(
  { folder, scanner, scanOptions, signal }: FolderPass,
  under: string,
): Promise<Seen> {
  const files: CandidateFile[] = [];
  const skipped: SkippedPath[] = [];
  for await (const entry of scanner.scanFolder(folder, scanOptions, signal, under)) {
    if (entry.kind === 'file') files.push(entry);
    else if (entry.kind === 'skipped') skipped.push(entry);
  }
  return { files, skipped };
}

async function reconcile(
  pass: FolderPass,
  turn: number,
  { files, skipped }: Seen,
  stored: ReadonlyMap<string, FileRecord>,
  firstPaths: readonly string[],
  lane: 'bulk' | 'saved',
): Promise<void> {
  const { progress } = pass;
  const seen = files.map((file) => ({ ...file, sizeBytes: file.size }));
  const skippedPaths = new Set(skipped.map(({ path }) => path));
  const plan = planReconcile(seen, skippedPaths, stored, firstPaths);
  progress.startWork(plan.read);
  await commitSkipped(
    pass,
    turn,
    skipped.filter((entry) => !isSameSkip(entry, stored.get(entry.path))),
  );
  const removedByHash = new Map(plan.remove.map((path) => [stored.get(path)?.fileHash ?? '', path]));
  await indexFiles(pass, plan.read, lane, removedByHash);
  // Last, so that moved files can take over the vectors of where they were.
  await commitRemoved(pass, turn, plan.remove);
}

function isSameSkip(entry: SkippedPath, record: FileRecord | undefined): boolean {
  return (
    record?.skipped?.reason === entry.reason &&
    record.skipped.detail === entry.detail &&
    isUnchanged(NOT_LOOKED_AT, record)
  );
}

async function commitSkipped(pass: FolderPass, turn: number, entries: readonly SkippedPath[]): Promise<void> {
  for (const group of groupsOf(entries, FILES_PER_COMMIT)) {
    const newest = group.filter(({ path }) => pass.turns.claim(path, turn));
    const replace = newest.map((entry) => ({ record: skippedRecord(entry), chunks: [] }));
    await pass.store.apply({ replace, touch: [], remove: [] });
    pass.onCommitted(newest.map(({ path }) => path));
  }
}

async function commitRemoved(pass: FolderPass, turn: number, paths: readonly string[]): Promise<void> {
  for (const group of groupsOf(paths, FILES_PER_COMMIT)) {
    const newest = group.filter((path) => pass.turns.claim(path, turn));
    await pass.store.apply({ replace: [], touch: [], remove: newest });
    pass.onCommitted(newest);
  }
}

function* groupsOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
