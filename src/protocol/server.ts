import type { ErrorCode } from '../base/errors.ts';
import type { LogRecord } from '../base/logger.ts';
import type { EmbedderMetrics, EmbedderSettings, ModelInfo } from './embedder.ts';
import type { Hit, SearchFilters } from './hit.ts';
import type { Scope } from './scope.ts';

/** Why a file of the folder is not in the index. */
export const SKIP_REASONS = [
  'binary',
  'minified',
  'generated',
  'too-large',
  'secret',
  'unreadable',
  'unsupported-encoding',
  'empty',
  'excluded',
  'quarantined',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export interface SkippedFile {
  readonly path: string;
  readonly reason: SkipReason;
  /** One clause for a person: `2.4 MB, limit 1 MB`. */
  readonly detail: string;
}

/** What `tessera.index.maxFileSizeKb` is unless a person says otherwise. */
export const DEFAULT_MAX_FILE_BYTES = 1 << 20;

export interface IndexSettings {
  readonly embedder: EmbedderSettings;
  readonly maxFileBytes: number;
  /** Globs besides the ignore files: VS Code's `files.exclude` and `search.exclude`, say. */
  readonly exclude: readonly string[];
  /** Whether ignore files and global git excludes are honoured. */
  readonly useIgnoreFiles: boolean;
  /** Whether the three above only hold until somebody with settings has indexed the folder: for the command line, which has none. */
  readonly yieldsToIndex?: boolean;
}

export interface FolderRef {
  /** Absolute path of the folder. */
  readonly folder: string;
}

export interface IndexSummary {
  readonly files: number;
  readonly chunks: number;
  readonly embedded: number;
  readonly reused: number;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  readonly seconds: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly paddingRatio: number;
  readonly model: string;
  readonly device: string;
  /** Empty when the embedder was not needed, or died before it could be asked. */
  readonly tuner: Partial<EmbedderMetrics['scopes']>;
  /** How long texts waited, by lane; empty as above. */
  readonly lanes: Partial<EmbedderMetrics['lanes']>;
  /** The processes that embedded; null as above. */
  readonly embedder:
    | (Pick<EmbedderMetrics, 'threads' | 'sessions' | 'rssMb' | 'peakRssMb' | 'gpuUtilization' | 'devices'> & {
        readonly restarts: number;
      })
    | null;
}

/** What embedding was like in the last pass that embedded something, whichever process made it. */
export interface EmbeddingFigures {
  /** ISO 8601, of the end of the pass. */
  readonly time: string;
  /** Since the embedder of that pass was started. */
  readonly metrics: EmbedderMetrics;
  readonly restarts: number;
}

export type IndexPhase = 'scanning' | 'indexing' | 'maintaining';

export interface IndexProgress {
  readonly folder: string;
  readonly phase: IndexPhase;
  readonly filesDone: number;
  /** 0 while scanning. */
  readonly filesTotal: number;
  readonly chunksDone: number;
  readonly chunksPerSecond: number;
  /** Seconds left by the rate so far; null while unknown. */
  readonly secondsLeft: number | null;
}

export type FolderState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'idle'; readonly files: number; readonly chunks: number }
  | { readonly kind: 'indexing'; readonly progress: IndexProgress }
  | { readonly kind: 'paused'; readonly pendingFiles: number; readonly reason?: 'asked' | 'battery' }
  /** Another process writes this index; what has changed since is worked off when it is done. `program`: `VS Code`, `tessera index`. */
  | { readonly kind: 'waiting'; readonly program: string }
  | { readonly kind: 'degraded'; readonly reason: string };

export interface FolderStatus {
  readonly folder: string;
  readonly state: FolderState;
  readonly indexDir: string;
  readonly indexName: string;
  /** Whether a full pass over the folder has been finished once: until then searches may miss what is there. */
  readonly complete: boolean;
  readonly files: number;
  readonly chunks: number;
  readonly filesByLanguage: Readonly<Record<string, number>>;
  readonly linesIndexed: number;
  readonly skipped: readonly SkippedFile[];
  readonly bytesOnDisk: number;
  readonly models: Readonly<Record<Scope, ModelInfo>> | null;
  /** Of the embedder of the process that answers. */
  readonly metrics: EmbedderMetrics | null;
  readonly embedderRestarts: number;
  /** Of the last pass over the folder that embedded something; null before the first. */
  readonly lastFigures: EmbeddingFigures | null;
  readonly lastErrors: readonly { readonly time: string; readonly code: ErrorCode; readonly message: string }[];
}

export interface SearchParams {
  /** Folders searched together; hits carry the folder they are from. */
  readonly folders: readonly string[];
  readonly query: string;
  readonly limit: number;
  readonly filters: SearchFilters;
  /** Filters in place of those above, by folder. */
  readonly folderFilters?: Readonly<Record<string, SearchFilters>>;
  readonly explain: boolean;
  /** Whether hits carry the whole text of their chunk besides the snippet. */
  readonly passages?: boolean;
  /** Folder-relative paths open in editors, in order of use; a weak, explained signal. */
  readonly openPaths?: readonly string[];
  /** Unsaved texts of open editors: searched in place of what is stored for these files, for this one search. */
  readonly overlays?: readonly OverlayText[];
}

export interface OverlayText {
  readonly folder: string;
  /** Folder-relative. */
  readonly path: string;
  readonly text: string;
}

export interface FolderHit extends Hit {
  readonly folder: string;
}

export interface SearchResult {
  readonly hits: readonly FolderHit[];
  /** False while the first index of a folder is still being made. */
  readonly complete: boolean;
  readonly tookMs: number;
  /** Why only a part of the search ran (`vectors unavailable`), or null. */
  readonly degraded: string | null;
  /** Nothing held the quoted text; these are the nearest hits without it. */
  readonly withoutPhrases?: boolean;
}

export interface SimilarParams {
  readonly folder: string;
  /** Folder-relative. */
  readonly path: string;
  readonly line: number;
  /** The selected text; null takes the chunk at the line. */
  readonly text: string | null;
  readonly limit: number;
  readonly filters: SearchFilters;
  /** Both as in a search. */
  readonly explain?: boolean;
  readonly passages?: boolean;
}

export interface ChunkView {
  readonly startLine: number;
  readonly endLine: number;
  readonly scope: Scope;
  readonly language: string;
  readonly symbol: string;
  readonly symbolKind: string;
  readonly tokens: number;
}

export type FileState =
  | { readonly kind: 'indexed'; readonly chunks: number }
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly detail: string }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'unknown' };

/** What the index server answers. */
export interface ServerRequests {
  [method: string]: readonly [unknown, unknown];
  /** Opens (or creates) a folder's index. Nothing is embedded yet. Opening twice with new settings applies them. */
  open: readonly [
    /** `retry`: a person asked for it, so that an embedder that was given up is started once more. */
    params: FolderRef & {
      readonly indexDir: string | null;
      readonly settings: IndexSettings;
      readonly retry?: boolean;
    },
    result: FolderStatus,
  ];
  close: readonly [params: FolderRef, result: null];
  /** Makes the index agree with the disk, with an embedder that may have been given up before. `rebuild` builds a fresh one beside the old, which serves meanwhile. */
  index: readonly [
    /** `firstPaths`: folder-relative paths to index before the rest, those open in editors. */
    params: FolderRef & { readonly rebuild: boolean; readonly firstPaths?: readonly string[] },
    result: IndexSummary,
  ];
  /**
   * Files that may have changed (saved, created, deleted, renamed); folder-relative. Coalesced and queued, also while paused or indexing.
   * An empty list says that anything may have changed (a checkout, an ignore file): the folder is reconciled once.
   */
  changed: readonly [params: FolderRef & { readonly paths: readonly string[] }, result: null];
  pause: readonly [params: FolderRef, result: null];
  resume: readonly [params: FolderRef, result: null];
  /** A key was pressed in an editor: for two seconds, little begins that nobody waits for. Searches and saved files are not held up. */
  typing: readonly [params: null, result: null];
  search: readonly [params: SearchParams, result: SearchResult];
  similar: readonly [params: SimilarParams, result: SearchResult];
  status: readonly [params: FolderRef, result: FolderStatus];
  fileState: readonly [params: FolderRef & { readonly path: string }, result: FileState];
  clear: readonly [params: FolderRef, result: null];
}

export interface ServerEvents {
  [name: string]: unknown;
  ready: null;
  log: LogRecord;
  state: { readonly folder: string; readonly state: FolderState };
  /** Files whose rows are now committed, folder-relative: shown hits may be stale. */
  committed: { readonly folder: string; readonly paths: readonly string[] };
}
