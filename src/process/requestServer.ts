import { Disposable } from '../base/disposable.ts';
import { TesseraError } from '../base/errors.ts';
import { type EventMap, type RequestMap, type WireMessage, toWireError } from '../protocol/wire.ts';
import type { MessageLink } from './messageLink.ts';
import type { KnownName, RequestHandlers } from './methodTypes.ts';

type AnyHandler = (params: unknown, signal: AbortSignal) => unknown;

/** The answering end of a link: runs a handler for each request and sends events. Leaving callers cancel their requests. */
export class RequestServer<R extends RequestMap, E extends EventMap> extends Disposable {
  readonly #link: MessageLink;
  readonly #handlers: ReadonlyMap<string, AnyHandler>;
  readonly #running = new Map<number, AbortController>();

  constructor(link: MessageLink, handlers: RequestHandlers<R>) {
    super();
    this.#link = link;
    // Parameters are typed by the caller's side of the same protocol; a handler checks what it must not trust.
    this.#handlers = new Map(Object.entries<unknown>(handlers) as [string, AnyHandler][]);
    this.own(link.onMessage((message) => this.#receive(message)));
    this.own(link.onClose(() => this.#abortAll()));
  }

  /** Tells the peer something it did not ask for. Lost when the peer is gone; a payload that can't be copied is warned of. */
  emit<N extends KnownName<E>>(name: N, payload: E[N]): void {
    const lost = this.#link.send({ kind: 'event', name, payload });
    if (lost?.code === 'invalid-argument') process.emitWarning(lost);
  }

  override dispose(): void {
    this.#abortAll();
    super.dispose();
  }

  #receive(message: WireMessage): void {
    if (message.kind === 'request') void this.#answer(message.id, message.method, message.params);
    else if (message.kind === 'cancel') this.#running.get(message.id)?.abort();
  }

  async #answer(id: number, method: string, params: unknown): Promise<void> {
    const cancellation = new AbortController();
    this.#running.set(id, cancellation);
    try {
      const handler = this.#handlers.get(method);
      if (handler === undefined)
        throw new TesseraError('protocol-violation', `There is no request named ${method}.`, { details: { method } });
      const result = await handler(params, cancellation.signal);
      const lost = this.#link.send({ kind: 'response', id, result });
      // Said of an answer; there is nobody to say it to when the peer has gone.
      if (lost !== undefined) throw lost;
    } catch (error) {
      this.#link.send({ kind: 'failure', id, error: toWireError(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #abortAll(): void {
    for (const cancellation of this.#running.values()) cancellation.abort();
  }
}
