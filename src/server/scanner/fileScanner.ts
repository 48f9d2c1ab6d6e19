import type { Clock } from '../../base/clock.ts';
import type { Scanner } from './entries.ts';
import { changesRules, checkPaths, isIndexable } from './pathCheck.ts';
import { readSource } from './readSource.ts';
import { RememberedGit } from './rememberedGit.ts';
import { scanFolder } from './scanFolder.ts';
import { watchFolder } from './watchFolder.ts';

/** The scanner over the real file system. */
export const FILE_SCANNER: Scanner = { scanFolder, checkPaths, isIndexable, changesRules, readSource, watchFolder };

/** The same for a process that follows folders: single paths, and folders in one, are judged by what git said lately, a scan of all has it asked anew. */
export function createFollowingScanner(clock: Clock): Scanner {
  const git = new RememberedGit(clock);
  return {
    ...FILE_SCANNER,
    scanFolder: (folder, options, signal, under = '') =>
      scanFolder(folder, options, signal, under, under === '' ? git.readAnew : git.read),
    checkPaths: (folder, options, paths, signal) => checkPaths(folder, options, paths, signal, git.read),
  };
}
