import { Emitter } from '../../src/base/event.ts';
import type { TesseraError } from '../../src/base/errors.ts';
import { type MessageLink, peerGone, sendFailure } from '../../src/process/messageLink.ts';
import type { WireMessage } from '../../src/protocol/wire.ts';

/** Two ends of a link in this process. Messages arrive in order, later, as copies: as between processes. */
export function createLinkPair(): readonly [MemoryLink, MemoryLink] {
  const left = new MemoryLink();
  const right = new MemoryLink();
  left.peer = right;
  right.peer = left;
  return [left, right];
}

export class MemoryLink implements MessageLink {
  readonly #message = new Emitter<WireMessage>();
  readonly #close = new Emitter<void>();
  readonly onMessage = this.#message.event;
  readonly onClose = this.#close.event;
  /** Everything sent from this end. */
  readonly sent: WireMessage[] = [];
  peer: MemoryLink | undefined;
  #closed = false;

  send(message: WireMessage): TesseraError | undefined {
    if (this.#closed) return peerGone();
    this.sent.push(message);
    try {
      const copy = structuredClone(message);
      queueMicrotask(() => this.peer?.deliver(copy));
      return undefined;
    } catch (error) {
      return sendFailure(message, error);
    }
  }

  deliver(message: WireMessage): void {
    if (!this.#closed) this.#message.fire(message);
  }

  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#close.fire();
    this.peer?.dispose();
  }
}
