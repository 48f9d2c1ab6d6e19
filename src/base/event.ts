import { type DisposableLike, toDisposable } from './disposable.ts';

/** Subscribes a listener; disposing the result unsubscribes it. Assignable to and from VS Code's `Event` shape. */
export type Event<T> = (listener: (value: T) => void) => DisposableLike;

/** Source of an event. Listeners run synchronously, in order of subscription; one that throws does not stop the rest. */
export class Emitter<T> implements DisposableLike {
  readonly #listeners = new Set<(value: T) => void>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void = rethrow) {
    this.#onListenerError = onListenerError;
  }

  readonly event: Event<T> = (listener) => {
    // A wrapper of its own, so that the same function subscribed twice is called twice.
    const entry = (value: T) => listener(value);
    this.#listeners.add(entry);
    return toDisposable(() => this.#listeners.delete(entry));
  };

  fire(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}

function rethrow(error: unknown): never {
  throw error;
}
