import type { Clock } from '../../base/clock.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';
import type { IndexServer } from '../folders/indexServer.ts';

/** Often enough for the server, which rests for two seconds after each. */
const AT_MOST_EVERY_MS = 1_000;

export interface TypingNoticeOptions {
  readonly server: Pick<IndexServer, 'state' | 'request'>;
  readonly clock: Clock;
  /** Calls its listener with each key pressed in an editor. */
  readonly onKey: (listener: () => void) => DisposableLike;
}

/** Tells the index server that somebody types, so that it begins little that nobody waits for. */
export class TypingNotice extends Disposable {
  readonly #options: TypingNoticeOptions;
  #toldAtMs = -Infinity;

  constructor(options: TypingNoticeOptions) {
    super();
    this.#options = options;
  }

  start(): void {
    this.own(this.#options.onKey(() => this.#note()));
  }

  #note(): void {
    const { server, clock } = this.#options;
    // A key starts no server.
    if (server.state.kind !== 'running' || clock.now() - this.#toldAtMs < AT_MOST_EVERY_MS) return;
    this.#toldAtMs = clock.now();
    // A server that has gone does nothing that could disturb.
    server.request('typing', null).catch(() => undefined);
  }
}
