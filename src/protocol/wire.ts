import { type ErrorCode, type ErrorDetails, TesseraError, toTesseraError } from '../base/errors.ts';

/** Requests a peer answers: method → [params, result]. */
export type RequestMap = Record<string, readonly [params: unknown, result: unknown]>;
/** Events a peer sends unasked: name → payload. */
export type EventMap = Record<string, unknown>;

export type Params<R, M extends keyof R> = R[M] extends readonly [infer P, unknown] ? P : never;
export type Result<R, M extends keyof R> = R[M] extends readonly [unknown, infer T] ? T : never;

/** What travels between two processes. Structured clone carries typed arrays as they are. */
export type WireMessage =
  | { readonly kind: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'response'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'event'; readonly name: string; readonly payload: unknown };

/** A `TesseraError` in a form that survives the way to another process. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
  readonly stack: string | undefined;
}

export function toWireError(error: unknown): WireError {
  const { code, message, details, stack } = toTesseraError(error);
  return { code, message, details, stack };
}

export function fromWireError(error: WireError): TesseraError {
  const revived = new TesseraError(error.code, error.message, { details: error.details });
  if (error.stack !== undefined) revived.stack = error.stack;
  return revived;
}
