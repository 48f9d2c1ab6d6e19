import type { CancellationSignal } from '../base/cancellation.ts';

/** An `AbortSignal` that fires with the first of these; undefined ones never do. */
export function firstSignal(...signals: readonly (CancellationSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined).map(toAbortSignal));
}

function toAbortSignal(signal: CancellationSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener('abort', () => controller.abort(), { once: true });
  return controller.signal;
}
