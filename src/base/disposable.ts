/** Anything that holds something until told to let go. `dispose` may be called more than once. */
export interface DisposableLike {
  dispose(): void;
}

/**
 * Owner of other disposables. What it owns is let go in reverse order of acquisition, once; what is handed over
 * after `dispose` is let go at once, so a late arrival cannot leak.
 */
export abstract class Disposable implements DisposableLike {
  readonly #owned: DisposableLike[] = [];
  #disposed = false;

  get isDisposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const failures: unknown[] = [];
    for (const item of this.#owned.splice(0).reverse()) {
      try {
        item.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Some parts could not be disposed.');
  }

  protected own<T extends DisposableLike>(item: T): T {
    if (this.#disposed) item.dispose();
    else this.#owned.push(item);
    return item;
  }
}

/** Wraps a function as a disposable that runs it at most once. */
export function toDisposable(release: () => void): DisposableLike {
  let released = false;
  return {
    dispose() {
      if (released) return;
      released = true;
      release();
    },
  };
}

/** A free-standing owner, for code that has no class of its own. */
export class DisposableStore extends Disposable {
  add<T extends DisposableLike>(item: T): T {
    return this.own(item);
  }
}
