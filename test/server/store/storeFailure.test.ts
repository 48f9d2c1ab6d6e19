import { expect, it } from 'vitest';
import { storeFailure } from '../../../src/server/store/storeFailure.ts';

const failing = (error: Error, place?: string) => storeFailure('apply', () => Promise.reject(error), place);

it.each([
  new Error(
    'lance error: LanceError(IO): Generic LocalFileSystem error: Unable to write: No space left on device (os error 28), /home/ci/.cargo/registry/src/lance-io-1.0.0/src/object_writer.rs:12:34',
  ),
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
])('a full disk is told as that, and not as a damaged index: %s', async (error) => {
  await expect(failing(error, '/cache/tessera')).rejects.toMatchObject({
    code: 'disk-full',
    message: 'The disk of /cache/tessera is full; free some space and run it again: what was finished is kept.',
  });
});

it('what went wrong is told without the places in the sources of a library', async () => {
  const error = new Error(
    'lance error: Not found: chunks.lance, /home/ci/.cargo/registry/src/lance-1.0.0/src/a.rs:1:2',
  );
  await expect(failing(error)).rejects.toMatchObject({
    code: 'store-failed',
    message: 'The index could not be used (apply): lance error: Not found: chunks.lance',
  });
});
