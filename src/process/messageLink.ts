import type { DisposableLike } from '../base/disposable.ts';
import type { Event } from '../base/event.ts';
import type { WireMessage } from '../protocol/wire.ts';

/**
 * A two-way pipe of messages to one peer, whatever carries it. The seam between the request map and processes:
 * tests put a pair in memory here.
 */
export interface MessageLink extends DisposableLike {
  /** Hands a message over. False when the peer can no longer be reached; the message is then lost. Never throws. */
  send(message: WireMessage): boolean;
  readonly onMessage: Event<WireMessage>;
  /** Fires once, when nothing can come or go any more. */
  readonly onClose: Event<void>;
}

/** Whether something received has the form of a message. The other end may be a different build. */
export function isWireMessage(value: unknown): value is WireMessage {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  switch (value.kind) {
    case 'request':
      return (
        'id' in value &&
        typeof value.id === 'number' &&
        'method' in value &&
        typeof value.method === 'string' &&
        'params' in value
      );
    case 'cancel':
      return 'id' in value && typeof value.id === 'number';
    case 'response':
      return 'id' in value && typeof value.id === 'number' && 'result' in value;
    case 'failure':
      return (
        'id' in value &&
        typeof value.id === 'number' &&
        'error' in value &&
        typeof value.error === 'object' &&
        value.error !== null
      );
    case 'event':
      return 'name' in value && typeof value.name === 'string' && 'payload' in value;
    default:
      return false;
  }
}
