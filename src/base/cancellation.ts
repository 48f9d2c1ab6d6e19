import { TesseraError, isTesseraError } from './errors.ts';

/** The part of `AbortSignal` that Tessera uses, declared here so that the pure layers need neither Node's nor the DOM's types. */
export interface CancellationSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Cancellation is an outcome: callers that may be cancelled look for this code. */
export function cancelledError(): TesseraError {
  return new TesseraError('cancelled', 'The work was cancelled.');
}

export function isCancelled(error: unknown): boolean {
  return isTesseraError(error, 'cancelled');
}

export function throwIfCancelled(signal: CancellationSignal | undefined): void {
  if (signal?.aborted === true) throw cancelledError();
}
