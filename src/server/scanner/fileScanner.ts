import type { Scanner } from './entries.ts';
import { changesRules, checkPaths, isIndexable } from './pathCheck.ts';
import { readSource } from './readSource.ts';
import { scanFolder } from './scanFolder.ts';
import { watchFolder } from './watchFolder.ts';

/** The scanner over the real file system. */
export const FILE_SCANNER: Scanner = { scanFolder, checkPaths, isIndexable, changesRules, readSource, watchFolder };
