import type { LogRecord } from '../base/logger.ts';
import type { Scope } from './scope.ts';

/** Urgency of a request: a person waits for `query`; a file just saved is `saved`; everything else is `bulk`. */
export const LANES = ['query', 'saved', 'bulk'] as const;
export type Lane = (typeof LANES)[number];

/** Queries and documents get different prefixes in many models. */
export type TextRole = 'query' | 'document';

export const EXECUTION_PROVIDERS = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** A device as a person names it: whatever is best, one by its provider, or by its number where a provider has several. */
export type DeviceName = 'auto' | ExecutionProvider | `${'cuda' | 'dml'}:${number}`;

/** Name of the model that comes with Tessera, a folder below `models/`. */
export const BUNDLED_MODEL = 'tessera-fast';

/** A query waits for at most one bulk run: below what a person notices as a delay while typing. */
export const LATENCY_CEILING_MS = 100;

/** A text that any model can embed: where it can't be, no text is to blame. */
export const PLAIN_TEXT = 'return a + b;';

export interface EmbedderSettings {
  /** Absolute folder of the model (HF layout) for each scope; the same folder twice is loaded once. */
  readonly models: Readonly<Record<Scope, string>>;
  /** `auto` picks by detection and measured throughput; a named provider that is missing falls back to `cpu` with a reason. */
  readonly device: DeviceName;
  /** Several devices that share bulk work, each with a process of its own; instead of `device`, which is the first of them. */
  readonly devices?: readonly DeviceName[];
  /** The device whose kind of graph each scope loads whatever runs it, so that all processes of one index embed alike; its own when left out. */
  readonly graphFor?: Readonly<Record<Scope, ExecutionProvider>>;
  /** Threads in total; 0 lets the engine choose. */
  readonly threads: number;
  /** Sessions side by side, each a process with its share of the threads; 0 leaves it to what is measured. */
  readonly sessions: number;
  /** Texts per run fixed by a person; 0 leaves it to the tuner. */
  readonly batchSize: number;
  /** Upper limit for this process's resident memory in MiB; 0 means a share of the machine's. */
  readonly memoryCeilingMb: number;
  /** Longest a bulk run may take, so that a query never waits longer than that. */
  readonly latencyCeilingMs: number;
  /** File the tuner's state is kept in, or null to keep none. */
  readonly tunerStateFile: string | null;
}

export interface ModelInfo {
  /** Stable identity of the weights and of how they are used: part of every embedding's key. */
  readonly id: string;
  readonly name: string;
  /** Length of a vector. */
  readonly dimension: number;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  readonly device: ExecutionProvider;
  /** The devices by name where several work. */
  readonly devices?: readonly DeviceName[];
  /** Why the device is not the one asked for, or not all of several are in use; null when it is. */
  readonly fallbackReason: string | null;
  /** The model gives a vector for each token (ColBERT-like). The index holds them pooled to one; `embedTokens` gives them all. */
  readonly multiVector: boolean;
}

export interface EmbedParams {
  readonly texts: readonly string[];
  readonly role: TextRole;
  readonly scope: Scope;
  readonly lane: Lane;
}

export interface EmbedResult {
  /** Row-major `texts.length × dimension`, each row of unit length, in the order of the texts. A failed text's row is zero. */
  readonly vectors: Float32Array;
  readonly dimension: number;
  /** Tokens of each text as embedded (after truncation, special tokens included). */
  readonly tokenCounts: Uint32Array;
  /** Texts that could not be embedded, by index, with the reason. */
  readonly failures: readonly { readonly index: number; readonly reason: string }[];
}

export interface LaneMetrics {
  readonly requests: number;
  /** From arrival in the queue to the start of the first run. */
  readonly waitP50Ms: number;
  readonly waitP90Ms: number;
  readonly waitP99Ms: number;
}

/** What the tuner knows and why it moved; plain data, saved and shown as it is. */
export interface TunerReport {
  /** Padded tokens per run that the tuner is for; runs have fewer where a ceiling below is lower (`runSizeOf`). */
  readonly budgetTokens: number;
  /** Texts per run that a person fixed, in place of the budget; left out where the tuner decides. */
  readonly textsPerRun?: number;
  readonly bestTokensPerSecond: number;
  /** Padded tokens a run may have for memory: for what ran out of it, or for what a person allows, as far as that is known; null where nothing speaks against any size. */
  readonly memoryCeilingTokens: number | null;
  /** Budget at which a run takes the latency ceiling; null before it is known. */
  readonly latencyCeilingTokens: number | null;
  readonly converged: boolean;
  readonly runs: number;
  readonly moves: readonly {
    readonly run: number;
    readonly fromTokens: number;
    readonly toTokens: number;
    readonly reason: string;
  }[];
}

export interface ScopeMetrics {
  readonly device: ExecutionProvider;
  readonly runs: number;
  readonly texts: number;
  /** Tokens of the texts themselves. */
  readonly realTokens: number;
  /** Tokens computed: longest × count, summed over runs. */
  readonly paddedTokens: number;
  /** (padded − real) / real. */
  readonly paddingRatio: number;
  /** Of the time spent in runs since the start. */
  readonly tokensPerSecond: number;
  readonly textsPerSecond: number;
  /** The same over the last runs only. */
  readonly recentTokensPerSecond: number;
  readonly recentTextsPerSecond: number;
  /** The most the line above has been since the start; that of tokens, which is kept between starts, is the tuner's to tell. */
  readonly bestTextsPerSecond: number;
  readonly runP50Ms: number;
  readonly runP90Ms: number;
  readonly runP99Ms: number;
  readonly tokenizeMs: number;
  /** Largest resident memory seen after runs of up to so many padded tokens (powers of two), in MiB. */
  readonly rssByRunTokens: readonly { readonly upToTokens: number; readonly rssMb: number }[];
  readonly backoffs: number;
  readonly tuner: TunerReport;
}

/** Figures of one of several devices. */
export interface DeviceMetrics extends Pick<EmbedderMetrics, 'scopes' | 'rssMb' | 'gpuUtilization'> {
  readonly device: DeviceName;
}

export interface EmbedderMetrics {
  /** Each device by itself, where several work. */
  readonly devices?: readonly DeviceMetrics[];
  readonly scopes: Readonly<Record<Scope, ScopeMetrics>>;
  readonly lanes: Readonly<Record<Lane, LaneMetrics>>;
  readonly threads: number;
  readonly sessions: number;
  readonly rssMb: number;
  readonly peakRssMb: number;
  /** Share of a GPU's time in use, 0 to 1, where the platform tells. */
  readonly gpuUtilization: number | null;
}

/** A run that was under way when the process was lost: what to stay below from now on. */
export interface LostRun {
  readonly scope: Scope;
  /** Tokens of each row, padding included. */
  readonly length: number;
  readonly count: number;
  /** Of a run larger than a remembered memory ceiling had been that was raised, as `MemoryCeiling.triedAfter` has it. */
  readonly triedAfter?: number;
  /** Whether a process after it was told of it already. */
  readonly isRetold?: boolean;
}

/** A run that a device had the memory for. */
export interface ProvenRun {
  readonly device: ExecutionProvider;
  /** Padding included. */
  readonly tokens: number;
}

export interface OpenParams {
  readonly settings: EmbedderSettings;
  /** Processes that share the threads and the memory of the settings, this one included. */
  readonly processes: number;
  /** Threads of this process; null for its share of those of the settings. */
  readonly threads: number | null;
  /** Runs that earlier processes of this session were killed in by want of memory. */
  readonly lostRuns: readonly LostRun[];
  /** The largest run of each scope that succeeded in those processes, and where; null where none did. */
  readonly provenRuns: Readonly<Record<Scope, ProvenRun | null>>;
  /** Why no accelerator may be tried, though one was asked for: it took a process down. Null when any may. */
  readonly processorOnly: string | null;
}

/** A piece of a caller's work on its way to the embedder process. Its vectors come back in `rows` events, as runs end. */
export interface EmbedPieceParams extends EmbedParams {
  /** Names the piece in events; never used twice in a process's life. */
  readonly piece: number;
  /** Indices of texts to be run alone, because a process died while it ran them with others. */
  readonly alone: readonly number[];
}

export interface TokenVectorsParams {
  readonly texts: readonly string[];
  readonly role: TextRole;
  readonly scope: Scope;
}

/** A unit vector for each token of each text, for models that mean it (`ModelInfo.multiVector`). */
export interface TokenVectors {
  /** Row-major, one row a token, texts one after another in the order asked. */
  readonly vectors: Float32Array;
  readonly dimension: number;
  /** Rows of each text: its tokens as embedded, special ones included. */
  readonly tokenCounts: Uint32Array;
}

/** What the embedder process answers. */
export interface EmbedderRequests {
  [method: string]: readonly [unknown, unknown];
  /** Loads the models. Sent first, once a process. Fails with `model-missing`, `model-invalid` or `model-unsupported`. */
  open: readonly [params: OpenParams, result: Readonly<Record<Scope, ModelInfo>>];
  /** Answered when every text of the piece has had its row or is among the failures. */
  embed: readonly [params: EmbedPieceParams, result: Pick<EmbedResult, 'failures'>];
  /** For a search somebody waits for: goes before bulk work. Fails with `invalid-argument` when the model is not multi-vector. */
  embedTokens: readonly [params: TokenVectorsParams, result: TokenVectors];
  /** Tokens of each text, untruncated, without special tokens. */
  countTokens: readonly [params: { readonly texts: readonly string[]; readonly scope: Scope }, result: Uint32Array];
  metrics: readonly [params: null, result: EmbedderMetrics];
}

export interface EmbedderEvents {
  [name: string]: unknown;
  ready: null;
  log: LogRecord;
  /** Sent just before a run, so that whoever sees the process die knows what it was doing. */
  runStarted: LostRun & { readonly members: readonly { readonly piece: number; readonly indices: Uint32Array }[] };
  /** Sent when the run that was started last is over, whatever came of it. */
  /** A process that ends soon after a run that failed may have ended over it. */
  runEnded: { readonly failed: boolean };
  /** A model fails at any text, most likely because its device is lost. Nothing is run any more: to be answered by ending the process. */
  broken: { readonly scope: Scope; readonly reason: string };
  /** Vectors of some texts of a piece: row-major, one row for each index. */
  rows: {
    readonly piece: number;
    readonly indices: Uint32Array;
    readonly vectors: Float32Array;
    readonly tokenCounts: Uint32Array;
  };
}
