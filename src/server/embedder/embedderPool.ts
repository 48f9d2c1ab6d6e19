import type { CancellationSignal } from '../../base/cancellation.ts';
import { Disposable } from '../../base/disposable.ts';
import { TesseraError } from '../../base/errors.ts';
import type { Event } from '../../base/event.ts';
import { Emitter } from '../../base/event.ts';
import { mergeMetrics } from '../../embedding/mergeMetrics.ts';
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
import { EmbedderClient, type EmbedderClientOptions } from './embedderClient.ts';
import type { Embedder } from './embedder.ts';

/** Texts given to one process before the next is considered: few, so that all processes end together. */
const SHARE_TEXTS = 32;

/** Several embedder processes behind one queue: work goes to the one that has least before it. */
export class EmbedderPool extends Disposable implements Embedder {
  readonly #members: readonly { readonly client: EmbedderClient; pendingChars: number }[];
  readonly #stateEmitter = this.own(new Emitter<ProcessState>());
  readonly onState: Event<ProcessState> = this.#stateEmitter.event;

  constructor(options: EmbedderClientOptions) {
    super();
    const processes = options.settings.sessions;
    this.#members = Array.from({ length: processes }, () => ({
      client: this.own(new EmbedderClient({ ...options, processes })),
      pendingChars: 0,
    }));
    for (const { client } of this.#members) this.own(client.onState(() => this.#stateEmitter.fire(this.state)));
  }

  /** Failed when one has; else that of the first. */
  get state(): ProcessState {
    const states = this.#members.map(({ client }) => client.state);
    return states.find((state) => state.kind === 'failed') ?? states[0] ?? { kind: 'stopped' };
  }

  get restarts(): number {
    return this.#members.reduce((sum, { client }) => sum + client.restarts, 0);
  }

  forgive(): void {
    for (const { client } of this.#members) client.forgive();
  }

  async open(signal?: CancellationSignal): Promise<Readonly<Record<Scope, ModelInfo>>> {
    const [models] = await Promise.all(this.#members.map(({ client }) => client.open(signal)));
    if (models === undefined) throw new TesseraError('internal', 'An embedder needs a session.');
    return models;
  }

  async embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult> {
    const { texts } = params;
    const starts = Array.from(
      { length: Math.max(1, Math.ceil(texts.length / SHARE_TEXTS)) },
      (_, i) => i * SHARE_TEXTS,
    );
    const results = await Promise.all(
      starts.map((start) => this.#embedShare({ ...params, texts: texts.slice(start, start + SHARE_TEXTS) }, signal)),
    );
    return join(results, starts, texts.length);
  }

  embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    return this.#idlest().client.embedTokens(params, signal);
  }

  countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array> {
    return this.#idlest().client.countTokens(texts, scope, signal);
  }

  async metrics(): Promise<EmbedderMetrics | null> {
    const all = await Promise.all(this.#members.map(({ client }) => client.metrics()));
    const [first, ...rest] = all.filter((metrics) => metrics !== null);
    return first === undefined ? null : mergeMetrics([first, ...rest]);
  }

  async #embedShare(params: EmbedParams, signal: CancellationSignal | undefined): Promise<EmbedResult> {
    const member = this.#idlest();
    const chars = params.texts.reduce((sum, text) => sum + text.length, 0);
    member.pendingChars += chars;
    try {
      return await member.client.embed(params, signal);
    } finally {
      member.pendingChars -= chars;
    }
  }

  #idlest(): { readonly client: EmbedderClient; pendingChars: number } {
    return this.#members.reduce((least, member) => (member.pendingChars < least.pendingChars ? member : least));
  }
}

function join(results: readonly EmbedResult[], starts: readonly number[], count: number): EmbedResult {
  const dimension = results[0]?.dimension ?? 0;
  const vectors = new Float32Array(count * dimension);
  const tokenCounts = new Uint32Array(count);
  results.forEach((result, share) => {
    const start = starts[share] ?? 0;
    vectors.set(result.vectors, start * dimension);
    tokenCounts.set(result.tokenCounts, start);
  });
  const failures = results.flatMap((result, share) =>
    result.failures.map(({ index, reason }) => ({ index: index + (starts[share] ?? 0), reason })),
  );
  return { vectors, dimension, tokenCounts, failures };
}
