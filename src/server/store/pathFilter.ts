import picomatch from 'picomatch';
import type { SearchFilters } from '../../protocol/hit.ts';
import { sqlAnd, sqlIn, sqlNotIn, sqlString } from './sqlText.ts';

/**
 * Whether a folder-relative path passes the globs. A glob means the file or everything below the folder it names; one
 * without a slash is looked for at any depth, as in VS Code's search view and in `.gitignore`.
 */
export function pathMatcher({
  include,
  exclude,
}: Pick<SearchFilters, 'include' | 'exclude'>): (path: string) => boolean {
  const isIncluded = include.length === 0 ? () => true : compile(include);
  const isExcluded = exclude.length === 0 ? () => false : compile(exclude);
  return (path) => isIncluded(path) && !isExcluded(path);
}

function compile(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.flatMap((glob) => {
    const trimmed = glob.replace(/^\.?\//, '').replace(/\/+$/, '');
    const anywhere = trimmed.includes('/') ? trimmed : `**/${trimmed}`;
    return [anywhere, `${anywhere}/**`];
  });
  return picomatch(patterns, { dot: true });
}

/** The filters as one predicate over chunk rows; undefined when they let everything pass. */
export function filterPredicate(filters: SearchFilters, allPaths: () => Iterable<string>): string | undefined {
  const predicates = [
    filters.scope === 'all' ? undefined : `scope = ${sqlString(filters.scope)}`,
    filters.languages.length === 0 ? undefined : sqlIn('language', filters.languages),
    pathPredicate(filters, allPaths),
  ].filter((predicate) => predicate !== undefined);
  return predicates.length === 0 ? undefined : sqlAnd(...predicates);
}

/** Globs have no equal in SQL: the paths that pass are known, so the shorter list of names says it. */
function pathPredicate(filters: SearchFilters, allPaths: () => Iterable<string>): string | undefined {
  if (filters.include.length === 0 && filters.exclude.length === 0) return undefined;
  const matches = pathMatcher(filters);
  const passing: string[] = [];
  const failing: string[] = [];
  for (const path of allPaths()) (matches(path) ? passing : failing).push(path);
  return passing.length <= failing.length ? sqlIn('path', passing) : sqlNotIn('path', failing);
}
