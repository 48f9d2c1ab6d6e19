import type { Clock } from '../../base/clock.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';

/** What may have changed on disk since the last flush. */
export type Change =
  | { readonly kind: 'paths'; readonly paths: readonly string[] }
  /** Too much, or something that affects everything: the folder has to be compared with the disk. */
  | { readonly kind: 'everything' };

export interface CoalescerLimits {
  /** Quiet time after the last event before saved files are handed on. */
  readonly quietMs: number;
  /** Longest a changed file waits while events keep coming. */
  readonly maxWaitMs: number;
  /** Longest a file waits that the editor has saved, and so is whole. Read sooner, its time could not be trusted yet (`trustedMtime`). */
  readonly savedWaitMs: number;
  /** Quiet time before a folder-wide comparison: a checkout or an install is still writing. */
  readonly stormQuietMs: number;
  readonly stormMaxWaitMs: number;
  /** More pending paths than this become one folder-wide comparison. */
  readonly maxPaths: number;
}

export const DEFAULT_COALESCER_LIMITS: CoalescerLimits = {
  quietMs: 100,
  maxWaitMs: 500,
  savedWaitMs: 50,
  stormQuietMs: 400,
  stormMaxWaitMs: 10_000,
  maxPaths: 2000,
};

/**
 * Turns a stream of file events into few changes: one entry per path, handed on when the stream rests. Memory is
 * bounded by `maxPaths`, whatever the storm.
 */
export class ChangeCoalescer extends Disposable {
  readonly #clock: Clock;
  readonly #limits: CoalescerLimits;
  readonly #handOn: (change: Change) => void;
  readonly #paths = new Set<string>();
  #everything = false;
  /** When what is pending is handed on at the latest. */
  #latestMs = Infinity;
  #timer: DisposableLike | undefined;

  constructor(clock: Clock, handOn: (change: Change) => void, limits: CoalescerLimits = DEFAULT_COALESCER_LIMITS) {
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
    if (!this.#everything) this.#latestMs = Math.min(this.#latestMs, this.#clock.now() + this.#limits.savedWaitMs);
    this.#schedule();
  }

  addEverything(): void {
    this.#becomeEverything();
    this.#schedule();
  }

  /** Hands on what is pending now. */
  flush(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
    this.#latestMs = Infinity;
    if (this.#everything) {
      this.#everything = false;
      this.#handOn({ kind: 'everything' });
    } else if (this.#paths.size > 0) {
      const paths = [...this.#paths];
      this.#paths.clear();
      this.#handOn({ kind: 'paths', paths });
    }
  }

  #keep(path: string): void {
    if (this.#everything) return;
    this.#paths.add(path);
    if (this.#paths.size > this.#limits.maxPaths) this.#becomeEverything();
  }

  #becomeEverything(): void {
    if (this.#everything) return;
    this.#everything = true;
    this.#latestMs = this.#clock.now() + this.#limits.stormMaxWaitMs;
    this.#paths.clear();
  }

  #schedule(): void {
    if (this.isDisposed) return;
    const now = this.#clock.now();
    if (!this.#everything) this.#latestMs = Math.min(this.#latestMs, now + this.#limits.maxWaitMs);
    const quietMs = this.#everything ? this.#limits.stormQuietMs : this.#limits.quietMs;
    const delayMs = Math.max(0, Math.min(quietMs, this.#latestMs - now));
    this.#timer?.dispose();
    this.#timer = this.#clock.after(delayMs, () => this.flush());
  }
}
