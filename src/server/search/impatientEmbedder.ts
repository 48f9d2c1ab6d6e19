import { type CancellationSignal, throwIfCancelled } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { Deferred } from '../../base/deferred.ts';
import type { DisposableLike } from '../../base/disposable.ts';
import { TesseraError } from '../../base/errors.ts';
import type { EmbedParams, EmbedResult, TokenVectors, TokenVectorsParams } from '../../protocol/embedder.ts';
import type { Embedder, SearchEmbedder } from '../embedder/embedder.ts';

/** As long as somebody who has typed a question looks at an empty list; the bundled model loads in a second. */
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 1000;

/**
 * An embedder for searches that words can answer, too: rejects with `embedder-failed` what has waited for ten seconds when no process is running, as where
 * memory is short for loading a model, or a driver builds its programs.
 */
export class ImpatientEmbedder implements SearchEmbedder {
  readonly #embedder: SearchEmbedder & Pick<Embedder, 'state'>;
  readonly #clock: Clock;

  constructor(embedder: SearchEmbedder & Pick<Embedder, 'state'>, clock: Clock) {
    this.#embedder = embedder;
    this.#clock = clock;
  }

  open(signal?: CancellationSignal): ReturnType<Embedder['open']> {
    return this.#wait(signal, (signal) => this.#embedder.open(signal));
  }

  embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult> {
    return this.#wait(signal, (signal) => this.#embedder.embed(params, signal));
  }

  embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    return this.#wait(signal, (signal) => this.#embedder.embedTokens(params, signal));
  }

  async #wait<T>(
    signal: CancellationSignal | undefined,
    begin: (signal: CancellationSignal) => Promise<T>,
  ): Promise<T> {
    throwIfCancelled(signal);
    const end = new AbortController();
    const onAbort = (): void => end.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const late = new Deferred<never>();
    let timer: DisposableLike;
    const look = (): void => {
      if (this.#embedder.state.kind === 'running') {
        timer = this.#clock.after(LOOK_AGAIN_MS, look);
        return;
      }
      late.reject(new TesseraError('embedder-failed', 'The model is not loaded yet.'));
      end.abort();
    };
    timer = this.#clock.after(PATIENCE_MS, look);
    try {
      return await Promise.race([begin(end.signal), late.promise]);
    } finally {
      timer.dispose();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
