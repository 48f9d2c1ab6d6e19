import { type CancellationSignal, cancelledError } from '../../base/cancellation.ts';
import { Deferred } from '../../base/deferred.ts';

/** Lets work through unless it is closed. */
export class PauseGate {
  #opening: Deferred<void> | undefined;

  get isPaused(): boolean {
    return this.#opening !== undefined;
  }

  pause(): void {
    this.#opening ??= new Deferred<void>();
  }

  resume(): void {
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  /** Resolves when the gate is open; rejects with `cancelled` when the signal fires first. */
  async pass(signal: CancellationSignal): Promise<void> {
    while (this.#opening !== undefined) {
      const cancelled = new Deferred<void>();
      const onAbort = () => cancelled.reject(cancelledError());
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await Promise.race([this.#opening.promise, cancelled.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    }
  }
}
