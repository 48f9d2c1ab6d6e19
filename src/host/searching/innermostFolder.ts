import { pathInside } from '../../process/pathInside.ts';

/** Which of the folders a file belongs to: of folders inside one another the innermost, as VS Code has it. `path` is relative to it. */
export function innermostFolder(
  folders: readonly string[],
  file: string,
): { readonly folder: string; readonly path: string } | undefined {
  const around = folders.flatMap((folder) => {
    const path = pathInside(folder, file);
    return path === undefined || path === '' ? [] : [{ folder, path }];
  });
  return around.sort((a, b) => b.folder.length - a.folder.length)[0];
}
