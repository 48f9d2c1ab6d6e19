import type { CancellationSignal } from '../../base/cancellation.ts';
import type { DisposableLike } from '../../base/disposable.ts';
import type { Event } from '../../base/event.ts';
import type { ProcessState } from '../../process/processSupervisor.ts';
import type {
  EmbedParams,
  EmbedResult,
  EmbedderMetrics,
  ModelInfo,
  TokenVectors,
  TokenVectorsParams,
} from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';

/** Turns texts into vectors, in another process. What indexing and search see of it. */
export interface Embedder extends DisposableLike {
  /**
   * What the models are; starts the process and loads them when that has not happened yet. Rejects with
   * `model-missing`, `model-invalid`, `model-unsupported`, or `process-exited` when the process keeps dying.
   */
  open(signal?: CancellationSignal): Promise<Readonly<Record<Scope, ModelInfo>>>;
  /**
   * Embeds texts of one lane; any number of calls may be under way, and more of them make better batches. The process
   * dying is no error: what was unanswered is done again. A text that kills it twice is among the result's failures.
   * Rejects with `cancelled` as soon as `signal` fires.
   */
  embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult>;
  /**
   * A vector for each token, for a search somebody waits for. Rejects with `invalid-argument` when the scope's model is not
   * multi-vector, with `out-of-memory` or `process-exited` when it could not be done: nothing is tried again.
   */
  embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors>;
  /** Tokens of each text, untruncated, without special tokens. */
  countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array>;
  /** Figures since the process started; the last known ones when it is not running, null when there are none. */
  metrics(): Promise<EmbedderMetrics | null>;
  readonly state: ProcessState;
  readonly onState: Event<ProcessState>;
  /** Times the process ended unasked. */
  readonly restarts: number;
  /** Forgets failures, so that the next call starts the process again. */
  forgive(): void;
}

/** What a search sees of it. */
export type SearchEmbedder = Pick<Embedder, 'open' | 'embed' | 'embedTokens'>;
