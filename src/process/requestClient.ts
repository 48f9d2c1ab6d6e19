import { type CancellationSignal, cancelledError } from '../base/cancellation.ts';
import { Deferred } from '../base/deferred.ts';
import { Disposable, type DisposableLike } from '../base/disposable.ts';
import { TesseraError } from '../base/errors.ts';
import {
  type EventMap,
  type Params,
  type RequestMap,
  type Result,
  type WireMessage,
  fromWireError,
} from '../protocol/wire.ts';
import type { MessageLink } from './messageLink.ts';
import type { KnownName } from './methodTypes.ts';

interface PendingRequest {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  readonly reply: Deferred<unknown>;
  stopListening(): void;
}

export interface RequestClientOptions {
  /** Requests the peer holds at a time; the rest wait here, in order, and cost the peer nothing. */
  readonly maxInFlight?: number;
}

/**
 * The asking end of a link: requests with answers, and the peer's events. Every request settles: by its answer, by
 * cancellation, or with the reason the link went away.
 */
export class RequestClient<R extends RequestMap, E extends EventMap> extends Disposable {
  readonly #link: MessageLink;
  readonly #maxInFlight: number;
  readonly #inFlight = new Map<number, PendingRequest>();
  readonly #waiting = new Map<number, PendingRequest>();
  readonly #listeners = new Map<string, Set<(payload: unknown) => void>>();
  #nextId = 1;
  #closedBy: TesseraError | undefined;

  constructor(link: MessageLink, options: RequestClientOptions = {}) {
    super();
    this.#link = link;
    this.#maxInFlight = options.maxInFlight ?? 1024;
    this.own(link.onMessage((message) => this.#receive(message)));
    this.own(
      link.onClose(() => this.close(new TesseraError('process-exited', 'The process at the other end has gone.'))),
    );
  }

  /** Requests not settled yet. */
  get pendingCount(): number {
    return this.#inFlight.size + this.#waiting.size;
  }

  /**
   * Asks and waits for the answer. Rejects with the peer's own error, with `cancelled` as soon as `signal` fires (the
   * peer is told, its late answer is dropped), or with the error the client was closed with.
   */
  request<M extends KnownName<R>>(method: M, params: Params<R, M>, signal?: CancellationSignal): Promise<Result<R, M>> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy);
    if (signal?.aborted === true) return Promise.reject(cancelledError());
    const id = this.#nextId++;
    const reply = new Deferred<unknown>();
    const onAbort = () => this.#cancel(id);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.set(id, {
      id,
      method,
      params,
      reply,
      stopListening: () => signal?.removeEventListener('abort', onAbort),
    });
    this.#sendWaiting();
    // The peer is the same build (or answers `protocol-violation`), so the result has the declared type.
    return reply.promise as Promise<Result<R, M>>;
  }

  on<N extends KnownName<E>>(name: N, listener: (payload: E[N]) => void): DisposableLike {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const entry = (payload: unknown) => listener(payload as E[N]);
    listeners.add(entry);
    return { dispose: () => void listeners.delete(entry) };
  }

  /** Settles everything pending with `error`; later requests fail with it too. Only the first call counts. */
  close(error: TesseraError): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = error;
    const pending = [...this.#inFlight.values(), ...this.#waiting.values()];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const request of pending) {
      request.stopListening();
      request.reply.reject(error);
    }
  }

  override dispose(): void {
    this.close(new TesseraError('disposed', 'The connection was closed.'));
    super.dispose();
  }

  #receive(message: WireMessage): void {
    if (message.kind === 'event') {
      for (const listener of [...(this.#listeners.get(message.name) ?? [])]) listener(message.payload);
      return;
    }
    if (message.kind !== 'response' && message.kind !== 'failure') return;
    const request = this.#inFlight.get(message.id);
    // Cancelled meanwhile: nobody waits for this answer.
    if (request === undefined) return;
    this.#inFlight.delete(message.id);
    request.stopListening();
    if (message.kind === 'response') request.reply.resolve(message.result);
    else request.reply.reject(fromWireError(message.error));
    this.#sendWaiting();
  }

  #cancel(id: number): void {
    const request = this.#waiting.get(id) ?? this.#inFlight.get(id);
    if (request === undefined) return;
    this.#waiting.delete(id);
    if (this.#inFlight.delete(id)) this.#link.send({ kind: 'cancel', id });
    request.stopListening();
    request.reply.reject(cancelledError());
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    for (const [id, request] of this.#waiting) {
      if (this.#inFlight.size >= this.#maxInFlight) return;
      this.#waiting.delete(id);
      this.#inFlight.set(id, request);
      const lost = this.#link.send({ kind: 'request', id, method: request.method, params: request.params });
      // When the peer is gone, `onClose` settles this request with the reason.
      if (lost === undefined || lost.code === 'process-exited') continue;
      this.#inFlight.delete(id);
      request.stopListening();
      request.reply.reject(lost);
    }
  }
}
