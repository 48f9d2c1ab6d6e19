import { type CancellationSignal, cancelledError } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { Deferred } from '../../base/deferred.ts';

/** A key is told of once a second at the most, so that work rests until one to two seconds after the last one. */
const REST_MS = 2_000;
/** Who never stops typing gets an index all the same: in each such time work begins only in the last part of it, a tenth. */
const CYCLE_MS = 2_500;
const WORK_MS = 250;

/** Keeps work that nobody waits for from beginning while somebody types, but for a tenth of the time. */
export class TypingRest {
  readonly #clock: Clock;
  #firstKeyMs = -Infinity;
  #lastKeyMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A key was pressed in an editor. */
  noteKey(): void {
    const now = this.#clock.now();
    if (now >= this.#lastKeyMs + REST_MS) this.#firstKeyMs = now;
    this.#lastKeyMs = now;
  }

  /** Until work may begin, as far as is known now; 0 when it may. Milliseconds. */
  get restMs(): number {
    const now = this.#clock.now();
    const untilOverMs = this.#lastKeyMs + REST_MS - now;
    if (untilOverMs <= 0) return 0;
    const untilTurnMs = CYCLE_MS - WORK_MS - ((now - this.#firstKeyMs) % CYCLE_MS);
    return Math.max(0, Math.min(untilOverMs, untilTurnMs));
  }

  /** Resolves when work may begin; rejects with `cancelled` when the signal fires first. */
  async pass(signal: CancellationSignal): Promise<void> {
    for (let waitMs = this.restMs; waitMs > 0; waitMs = this.restMs) {
      const waited = new Deferred<void>();
      const timer = this.#clock.after(waitMs, () => waited.resolve());
      const onAbort = () => waited.reject(cancelledError());
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await waited.promise;
      } finally {
        timer.dispose();
        signal.removeEventListener('abort', onAbort);
      }
    }
  }
}
