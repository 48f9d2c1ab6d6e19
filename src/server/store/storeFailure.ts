import { TesseraError, errorMessage } from '../../base/errors.ts';
import { errorCode } from '../scanner/fileErrors.ts';

/** Longer messages repeat the whole query they are about. */
const MAX_MESSAGE_LENGTH = 300;
/** LanceDB gives no codes: what Linux and macOS say (ENOSPC), Linux of a quota (EDQUOT), and Windows. */
const NO_SPACE = /\(os error (?:28|112|122)\)/;
/** Where in its own sources something went wrong is of no use to a person. */
const RUST_SOURCE = /,?\s*\S*\.rs:\d+(?::\d+)?/g;

/**
 * Runs an operation on the store; whatever goes wrong comes out as `store-failed`, naming the operation, except a full disk, which is
 * `disk-full`: nothing is wrong with the index then.
 *
 * @param place what is on the disk, for the message
 */
export async function storeFailure<T>(operation: string, run: () => Promise<T>, place = 'the index'): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof TesseraError) throw error;
    if (isDiskFull(error)) throw diskFull(place, error);
    const message = errorMessage(error).replaceAll(RUST_SOURCE, '');
    const short = message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message;
    throw new TesseraError('store-failed', `The index could not be used (${operation}): ${short}`, {
      cause: error,
      details: { operation },
    });
  }
}

/** @param place what is on the disk that is full */
export function diskFull(place: string, cause: unknown): TesseraError {
  const message = `The disk of ${place} is full; free some space and run it again: what was finished is kept.`;
  return new TesseraError('disk-full', message, { cause, details: { path: place } });
}

function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error)) || NO_SPACE.test(errorMessage(error));
}
