import { existsSync } from 'node:fs';
import path from 'node:path';
import { usageError } from './globalOptions.ts';

/** A file as the folder's index names it. It may be given absolute, relative to the folder, or relative to where the person is. */
export function pathInFolder(folder: string, file: string): string {
  const fromFolder = path.relative(folder, path.resolve(folder, file));
  const fromHere = path.relative(folder, path.resolve(file));
  const relative = !existsSync(path.join(folder, fromFolder)) && !isOutside(fromHere) ? fromHere : fromFolder;
  if (isOutside(relative)) throw usageError(`${file} is not in ${folder}.`);
  return relative.split(path.sep).join('/');
}

function isOutside(relative: string): boolean {
  return relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
}
