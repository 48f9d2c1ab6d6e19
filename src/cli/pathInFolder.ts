import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathInside } from '../process/pathInside.ts';
import { usageError } from './globalOptions.ts';

/** A file as the folder's index names it. It may be given absolute, relative to the folder, or relative to where the person is. */
export function pathInFolder(folder: string, file: string): string {
  const fromFolder = pathInside(folder, path.resolve(folder, file));
  const fromHere = pathInside(folder, path.resolve(file));
  const isThere = fromFolder !== undefined && existsSync(path.join(folder, fromFolder));
  const relative = isThere ? fromFolder : (fromHere ?? fromFolder);
  if (relative === undefined) throw usageError(`${file} is not in ${folder}.`);
  if (relative === '') throw usageError(`${file} is a folder; name a file in it.`);
  return relative;
}
