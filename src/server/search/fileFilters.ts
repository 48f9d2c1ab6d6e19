import type { SearchFilters } from '../../protocol/hit.ts';
import type { FileEntry } from '../../search/chunkIndex.ts';
import { pathMatcher } from '../store/pathFilter.ts';

export type FileFilter = (file: FileEntry) => boolean;

/** Filters kept: those of the view, of the palette and of an agent, and some of each before they were changed. */
const FILTERS_KEPT = 8;

/**
 * Which files pass the filters set beside a query, remembered from search to search: they stay while somebody types. Of 11,900 files
 * 14 globs of exclude settings took 115 ms of every key.
 */
export class FileFilters {
  readonly #known = new Map<string, FileFilter>();

  of(filters: SearchFilters): FileFilter {
    const key = JSON.stringify(filters);
    const known = this.#known.get(key) ?? remembering(fileFilter(filters));
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > FILTERS_KEPT && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}

/** Whether a file passes a filter. */
export function fileFilter({ scope, languages, include, exclude }: SearchFilters): FileFilter {
  const matchesPath = pathMatcher({ include, exclude });
  const wanted = new Set(languages);
  return (file) =>
    (scope === 'all' || file.scope === scope) &&
    (wanted.size === 0 || wanted.has(file.language)) &&
    matchesPath(file.path);
}

/** An entry never changes: a file that does gets another. */
function remembering(filter: FileFilter): FileFilter {
  const verdicts = new WeakMap<FileEntry, boolean>();
  return (file) => {
    let passes = verdicts.get(file);
    if (passes === undefined) verdicts.set(file, (passes = filter(file)));
    return passes;
  };
}
