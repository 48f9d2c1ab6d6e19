import type { Clock } from '../../base/clock.ts';
import type { DisposableLike } from '../../base/disposable.ts';
import { afterAwake } from '../../base/awakeTimer.ts';

/** Runs take seconds at the most, loading a model for a graphics processor minutes. */
const LONGEST_MS = 5 * 60_000;
/** Padded tokens it is enough for where sizes are measured, and where a person has set how many texts a run has: of a model of billions of weights these take long. */
const TOKENS = { measured: 16_384, fixed: 2048 } as const;

/**
 * Notices that a process does not get on with what it was asked for: a driver that hangs tells nobody. What it has begun is known from what it says, but
 * not for certain: what was said just before may be on its way for as long as a driver keeps the process from sending the rest.
 */
export class HangWatch implements DisposableLike {
  readonly #clock: Clock;
  readonly #onHang: () => void;
  #timer: DisposableLike | undefined;
  /** Requests without an answer. */
  #asked = 0;
  #hasBegun = false;
  #isDisposed = false;

  /**
   * `onHang` is called when something that was begun does not end within five minutes, or five for each 16,384 tokens of it (2,048 where a person has set its size), or
   * when for five minutes nothing is begun though something was asked for.
   */
  constructor(clock: Clock, onHang: () => void) {
    this.#clock = clock;
    this.#onHang = onHang;
  }

  /** A request was sent; its end is to be told by `answered`. */
  asked(): void {
    this.#asked += 1;
    if (this.#asked === 1 && !this.#hasBegun) this.#restart();
  }

  answered(): void {
    this.#asked -= 1;
    if (this.#asked === 0 && !this.#hasBegun) this.#stop();
  }

  /** A run, or loading, has begun. */
  begin(run?: { readonly tokens: number; readonly isFixed: boolean }): void {
    this.#hasBegun = true;
    this.#restart(run === undefined ? 0 : run.tokens / TOKENS[run.isFixed ? 'fixed' : 'measured']);
  }

  /** It has ended, or its process has. */
  end(): void {
    this.#hasBegun = false;
    if (this.#asked > 0) this.#restart();
    else this.#stop();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#stop();
  }

  #restart(times = 0): void {
    this.#stop();
    if (!this.#isDisposed)
      this.#timer = afterAwake(this.#clock, LONGEST_MS * Math.max(1, Math.ceil(times)), this.#onHang);
  }

  #stop(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }
}
