import { pathInside } from '../process/pathInside.ts';
import type { IndexSettings } from '../protocol/server.ts';
import type { ScanOptions } from './scanner/entries.ts';
import type { IndexRules } from './store/indexFacts.ts';

/**
 * What decides which files belong to an index: the settings, or the rules it was made with when the settings yield to them.
 *
 * @param kept the rules an index was made with; undefined when nobody said
 */
export function rulesInForce(settings: IndexSettings, kept: IndexRules | undefined): IndexRules {
  const { maxFileBytes, exclude, useIgnoreFiles, yieldsToIndex = false } = settings;
  return (yieldsToIndex ? kept : undefined) ?? { maxFileBytes, exclude, useIgnoreFiles };
}

/** The same as a scan takes it. An index kept inside the folder it is of is no part of what it indexes. */
export function scanOptionsOf({ exclude, ...rules }: IndexRules, folder: string, indexDir: string): ScanOptions {
  const inside = pathInside(folder, indexDir) ?? '';
  const own = inside === '' ? [] : [inside.replaceAll(/[\\*?[\]{}()!+@]/g, '\\$&')];
  return { ...rules, exclude: [...exclude, ...own] };
}
