import { Disposable, toDisposable } from '../../base/disposable.ts';
import type { FolderChange } from './entries.ts';

export interface BatchTiming {
  /** A batch is given when nothing happened for so long, … */
  readonly quietMs: number;
  /** … or when its oldest change has waited so long. */
  readonly longestWaitMs: number;
}

/** Above this many paths comparing the whole folder costs less than looking at each. */
const MAX_PATHS = 2000;
/** Linux queues 16,384 events and drops the rest without a word; half of it at once is reason enough to doubt. */
const MAX_EVENTS = 8192;

/** Gathers single changes into batches. */
export class ChangeBatcher extends Disposable {
  readonly #timing: BatchTiming;
  readonly #emit: (change: FolderChange) => void;
  readonly #paths = new Set<string>();
  #events = 0;
  #everything: string | undefined;
  #quietTimer: NodeJS.Timeout | undefined;
  #longestTimer: NodeJS.Timeout | undefined;

  constructor(timing: BatchTiming, emit: (change: FolderChange) => void) {
    super();
    this.#timing = timing;
    this.#emit = emit;
    this.own(toDisposable(() => this.#reset()));
  }

  add(path: string): void {
    this.#events++;
    if (this.#paths.size < MAX_PATHS) this.#paths.add(path);
    if (this.#events > MAX_EVENTS || this.#paths.size === MAX_PATHS) this.#everything ??= 'many changes at once';
    this.#schedule();
  }

  everything(reason: string): void {
    this.#everything ??= reason;
    this.#schedule();
  }

  #schedule(): void {
    if (this.isDisposed) return;
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#flush(), this.#timing.quietMs);
    this.#longestTimer ??= setTimeout(() => this.#flush(), this.#timing.longestWaitMs);
  }

  #flush(): void {
    const change: FolderChange =
      this.#everything === undefined
        ? { kind: 'paths', paths: [...this.#paths] }
        : { kind: 'everything', reason: this.#everything };
    this.#reset();
    this.#emit(change);
  }

  #reset(): void {
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#longestTimer);
    this.#quietTimer = undefined;
    this.#longestTimer = undefined;
    this.#paths.clear();
    this.#events = 0;
    this.#everything = undefined;
  }
}
