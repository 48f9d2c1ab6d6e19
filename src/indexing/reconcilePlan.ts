/**
 * What to do so that an index agrees with a folder, decided from plain facts: what a scan saw and what the index holds.
 */

/** What `stat` says of a file. */
export interface FileStat {
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** Time of the last change of anything about the file; catches a content that came with an old modification time. */
  readonly ctimeMs: number;
}

export interface StoredFile extends FileStat {
  /** Empty for a file that was skipped without reading it. */
  readonly fileHash: string;
}

/** Stored in place of a modification time that can't be trusted: equal to none that a file can have. */
export const RACY_MTIME = -1;

/**
 * A file changed twice within one tick of its file system's clock keeps its time: whoever reads it between the two never learns of the second.
 * Ticks are 2 s on FAT, 1 s on some others (recognised by whole seconds), a few milliseconds on the rest.
 */
const COARSE_TICK_MS = 2_000;
const FINE_TICK_MS = 50;

/**
 * The modification time to store for a file whose reading began at `readAtMs`: its own, or `RACY_MTIME` when the file was so new then
 * that a later change could hide behind the same time (git's "racily clean" entries). Such a file is read again next time.
 */
export function trustedMtime(mtimeMs: number, readAtMs: number): number {
  const tickMs = mtimeMs % 1_000 === 0 ? COARSE_TICK_MS : FINE_TICK_MS;
  return readAtMs - mtimeMs >= tickMs ? mtimeMs : RACY_MTIME;
}

/** Whether the file need not be read: nothing about it differs from when its rows were made. */
export function isUnchanged(seen: FileStat, stored: StoredFile | undefined): boolean {
  return seen.sizeBytes === stored?.sizeBytes && seen.mtimeMs === stored.mtimeMs && seen.ctimeMs === stored.ctimeMs;
}

export interface ReconcilePlan<File extends FileStat & { readonly path: string }> {
  /** New files and files that may have changed, in order of work. */
  readonly read: readonly File[];
  /** Stored files the folder no longer has, or no longer wants. */
  readonly remove: readonly string[];
  readonly unchanged: number;
}

/**
 * @param seen files that may be indexed, in the scan's order
 * @param known every other path the scan accounts for, whose record is somebody else's to change
 * @param firstPaths paths to begin with, such as those open in editors
 */
export function planReconcile<File extends FileStat & { readonly path: string }>(
  seen: readonly File[],
  known: ReadonlySet<string>,
  stored: ReadonlyMap<string, StoredFile>,
  firstPaths: readonly string[] = [],
): ReconcilePlan<File> {
  const read = seen.filter((file) => !isUnchanged(file, stored.get(file.path)));
  const present = new Set(seen.map((file) => file.path));
  const remove = [...stored.keys()].filter((path) => !present.has(path) && !known.has(path));
  return { read: orderOfWork(read, firstPaths), remove, unchanged: seen.length - read.length };
}

/** What people look for first: what they have open, then what changed last; the scan's order among equals. */
export function orderOfWork<File extends FileStat & { readonly path: string }>(
  files: readonly File[],
  firstPaths: readonly string[],
): readonly File[] {
  const rank = new Map(firstPaths.map((path, index) => [path, index]));
  const rankOf = (file: File) => rank.get(file.path) ?? firstPaths.length;
  return [...files].sort((a, b) => rankOf(a) - rankOf(b) || b.mtimeMs - a.mtimeMs);
}
