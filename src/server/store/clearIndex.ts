import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../scanner/fileErrors.ts';
import { WRITER_LOCK, lockIndex } from './indexLock.ts';
import { storeFailure } from './storeFailure.ts';

/**
 * Deletes the index of one folder, which needs neither its models nor a readable table. Rejects with `store-locked` while another
 * process writes it, and with `store-failed`.
 *
 * @param dir the folder's own index folder
 * @param letGo called before anything is deleted
 * @returns whether there was one
 */
export async function clearIndex(dir: string, program: string, letGo: () => void = () => undefined): Promise<boolean> {
  if (!existsSync(dir)) {
    letGo();
    return false;
  }
  const lock = await lockIndex(dir, program);
  try {
    letGo();
    await storeFailure('clear', async () => {
      // Tables first: what a search keeps beside one goes by itself when it comes too late. Locks are their owners' to remove.
      const names = (await readdir(dir)).filter((name) => !name.startsWith(WRITER_LOCK));
      const isTable = (name: string) => name.endsWith('.lance');
      for (const name of [...names.filter(isTable), ...names.filter((name) => !isTable(name))]) {
        await rm(path.join(dir, name), { recursive: true, force: true, maxRetries: 5 });
      }
    });
  } finally {
    lock.dispose();
  }
  await storeFailure('clear', () =>
    rmdir(dir).catch((error: unknown) => {
      // Another process has begun a new one, or has done the same.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error))) throw error;
    }),
  );
  return true;
}
