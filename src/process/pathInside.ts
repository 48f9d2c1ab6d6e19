import * as path from 'node:path';

/** The path of a file relative to the folder, with `/` ('' for the folder itself); undefined when it is not inside. `..name` is a name like any other. */
export function pathInside(folder: string, file: string): string | undefined {
  const relative = path.relative(folder, file);
  const isOutside = relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  return isOutside ? undefined : relative.split(path.sep).join('/');
}
