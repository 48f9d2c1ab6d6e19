import { createHash } from 'node:crypto';
import { type CancellationSignal, throwIfCancelled } from '../../src/base/cancellation.ts';
import { Deferred } from '../../src/base/deferred.ts';
import { Disposable } from '../../src/base/disposable.ts';
import { TesseraError } from '../../src/base/errors.ts';
import { Emitter } from '../../src/base/event.ts';
import type { ProcessState } from '../../src/process/processSupervisor.ts';
import type {
  EmbedParams,
  EmbedResult,
  EmbedderMetrics,
  ModelInfo,
  ScopeMetrics,
  TokenVectors,
  TokenVectorsParams,
} from '../../src/protocol/embedder.ts';
import type { Scope } from '../../src/protocol/scope.ts';
import type { Embedder } from '../../src/server/embedder/embedder.ts';

const DIMENSION = 16;

const NO_RUNS: ScopeMetrics = {
  device: 'cpu',
  runs: 0,
  texts: 0,
  realTokens: 0,
  paddedTokens: 0,
  paddingRatio: 0,
  tokensPerSecond: 0,
  textsPerSecond: 0,
  recentTokensPerSecond: 0,
  recentTextsPerSecond: 0,
  bestTextsPerSecond: 0,
  runP50Ms: 0,
  runP90Ms: 0,
  runP99Ms: 0,
  tokenizeMs: 0,
  rssByRunTokens: [],
  backoffs: 0,
  tuner: {
    budgetTokens: 0,
    bestTokensPerSecond: 0,
    memoryCeilingTokens: null,
    latencyCeilingTokens: null,
    converged: false,
    runs: 0,
    moves: [],
  },
};

const NO_REQUESTS = { requests: 0, waitP50Ms: 0, waitP90Ms: 0, waitP99Ms: 0 };

/** Figures of an embedder that has done nothing. */
export const NO_WORK: EmbedderMetrics = {
  scopes: { code: NO_RUNS, docs: NO_RUNS },
  lanes: { query: NO_REQUESTS, saved: NO_REQUESTS, bulk: NO_REQUESTS },
  threads: 1,
  sessions: 1,
  rssMb: 0,
  peakRssMb: 0,
  gpuUtilization: null,
};

/** A model of vectors with one number. */
export const FAKE_MODEL: ModelInfo = {
  id: 'fake',
  name: 'fake',
  dimension: 1,
  maxTokens: 512,
  device: 'cpu',
  fallbackReason: null,
  multiVector: false,
};

/** An embedder without a process: the hash of a text as its vector. Counts what it was asked and can be held up. */
export class HashEmbedder extends Disposable implements Embedder {
  /** Every text it embedded, in order. */
  readonly texts: string[] = [];
  /** Texts holding one of these words can't be embedded. */
  readonly deadlyWords = new Set<string>();
  readonly #state = this.own(new Emitter<ProcessState>());
  readonly onState = this.#state.event;
  readonly state: ProcessState = { kind: 'running', generation: 1, pid: undefined };
  readonly restarts = 0;
  readonly #modelId: string;
  /** Why it is not on the device asked for. */
  fallbackReason: string | null = null;
  #held: Deferred<void> | undefined;
  /** Fires when an `embed` call arrives. */
  readonly onEmbed = new Emitter<EmbedParams>();

  constructor(modelId = 'hash') {
    super();
    this.#modelId = modelId;
  }

  open(): Promise<Readonly<Record<Scope, ModelInfo>>> {
    const model: ModelInfo = {
      id: this.#modelId,
      name: this.#modelId,
      dimension: DIMENSION,
      maxTokens: 512,
      device: 'cpu',
      fallbackReason: this.fallbackReason,
      multiVector: false,
    };
    return Promise.resolve({ code: model, docs: model });
  }

  /** Makes `embed` wait until `release`. */
  hold(): void {
    this.#held ??= new Deferred<void>();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult> {
    throwIfCancelled(signal);
    this.onEmbed.fire(params);
    if (this.#held !== undefined) {
      const cancelled = new Deferred<void>();
      signal?.addEventListener('abort', () => cancelled.resolve(), { once: true });
      await Promise.race([this.#held.promise, cancelled.promise]);
    }
    throwIfCancelled(signal);
    this.texts.push(...params.texts);
    const vectors = new Float32Array(params.texts.length * DIMENSION);
    const failures: { index: number; reason: string }[] = [];
    params.texts.forEach((text, index) => {
      if ([...this.deadlyWords].some((word) => text.includes(word))) failures.push({ index, reason: 'deadly' });
      else vectors.set(vectorOf(text), index * DIMENSION);
    });
    return {
      vectors,
      dimension: DIMENSION,
      tokenCounts: Uint32Array.from(params.texts, (text) => text.length),
      failures,
    };
  }

  embedTokens(_params: TokenVectorsParams): Promise<TokenVectors> {
    return Promise.reject(new TesseraError('invalid-argument', 'A hash is not multi-vector.'));
  }

  countTokens(texts: readonly string[]): Promise<Uint32Array> {
    return Promise.resolve(Uint32Array.from(texts, (text) => text.length));
  }

  metrics(): Promise<EmbedderMetrics> {
    return Promise.resolve(NO_WORK);
  }

  forgive(): void {
    // It never fails.
  }
}

function vectorOf(text: string): Float32Array {
  const bytes = createHash('sha256').update(text).digest();
  const vector = Float32Array.from({ length: DIMENSION }, (_, index) => (bytes[index] ?? 0) - 127.5);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}
