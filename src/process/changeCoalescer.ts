import type { Clock } from '../base/clock.ts';
import { Disposable, type DisposableLike } from '../base/disposable.ts';

/** What may have changed in a folder. */
export type FolderChange =
  /** These files or folders were written, created, renamed or deleted; folder-relative, without repetition. */
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  /** Anything may have changed: compare the whole folder. `reason` is for the log. */
  | { readonly kind: 'everything'; readonly reason: string };

export interface CoalescerLimits {
  /** Quiet time after the last event before changed files are handed on. */
  readonly quietMs: number;
  /** Longest a changed file waits while events keep coming. */
  readonly maxWaitMs: number;
  /** Longest a file waits that an editor has saved, and so is whole. Read sooner, its time could not be trusted yet (`trustedMtime`). */
  readonly savedWaitMs: number;
  /** Quiet time before a folder-wide comparison: a checkout or an install is still writing. */
  readonly stormQuietMs: number;
  readonly stormMaxWaitMs: number;
  /** More pending paths than this become one folder-wide comparison, which then costs less. */
  readonly maxPaths: number;
  /** So do more events than this, be they of one path. */
  readonly maxEvents: number;
}

export const DEFAULT_COALESCER_LIMITS: CoalescerLimits = {
  quietMs: 100,
  maxWaitMs: 500,
  savedWaitMs: 50,
  stormQuietMs: 400,
  stormMaxWaitMs: 10_000,
  maxPaths: 2_000,
  // Linux queues 16,384 events and drops the rest without a word; half of it at once is reason enough to doubt.
  maxEvents: 8_192,
};

/**
 * Turns a stream of file events into few changes: one entry per path, handed on when the stream rests. Memory is
 * bounded by `maxPaths`, whatever the storm.
 */
export class ChangeCoalescer extends Disposable {
  readonly #clock: Clock;
  readonly #limits: CoalescerLimits;
  readonly #handOn: (change: FolderChange) => void;
  readonly #paths = new Set<string>();
  #events = 0;
  /** Why everything is to be compared; undefined while single paths are enough. */
  #everything: string | undefined;
  /** When what is pending is handed on at the latest. */
  #latestMs = Infinity;
  #timer: DisposableLike | undefined;

  constructor(clock: Clock, handOn: (change: FolderChange) => void, limits = DEFAULT_COALESCER_LIMITS) {
    super();
    this.#clock = clock;
    this.#handOn = handOn;
    this.#limits = limits;
    this.own({ dispose: () => this.#timer?.dispose() });
  }

  /** Paths waiting to be handed on. */
  get pendingCount(): number {
    return this.#paths.size;
  }

  add(path: string): void {
    this.#keep(path);
    this.#schedule();
  }

  /** A file the editor itself has just saved: events from the file system, which come later, make it wait no longer. */
  addSaved(path: string): void {
    this.#keep(path);
    if (this.#everything === undefined)
      this.#latestMs = Math.min(this.#latestMs, this.#clock.now() + this.#limits.savedWaitMs);
    this.#schedule();
  }

  addEverything(reason: string): void {
    this.#becomeEverything(reason);
    this.#schedule();
  }

  /** Hands on what is pending now. */
  flush(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#latestMs = Infinity;
    this.#events = 0;
    const reason = this.#everything;
    if (reason !== undefined) {
      this.#everything = undefined;
      this.#handOn({ kind: 'everything', reason });
    } else if (this.#paths.size > 0) {
      const paths = [...this.#paths];
      this.#paths.clear();
      this.#handOn({ kind: 'paths', paths });
    }
  }

  #keep(path: string): void {
    if (this.#everything !== undefined) return;
    this.#events += 1;
    this.#paths.add(path);
    const { maxPaths, maxEvents } = this.#limits;
    if (this.#paths.size > maxPaths || this.#events > maxEvents) this.#becomeEverything('many changes at once');
  }

  #becomeEverything(reason: string): void {
    if (this.#everything !== undefined) return;
    this.#everything = reason;
    this.#latestMs = this.#clock.now() + this.#limits.stormMaxWaitMs;
    this.#paths.clear();
  }

  #schedule(): void {
    if (this.isDisposed) return;
    const now = this.#clock.now();
    const isStorm = this.#everything !== undefined;
    if (!isStorm) this.#latestMs = Math.min(this.#latestMs, now + this.#limits.maxWaitMs);
    const quietMs = isStorm ? this.#limits.stormQuietMs : this.#limits.quietMs;
    const delayMs = Math.max(0, Math.min(quietMs, this.#latestMs - now));
    this.#timer?.dispose();
    this.#timer = this.#clock.after(delayMs, () => this.flush());
  }
}
