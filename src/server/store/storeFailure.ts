import { TesseraError, errorMessage } from '../../base/errors.ts';

/** Longer messages repeat the whole query they are about. */
const MAX_MESSAGE_LENGTH = 300;

/** Runs an operation on the store; whatever goes wrong comes out as `store-failed`, naming the operation. */
export async function storeFailure<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof TesseraError) throw error;
    const message = errorMessage(error);
    const short = message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message;
    throw new TesseraError('store-failed', `The index could not be used (${operation}): ${short}`, {
      cause: error,
      details: { operation },
    });
  }
}
