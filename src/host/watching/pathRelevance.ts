/** What a file event at a folder-relative path means for the index. */
export type PathMeaning = 'file' | 'everything' | 'nothing';

const IGNORE_FILES = new Set(['.gitignore', '.tesseraignore', '.ignore']);

/**
 * Git's own files say when the whole tree may have moved (a checkout, a reset, a rebase) and are no documents; an ignore
 * file changes what belongs to the index.
 */
export function meaningOf(path: string): PathMeaning {
  const segments = path.split('/');
  const git = segments.indexOf('.git');
  if (git !== -1) {
    const inside = segments.slice(git + 1).join('/');
    return inside === 'HEAD' || inside === 'info/exclude' ? 'everything' : 'nothing';
  }
  return IGNORE_FILES.has(segments.at(-1) ?? '') ? 'everything' : 'file';
}
