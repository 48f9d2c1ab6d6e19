import type { Clock } from '../../base/clock.ts';
import type { DisposableLike } from '../../base/disposable.ts';

/** Counted in steps rather than by one long timer, which a machine that was asleep may find over when it wakes. */
const STEP_MS = 30_000;
/** Five minutes. Runs take seconds at the most, loading a model for a graphics processor minutes. */
const STEPS = 10;
/** Padded tokens it is enough for on any machine: a person may fix batches far larger than what is measured to be fast. */
const TOKENS = 16_384;

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
   * `onHang` is called when something that was begun does not end within five minutes, or five for each 16,384 tokens of it, or
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
  begin(tokens = 0): void {
    this.#hasBegun = true;
    this.#restart(tokens);
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

  #restart(tokens = 0): void {
    this.#stop();
    if (!this.#isDisposed) this.#wait(STEPS * Math.max(1, Math.ceil(tokens / TOKENS)));
  }

  #stop(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }

  #wait(steps: number): void {
    this.#timer = this.#clock.after(STEP_MS, () => {
      if (steps > 1) this.#wait(steps - 1);
      else this.#onHang();
    });
  }
}
