import type { CancellationSignal } from '../base/cancellation.ts';
import type { Params, Result } from '../protocol/wire.ts';

/** The named keys of a request or event map, without its index signature. */
export type KnownName<T> = keyof { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] } &
  string;

/** One function for each request. What it throws travels back as a `WireError`; `signal` fires when the caller cancels or leaves. */
export type RequestHandlers<R> = {
  readonly [M in KnownName<R>]: (
    params: Params<R, M>,
    signal: CancellationSignal,
  ) => Result<R, M> | Promise<Result<R, M>>;
};
