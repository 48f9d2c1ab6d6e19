import type { CancellationSignal } from '../../base/cancellation.ts';
import { Deferred } from '../../base/deferred.ts';

/** Calls that wait until others have ended. */
export class WaitingCalls {
  readonly #waiting = new Set<Deferred<void>>();

  /** Resolves at the next `wakeAll`, or when `signal` fires. */
  async next(signal: CancellationSignal | undefined): Promise<void> {
    const waiter = new Deferred<void>();
    const wake = () => waiter.resolve();
    this.#waiting.add(waiter);
    signal?.addEventListener('abort', wake, { once: true });
    try {
      await waiter.promise;
    } finally {
      signal?.removeEventListener('abort', wake);
      this.#waiting.delete(waiter);
    }
  }

  wakeAll(): void {
    for (const waiter of this.#waiting) waiter.resolve();
  }
}
