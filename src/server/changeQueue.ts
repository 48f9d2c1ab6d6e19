import type { Clock } from '../base/clock.ts';
import { Deferred } from '../base/deferred.ts';
import { isTesseraError } from '../base/errors.ts';

/** What may have changed since it was last worked off. */
export interface PendingChanges {
  /** Anything may have. */
  readonly everything: boolean;
  /** Folder-relative. */
  readonly paths: readonly string[];
}

export interface ChangeQueueOptions {
  readonly clock: Clock;
  /** Resolves when work may begin: until then, changes stay counted here. Rejects with `cancelled`. */
  readonly mayWork: (signal: AbortSignal) => Promise<void>;
  /** Makes the index follow these changes: either everything or some paths. */
  readonly work: (changes: PendingChanges) => Promise<void>;
  /** Called when the work failed for good; what was asked for is kept and tried again with the next change. */
  readonly onFailure: (error: unknown) => void;
  /** Ends the waiting. */
  readonly signal: () => AbortSignal;
}

/** Another process writes: how soon to look again for changes of our own. */
const RETRY_LOCKED_MS = 3_000;

/** Worked off beside each other: a saved file does not wait until the whole folder has been looked at. */
type Kind = 'everything' | 'paths';

/** Collects changes and works them off, one set of each kind at a time; nothing told to it is lost, also while another process writes. */
export class ChangeQueue {
  readonly #options: ChangeQueueOptions;
  readonly #paths = new Set<string>();
  #everything = false;
  readonly #draining = new Map<Kind, Promise<void>>();

  constructor(options: ChangeQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#paths.size;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Resolves when what is being worked off now is; undefined when nothing is. */
  get draining(): Promise<unknown> | undefined {
    return this.#draining.size === 0 ? undefined : Promise.all(this.#draining.values());
  }

  add(changes: PendingChanges): void {
    this.#keep(changes);
    this.retry();
  }

  /** Works off what was kept when it could not be, or was stopped. */
  retry(): void {
    for (const kind of ['everything', 'paths'] as const) {
      if (this.#isPending(kind) && !this.#draining.has(kind)) this.#draining.set(kind, this.#drain(kind));
    }
  }

  clear(): void {
    this.#paths.clear();
    this.#everything = false;
  }

  #keep({ everything, paths }: PendingChanges): void {
    this.#everything ||= everything;
    for (const path of paths) this.#paths.add(path);
  }

  #isPending(kind: Kind): boolean {
    return kind === 'everything' ? this.#everything : this.#paths.size > 0;
  }

  #take(kind: Kind): PendingChanges {
    if (kind === 'everything') {
      this.#everything = false;
      return { everything: true, paths: [] };
    }
    const paths = [...this.#paths];
    this.#paths.clear();
    return { everything: false, paths };
  }

  async #drain(kind: Kind): Promise<void> {
    // Never at once, so that it is in `#draining` before it is removed.
    await Promise.resolve();
    const signal = this.#options.signal();
    try {
      while (this.#isPending(kind) && !signal.aborted) {
        if (!(await this.#workOff(kind, signal))) return;
      }
    } finally {
      // In the same turn as the last look for changes: one told in between would wait for the next.
      this.#draining.delete(kind);
    }
  }

  /** Works off what there is now; false when it is to be left for the next change. */
  async #workOff(kind: Kind, signal: AbortSignal): Promise<boolean> {
    let changes: PendingChanges = { everything: false, paths: [] };
    try {
      await this.#options.mayWork(signal);
      if (!this.#isPending(kind)) return true;
      changes = this.#take(kind);
      await this.#options.work(changes);
    } catch (error) {
      this.#keep(changes);
      if (isTesseraError(error, 'cancelled')) return false;
      if (!isTesseraError(error, 'store-locked')) {
        this.#options.onFailure(error);
        return false;
      }
      await this.#sleep(signal);
    }
    return true;
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const over = new Deferred<void>();
    const end = () => over.resolve();
    const timer = this.#options.clock.after(RETRY_LOCKED_MS, end);
    signal.addEventListener('abort', end, { once: true });
    await over.promise;
    timer.dispose();
    signal.removeEventListener('abort', end);
  }
}
