import type { DisposableLike } from './disposable.ts';

/** Time as a dependency, so that policies can be tested without waiting. */
export interface Clock {
  /** Milliseconds from an arbitrary start; never goes backwards. */
  now(): number;
  /** Milliseconds since the Unix epoch; may jump. */
  wallTime(): number;
  /** Calls `callback` once, `delayMs` from now; disposing cancels it. */
  after(delayMs: number, callback: () => void): DisposableLike;
}
