import type { Clock } from '../base/clock.ts';
import { Deferred } from '../base/deferred.ts';
import { isTesseraError } from '../base/errors.ts';

/** What may have changed since it was last worked off. */
export interface PendingChanges {
  /** Anything may have: then the paths say nothing more. */
  readonly everything: boolean;
  /** Folder-relative. */
  readonly paths: readonly string[];
}

export interface ChangeQueueOptions {
  readonly clock: Clock;
  /** Resolves when work may begin: until then, changes stay counted here. Rejects with `cancelled`. */
  readonly mayWork: (signal: AbortSignal) => Promise<void>;
  /** Makes the index follow these changes. */
  readonly work: (changes: PendingChanges) => Promise<void>;
  /** Called when the work failed for good; what was asked for is kept and tried again with the next change. */
  readonly onFailure: (error: unknown) => void;
  /** Ends the waiting. */
  readonly signal: () => AbortSignal;
}

/** Another process writes: how soon to look again for changes of our own. */
const RETRY_LOCKED_MS = 3_000;

/** Collects changes and works them off one set at a time; nothing told to it is lost, also while another process writes. */
export class ChangeQueue {
  readonly #options: ChangeQueueOptions;
  #paths = new Set<string>();
  #everything = false;
  #draining: Promise<void> | undefined;

  constructor(options: ChangeQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#paths.size;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Resolves when nothing is being worked off; undefined when nothing is. */
  get draining(): Promise<void> | undefined {
    return this.#draining;
  }

  add(changes: PendingChanges): void {
    this.#keep(changes);
    this.#draining ??= this.#drain();
  }

  clear(): void {
    this.#paths.clear();
    this.#everything = false;
  }

  #keep({ everything, paths }: PendingChanges): void {
    this.#everything ||= everything;
    for (const path of paths) this.#paths.add(path);
  }

  #take(): PendingChanges {
    const changes = { everything: this.#everything, paths: [...this.#paths] };
    this.clear();
    return changes;
  }

  async #drain(): Promise<void> {
    // Never at once, so that `#draining` is set before it is unset.
    await Promise.resolve();
    const signal = this.#options.signal();
    try {
      while ((this.#everything || this.#paths.size > 0) && !signal.aborted) {
        if (!(await this.#workOff(signal))) return;
      }
    } finally {
      // In the same turn as the last look for changes: one told in between would wait for the next.
      this.#draining = undefined;
    }
  }

  /** Works off what there is now; false when it is to be left for the next change. */
  async #workOff(signal: AbortSignal): Promise<boolean> {
    let changes: PendingChanges = { everything: false, paths: [] };
    try {
      await this.#options.mayWork(signal);
      changes = this.#take();
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
