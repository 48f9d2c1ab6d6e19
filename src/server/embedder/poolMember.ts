import type { CancellationSignal } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { type EmbedParams, type EmbedResult, LANES, type Lane } from '../../protocol/embedder.ts';
import type { EmbedderClient } from './embedderClient.ts';
import { Pace } from './pace.ts';
import type { Taker } from './shareOut.ts';

/** One process of a pool: what it has before it, and how fast it is. */
export class PoolMember {
  readonly client: EmbedderClient;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #pace = new Pace();
  readonly #held: Record<Lane, number> = { query: 0, saved: 0, bulk: 0 };

  constructor(client: EmbedderClient, clock: Pick<Clock, 'now'>) {
    this.client = client;
    this.#clock = clock;
    client.onState(({ kind }) => {
      if (kind !== 'running') this.#pace.forget();
    });
  }

  /** Whether it has not failed for good. */
  get isAlive(): boolean {
    return this.client.state.kind !== 'failed';
  }

  get isRunning(): boolean {
    return this.client.state.kind === 'running';
  }

  /** Characters of the texts it was given and has not answered. */
  get heldChars(): number {
    return LANES.reduce((sum, lane) => sum + this.#held[lane], 0);
  }

  get queryChars(): number {
    return this.#held.query;
  }

  /** Characters a millisecond; undefined while nobody knows. */
  get charsPerMs(): number | undefined {
    return this.#pace.charsPerMs(this.#clock.now());
  }

  asTaker(lane: Lane): Taker {
    return { laneChars: this.#held[lane], heldChars: this.heldChars, charsPerMs: this.charsPerMs };
  }

  /** Embeds as the client does; `onSettled` is called after each text that is answered or given up. */
  async embed(params: EmbedParams, signal: CancellationSignal, onSettled: () => void): Promise<EmbedResult> {
    const { lane } = params;
    let unsettled = params.texts.reduce((sum, text) => sum + text.length, 0);
    if (this.heldChars === 0) this.#pace.begin(this.#clock.now());
    this.#held[lane] += unsettled;
    try {
      return await this.client.embed(params, signal, (chars) => {
        unsettled -= chars;
        this.#held[lane] -= chars;
        const now = this.#clock.now();
        this.#pace.done(chars, now);
        if (this.heldChars === 0) this.#pace.end(now);
        onSettled();
      });
    } finally {
      this.#held[lane] -= unsettled;
    }
  }
}
