import { Emitter } from '../base/event.ts';
import { TesseraError } from '../base/errors.ts';
import type { WireMessage } from '../protocol/wire.ts';
import { type MessageLink, isWireMessage, peerGone, sendFailure } from './messageLink.ts';

/**
 * The child's end of the link to the process that started it. When the parent goes, for whatever reason, this process
 * exits: an orphan would hold memory and locks for nobody.
 *
 * @throws TesseraError `invalid-argument` when the process was not started by `spawnChild`.
 */
export function connectToParent(beforeExit: () => void = () => undefined): MessageLink {
  if (process.send === undefined) {
    throw new TesseraError(
      'invalid-argument',
      'This program is started by Tessera itself and talks over its parent’s channel; run `tessera` instead.',
    );
  }
  // Ctrl-C in a terminal reaches the whole process group; the parent decides when to stop.
  process.on('SIGINT', () => undefined);
  return new ParentLink(beforeExit);
}

class ParentLink implements MessageLink {
  readonly #message = new Emitter<WireMessage>();
  readonly #close = new Emitter<void>();
  readonly onMessage = this.#message.event;
  readonly onClose = this.#close.event;

  constructor(beforeExit: () => void) {
    process.on('message', (message: unknown) => {
      if (isWireMessage(message)) this.#message.fire(message);
    });
    process.once('disconnect', () => {
      this.#close.fire();
      try {
        beforeExit();
      } finally {
        process.exit(0);
      }
    });
  }

  send(message: WireMessage): TesseraError | undefined {
    if (!process.connected || process.send === undefined) return peerGone();
    try {
      // A failed write means the parent is going, and so does this process then.
      process.send(message, undefined, undefined, () => undefined);
      return undefined;
    } catch (error) {
      return sendFailure(message, error);
    }
  }

  dispose(): void {
    if (process.connected) process.disconnect();
  }
}
