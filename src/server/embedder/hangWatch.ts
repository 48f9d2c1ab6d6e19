import type { Clock } from '../../base/clock.ts';
import type { DisposableLike } from '../../base/disposable.ts';

/** Counted in steps rather than by one long timer, which a machine that was asleep may find over when it wakes. */
const STEP_MS = 30_000;
/** Five minutes. Runs take seconds at the most, loading a model for a graphics processor minutes. */
const STEPS = 10;
/** Padded tokens it is enough for on any machine: a person may fix batches far larger than what is measured to be fast. */
const TOKENS = 16_384;

/** Notices that something which was begun does not come to an end: a driver that hangs tells nobody. */
export class HangWatch implements DisposableLike {
  readonly #clock: Clock;
  readonly #onHang: () => void;
  #timer: DisposableLike | undefined;

  /** `onHang` is called once for each `begin` that has no `end` within five minutes, or five for each 16,384 tokens. */
  constructor(clock: Clock, onHang: () => void) {
    this.#clock = clock;
    this.#onHang = onHang;
  }

  begin(tokens = 0): void {
    this.end();
    this.#wait(STEPS * Math.max(1, Math.ceil(tokens / TOKENS)));
  }

  end(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }

  dispose(): void {
    this.end();
  }

  #wait(steps: number): void {
    this.#timer = this.#clock.after(STEP_MS, () => {
      if (steps > 1) this.#wait(steps - 1);
      else this.#onHang();
    });
  }
}
