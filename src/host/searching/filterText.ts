import type { SearchFilters } from '../../protocol/hit.ts';
import type { ViewQuery } from '../../protocol/view.ts';

/** Splits a box of globs as VS Code's search view does: at commas, but not at those inside braces. */
export function splitGlobs(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const char = text[index];
    if (char === '{') depth += 1;
    else if (char === '}') depth = Math.max(0, depth - 1);
    else if (char === undefined || (char === ',' && depth === 0)) {
      const part = text.slice(start, index).trim();
      if (part !== '') parts.push(part);
      start = index + 1;
    }
  }
  return parts.flatMap(expandGlob);
}

/**
 * What a person types for a folder or a file name, as globs over folder-relative paths: `./src` is `src/**`, `*.ts` is
 * any TypeScript file, `test` is anything called so and everything under it.
 */
function expandGlob(typed: string): readonly string[] {
  const path = typed.replaceAll('\\', '/');
  const anchored = path.startsWith('./') || path.startsWith('/');
  const glob = path.replace(/^\.?\//, '').replace(/\/+$/, '');
  if (glob === '' || glob === '.') return ['**'];
  if (glob.startsWith('**/') || glob.endsWith('/**')) return [glob];
  if (anchored || glob.includes('/')) return [glob, `${glob}/**`];
  return [`**/${glob}`, `**/${glob}/**`];
}

/** Language ids as typed, separated by commas or spaces, lower-cased. */
export function splitLanguages(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((part) => part !== '');
}

/** Globs that are switched on in a settings object such as `files.exclude`; conditional entries (`{ when }`) are left out. */
export function enabledGlobs(setting: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  return Object.entries(setting ?? {})
    .filter(([, value]) => value === true)
    .map(([glob]) => glob);
}

export function filtersOf(query: ViewQuery, excludedBySettings: readonly string[]): SearchFilters {
  return {
    scope: query.scope,
    include: splitGlobs(query.include),
    exclude: [...splitGlobs(query.exclude), ...(query.useExcludeSettings ? excludedBySettings : [])],
    languages: splitLanguages(query.languages),
  };
}
