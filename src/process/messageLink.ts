import type { DisposableLike } from '../base/disposable.ts';
import { TesseraError, errorMessage } from '../base/errors.ts';
import type { Event } from '../base/event.ts';
import type { WireMessage } from '../protocol/wire.ts';

/**
 * A two-way pipe of messages to one peer, whatever carries it. The seam between the request map and processes:
 * tests put a pair in memory here.
 */
export interface MessageLink extends DisposableLike {
  /**
   * Hands a message over. Never throws: what comes back is why it was lost, `process-exited` when the peer can no longer be
   * reached, `invalid-argument` when it holds something that can't be copied to another process.
   */
  send(message: WireMessage): TesseraError | undefined;
  readonly onMessage: Event<WireMessage>;
  /** Fires once, when nothing can come or go any more. */
  readonly onClose: Event<void>;
}

/** What `send` returns when there is nobody at the other end. */
export function peerGone(): TesseraError {
  return new TesseraError('process-exited', 'The process at the other end has gone.');
}

/** What `send` returns for what the runtime threw: the channel closed meanwhile, or the message could not be copied. */
export function sendFailure(message: WireMessage, cause: unknown): TesseraError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_IPC_CHANNEL_CLOSED') return peerGone();
  const what = message.kind === 'request' ? message.method : message.kind === 'event' ? message.name : message.kind;
  return new TesseraError(
    'invalid-argument',
    `The message ${what} could not be copied to another process (${errorMessage(cause)}).`,
    { details: { what }, cause },
  );
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
