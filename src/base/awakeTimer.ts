import type { Clock } from './clock.ts';
import type { DisposableLike } from './disposable.ts';

const LONGEST_STEP_MS = 30_000;
const LEAST_STEPS = 4;

/**
 * Calls `callback` once, after `delayMs` of which each sleep of the machine takes a step (a quarter, 30 seconds at most) at the most: one long timer
 * may be over when it wakes. Disposing cancels it.
 */
export function afterAwake(clock: Pick<Clock, 'after'>, delayMs: number, callback: () => void): DisposableLike {
  const steps = Math.max(LEAST_STEPS, Math.ceil(delayMs / LONGEST_STEP_MS));
  let timer: DisposableLike;
  const wait = (left: number): void => {
    timer = clock.after(delayMs / steps, () => {
      if (left > 1) wait(left - 1);
      else callback();
    });
  };
  wait(steps);
  return { dispose: () => timer.dispose() };
}
