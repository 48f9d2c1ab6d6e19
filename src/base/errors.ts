/**
 * Every failure a part of Tessera can report to another. Callers branch on the code, never on a message.
 * Words for people are made from code and details in host/ and cli/.
 */
export type ErrorCode =
  | 'cancelled'
  | 'invalid-argument'
  | 'not-found'
  | 'not-indexed'
  | 'folder-unreadable'
  | 'file-unreadable'
  | 'model-missing'
  | 'model-invalid'
  | 'model-unsupported'
  | 'device-unavailable'
  | 'out-of-memory'
  | 'embedder-failed'
  | 'text-quarantined'
  | 'process-exited'
  | 'process-unresponsive'
  | 'protocol-violation'
  | 'store-failed'
  | 'store-locked'
  | 'disk-full'
  | 'disposed'
  | 'internal';

/** Plain facts about a failure: a path, an option's name, an exit code. Never file contents. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export class TesseraError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TesseraError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function isTesseraError(error: unknown, code?: ErrorCode): error is TesseraError {
  return error instanceof TesseraError && (code === undefined || error.code === code);
}

/** The message of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Anything thrown as a `TesseraError`; what is not one yet becomes `fallback`, with the original as cause. */
export function toTesseraError(
  error: unknown,
  fallback: ErrorCode = 'internal',
  details: ErrorDetails = {},
): TesseraError {
  if (error instanceof TesseraError) return error;
  return new TesseraError(fallback, errorMessage(error), { cause: error, details });
}

/** Marks a branch the types rule out; reaching it is a bug. */
export function assertNever(value: never): never {
  throw new TesseraError('internal', `Unexpected value ${JSON.stringify(value)}.`);
}
