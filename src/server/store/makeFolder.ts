import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../scanner/fileErrors.ts';

/**
 * Makes a folder and those around it, for this user's eyes only: what is kept there holds the text of the code. Node's own `recursive`
 * never ends where a system lets nothing be made and says that something is missing (below `/proc`).
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, 0o700);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    const parent = path.dirname(folder);
    if (errorCode(error) !== 'ENOENT' || parent === folder) throw error;
    await makeFolder(parent);
    await mkdir(folder, 0o700).catch(async (again: unknown) => {
      // Made by another process meanwhile.
      if (errorCode(again) !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw again;
    });
  }
}
