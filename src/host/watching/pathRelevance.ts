import { IGNORE_FILES } from '../../protocol/ignoreFiles.ts';

/** What a file event at a folder-relative path means for the index. */
export type PathMeaning = 'file' | 'everything' | 'nothing';

const RULES: ReadonlySet<string> = new Set(IGNORE_FILES);

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
  return RULES.has(segments.at(-1) ?? '') ? 'everything' : 'file';
}
