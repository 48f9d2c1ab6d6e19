import * as fs from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { cancelledError } from '../../base/cancellation.ts';
import { Deferred } from '../../base/deferred.ts';
import { TesseraError, toTesseraError } from '../../base/errors.ts';
import type { ExclusionRules } from '../../indexing/exclusions.ts';
import { skipByName, skipBySize } from '../../indexing/skipRules.ts';
import type { ScanEntry, ScanOptions, ScanTotals, SkippedPath } from './entries.ts';
import { type FolderRules, tellingEntries } from './folderRules.ts';
import { readGitConfiguration } from './gitFiles.ts';
import { PathCheck } from './pathCheck.ts';
import { describeFileError, errorCode } from './fileErrors.ts';

/** Disk requests under way at once. Measured on 19,000 files: 4 give half the speed, 16 three quarters, 256 no more than 64. */
const CONCURRENCY = 64;
/** Entries found and not yet taken, above which no further folder is opened. */
const MAX_BUFFERED = 20_000;

/**
 * Walks a folder without opening its files: every file that may be indexed, everything skipped with the reason, and the
 * totals at the end. Ignored folders are never entered, links never followed. `under` limits the walk to one folder in it.
 * Fails with `folder-unreadable` or `cancelled`; whatever else cannot be read is an entry.
 */
export async function* scanFolder(
  folder: string,
  options: ScanOptions,
  signal?: AbortSignal,
  under = '',
  readGit = readGitConfiguration,
): AsyncGenerator<ScanEntry> {
  const check = await PathCheck.open(folder, options, signal, readGit);
  const walk = new Walk(check.rules, options, signal);
  if (under === '') {
    walk.start('', check.rules.outside);
  } else {
    const entrance = await check.enter(under);
    if (entrance.kind === 'entered') walk.start(under, entrance.around);
  }
  try {
    for (;;) {
      const batch = await walk.next();
      if (batch.length === 0) break;
      for (const entry of batch) yield entry;
    }
    yield walk.totals();
  } finally {
    walk.stop();
  }
}

interface PendingFolder {
  readonly path: string;
  /** Rules of the folder around it. */
  readonly around: ExclusionRules;
}

/**
 * One walk. Works with callbacks: a promise for each file would cost as much as the file. Disk requests, entries waiting to
 * be taken and folders waiting to be read are its whole state.
 */
class Walk {
  readonly #rules: FolderRules;
  readonly #options: ScanOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #folders: PendingFolder[] = [];
  readonly #files: string[] = [];
  #found: ScanEntry[] = [];
  #active = 0;
  #stopped = false;
  #failure: TesseraError | undefined;
  #waiter: Deferred<undefined> | undefined;
  readonly #counts = { files: 0, skipped: 0, folders: 0, ignoredFiles: 0, ignoredFolders: 0, links: 0 };
  readonly #onAbort = () => this.#fail(cancelledError());

  constructor(rules: FolderRules, options: ScanOptions, signal: AbortSignal | undefined) {
    this.#rules = rules;
    this.#options = options;
    this.#signal = signal;
  }

  start(path: string, around: ExclusionRules): void {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal?.aborted === true) this.#onAbort();
    this.#folders.push({ path, around });
  }

  stop(): void {
    this.#stopped = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  totals(): ScanTotals {
    return { kind: 'totals', ...this.#counts };
  }

  /** What was found since the last call; nothing when the walk is over. */
  async next(): Promise<readonly ScanEntry[]> {
    for (;;) {
      this.#pump();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#found.length > 0) {
        const batch = this.#found;
        this.#found = [];
        return batch;
      }
      if (this.#isOver) return [];
      this.#waiter = new Deferred();
      await this.#waiter.promise;
    }
  }

  get #isOver(): boolean {
    return this.#active === 0 && this.#folders.length === 0 && this.#files.length === 0;
  }

  #pump(): void {
    while (!this.#stopped && this.#active < CONCURRENCY) {
      // Files first: they are what makes room.
      const file = this.#files.pop();
      if (file !== undefined) {
        this.#stat(file);
        continue;
      }
      const folder = this.#found.length < MAX_BUFFERED ? this.#folders.pop() : undefined;
      if (folder === undefined) return;
      this.#read(folder);
    }
  }

  #settle(): void {
    this.#active--;
    this.#pump();
    if (this.#found.length > 0 || this.#isOver) this.#wake();
  }

  #wake(): void {
    this.#waiter?.resolve(undefined);
    this.#waiter = undefined;
  }

  #fail(error: TesseraError): void {
    this.#failure ??= error;
    this.#stopped = true;
    this.#wake();
  }

  #read(folder: PendingFolder): void {
    this.#active++;
    fs.readdir(this.#absolute(folder.path), { withFileTypes: true }, (error, entries) => {
      if (error !== null) {
        this.#readFailed(folder, error);
        this.#settle();
        return;
      }
      this.#counts.folders++;
      // U+FFFD is in a name by chance, or because its bytes are no UTF-8: only the bytes tell.
      if (entries.some((entry) => entry.name.includes('\ufffd'))) this.#readBytes(folder);
      else this.#enter(folder, entries);
    });
  }

  #readFailed(folder: PendingFolder, error: NodeJS.ErrnoException): void {
    if (folder.path === '') {
      this.#fail(
        new TesseraError('folder-unreadable', 'The folder cannot be read.', {
          cause: error,
          details: { folder: this.#rules.folder },
        }),
      );
    } else if (errorCode(error) !== 'ENOENT') {
      this.#skip({ path: folder.path, reason: 'unreadable', detail: describeFileError(error) });
    }
  }

  #readBytes(folder: PendingFolder): void {
    fs.readdir(this.#absolute(folder.path), { withFileTypes: true, encoding: 'buffer' }, (error, entries) => {
      if (error !== null) {
        this.#readFailed(folder, error);
        this.#settle();
        return;
      }
      const named: NamedEntry[] = [];
      for (const entry of entries) {
        if (isUtf8(entry.name)) {
          named.push({
            name: entry.name.toString(),
            isFile: () => entry.isFile(),
            isDirectory: () => entry.isDirectory(),
          });
        } else {
          this.#skip({
            path: join(folder.path, escapeBytes(entry.name)),
            reason: 'unreadable',
            detail: 'its name is no valid UTF-8',
          });
        }
      }
      this.#enter(folder, named);
    });
  }

  #enter(folder: PendingFolder, entries: readonly NamedEntry[]): void {
    const telling = tellingEntries(entries.map((entry) => entry.name));
    if (folder.path !== '') {
      const ruling = folder.around.ruleByContent(folder.path, telling);
      if (ruling.kind === 'skipped') {
        this.#skip({ path: folder.path, reason: ruling.reason, detail: ruling.detail });
        this.#settle();
        return;
      }
    }
    // Most folders have no rules of their own and need no promise.
    if (telling.size === 0) {
      this.#judge(folder.path, folder.around, entries);
      this.#settle();
      return;
    }
    this.#rules.enter(folder.around, folder.path, telling).then(
      (rules) => {
        this.#judge(folder.path, rules, entries);
        this.#settle();
      },
      (error: unknown) => this.#fail(toTesseraError(error)),
    );
  }

  #judge(folderPath: string, rules: ExclusionRules, entries: readonly NamedEntry[]): void {
    for (const entry of entries) {
      const isFolder = entry.isDirectory();
      if (!isFolder && !entry.isFile()) {
        this.#counts.links++;
        continue;
      }
      const path = join(folderPath, entry.name);
      const ruling = rules.rule(path, entry.name, isFolder);
      if (ruling.kind === 'ignored') this.#counts[isFolder ? 'ignoredFolders' : 'ignoredFiles']++;
      else if (ruling.kind === 'skipped') this.#skip({ path, reason: ruling.reason, detail: ruling.detail });
      else if (isFolder) this.#folders.push({ path, around: rules });
      else this.#candidate(path);
    }
  }

  #candidate(path: string): void {
    const skip = skipByName(path);
    if (skip === undefined) this.#files.push(path);
    else this.#skip({ path, ...skip });
  }

  #stat(path: string): void {
    this.#active++;
    fs.lstat(this.#absolute(path), (error, stat) => {
      if (error !== null) {
        // Gone since its folder was read: as if it had never been there.
        if (errorCode(error) !== 'ENOENT') this.#skip({ path, reason: 'unreadable', detail: describeFileError(error) });
      } else if (stat.isFile()) {
        const skip = skipBySize(path, stat.size, this.#options.maxFileBytes);
        if (skip === undefined) {
          this.#counts.files++;
          this.#found.push({
            kind: 'file',
            path,
            size: stat.size,
            mtimeMs: stat.mtimeMs,
            ctimeMs: stat.ctimeMs,
            inode: stat.ino,
          });
        } else {
          this.#skip({ path, ...skip });
        }
      }
      this.#settle();
    });
  }

  #skip(skipped: Omit<SkippedPath, 'kind'>): void {
    this.#counts.skipped++;
    this.#found.push({ kind: 'skipped', ...skipped });
  }

  #absolute(path: string): string {
    return path === '' ? this.#rules.folder : `${this.#rules.folder}/${path}`;
  }
}

interface NamedEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

function join(folderPath: string, name: string): string {
  return folderPath === '' ? name : `${folderPath}/${name}`;
}

/** `caf\xe9.txt` */
function escapeBytes(name: Buffer): string {
  return name.toString('latin1').replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}
