import type { CancellationSignal } from '../../base/cancellation.ts';
import type { FolderChange } from '../../process/changeCoalescer.ts';
import type { SourceDocument } from '../../indexing/document.ts';
import type { SkipReason } from '../../protocol/server.ts';

/** What decides which files of a folder are indexed. A part of `IndexSettings`. */
export interface ScanOptions {
  /** Files with more bytes than this are skipped as `too-large`. */
  readonly maxFileBytes: number;
  /** Globs relative to the folder, in VS Code's style (`**\/dist`, `*.log`); they win over every ignore file. */
  readonly exclude: readonly string[];
  /** Whether `.gitignore`, `.ignore`, `.git/info/exclude` and git's global excludes count. `.tesseraignore` always does. */
  readonly useIgnoreFiles: boolean;
}

/** A file that may be indexed, judged by its path and size alone; its content may still say otherwise. */
export interface CandidateFile {
  readonly kind: 'file';
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the Unix epoch, with a fraction where the file system keeps one. */
  readonly mtimeMs: number;
  /** When anything about the file last changed, its time included: whoever sets the other time back cannot set this one. */
  readonly ctimeMs: number;
  readonly inode: number;
}

/** A file (or an unreadable or installed folder) a person may wonder about. */
export interface SkippedPath {
  readonly kind: 'skipped';
  /** Relative to the folder, with `/`. Bytes that are no UTF-8 are shown as `\xNN`. */
  readonly path: string;
  readonly reason: SkipReason;
  /** One clause for a person: `2.4 MB, limit 1.0 MB`. */
  readonly detail: string;
}

/** The last entry of every completed scan. */
export interface ScanTotals {
  readonly kind: 'totals';
  readonly files: number;
  readonly skipped: number;
  /** Folders read. */
  readonly folders: number;
  /** Files ignored one by one; what is inside an ignored folder is never looked at. */
  readonly ignoredFiles: number;
  readonly ignoredFolders: number;
  /** Symbolic links, sockets and the like: never followed, never indexed. */
  readonly links: number;
}

export type ScanEntry = CandidateFile | SkippedPath | ScanTotals;

/** What one path is, by the rules of a full scan. */
export type PathVerdict =
  | CandidateFile
  | SkippedPath
  /** Excluded by an ignore rule, or a symbolic link, or no plain file at all; `detail` says so of the latter two. */
  | { readonly kind: 'ignored'; readonly path: string; readonly detail?: string }
  /** A folder that a scan would enter: whatever is in it may have changed. */
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'missing'; readonly path: string };

export interface ReadLimits {
  readonly maxFileBytes: number;
}

/** What became of a candidate when it was read. */
export type ReadOutcome =
  | {
      readonly kind: 'document';
      readonly document: SourceDocument;
      /** First 32 hex digits of the SHA-256 of the raw bytes. */
      readonly contentHash: string;
      readonly size: number;
      readonly mtimeMs: number;
      readonly lines: number;
      /** How the bytes were decoded: `utf8`, `utf16le`, … */
      readonly encoding: string;
    }
  | (SkippedPath & { readonly size: number; readonly mtimeMs: number })
  | { readonly kind: 'missing'; readonly path: string };

/** All the indexer needs of the file system; `fileScanner.ts` has the real one. Each function is documented in the file of its name. */
export interface Scanner {
  /** `under` limits a scan to one folder of the folder (a `folder` verdict); '' is all of it. */
  scanFolder(folder: string, options: ScanOptions, signal?: AbortSignal, under?: string): AsyncIterable<ScanEntry>;
  /** Judges single paths by the rules of a full scan. */
  checkPaths(
    folder: string,
    options: ScanOptions,
    paths: readonly string[],
    signal?: CancellationSignal,
  ): Promise<readonly PathVerdict[]>;
  isIndexable(folder: string, path: string, options: ScanOptions): Promise<boolean>;
  /** Whether a change of this path can change what is ignored elsewhere: then scan again. */
  changesRules(path: string): boolean;
  readSource(folder: string, path: string, limits: ReadLimits, signal?: AbortSignal): Promise<ReadOutcome>;
  /** Resolves once no later change can be missed; stops when the signal aborts. */
  watchFolder(
    folder: string,
    options: ScanOptions,
    onChange: (change: FolderChange) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
