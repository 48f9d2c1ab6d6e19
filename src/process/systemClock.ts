import type { Clock } from '../base/clock.ts';
import { toDisposable } from '../base/disposable.ts';

/** The machine's own clock. Pure code gets it passed in. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return toDisposable(() => clearTimeout(timer));
  },
};
