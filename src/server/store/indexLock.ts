import path from 'node:path';
import type { DisposableLike } from '../../base/disposable.ts';
import { makeFolder } from './makeFolder.ts';
import { storeFailure } from './storeFailure.ts';
import { acquireWriterLock } from './writerLock.ts';

/** In the index folder of each folder; names of the files it is taken with begin so too. */
export const WRITER_LOCK = 'writer.lock';

/** Becomes the only writer of the index in `dir`, making the folder. Rejects with `store-locked`, `store-failed` or `disk-full`. */
export function lockIndex(dir: string, program: string): Promise<DisposableLike> {
  const take = async () => {
    await makeFolder(dir);
    return acquireWriterLock(path.join(dir, WRITER_LOCK), program);
  };
  return storeFailure('lock', take, dir);
}
