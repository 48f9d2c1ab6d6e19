import type { SearchFilters } from '../../protocol/hit.ts';
import type { ViewQuery } from '../../protocol/view.ts';

/** A path as a glob for just that path: what is special in globs stands in brackets, as VS Code's own search view writes it. */
export function escapeGlob(path: string): string {
  return path.replace(/[?*[\](){}!,]/g, '[$&]');
}

/** The globs a box of them stands for. */
export function splitGlobs(text: string): readonly string[] {
  return splitAtCommas(text).flatMap(expandGlob);
}

export interface AddressedFilters {
  /** Those of a folder that has none of its own. */
  readonly filters: SearchFilters;
  /** Filters by the path of each folder to search; undefined: `filters`, for all of the window. */
  readonly folderFilters: ReadonlyMap<string, SearchFilters> | undefined;
}

/**
 * In a window of several folders `./name/src` means `src` of the folder called so and says nothing of the others, as in VS Code's
 * search view. A glob that names no folder is meant for all of them; a folder that nothing to include is meant for is not searched.
 * @param typed filters with globs as somebody wrote them
 * @param folderNames names of the window's folders by path
 * @param expand what a glob that names no folder stands for
 */
export function addressFilters(
  typed: SearchFilters,
  folderNames: ReadonlyMap<string, string>,
  expand: (glob: string) => readonly string[] = (glob) => [glob],
): AddressedFilters {
  const address = (glob: string) => ({ inside: globsByFolder(glob, folderNames), everywhere: expand(glob) });
  const [include, exclude] = [typed.include.map(address), typed.exclude.map(address)];
  const filtersIn = (folder: string | undefined): SearchFilters => {
    const globsOf = (addressed: typeof include) =>
      addressed.flatMap(({ inside, everywhere }) =>
        inside.size === 0 ? everywhere : (inside.get(folder ?? '') ?? []),
      );
    return { ...typed, include: globsOf(include), exclude: globsOf(exclude) };
  };
  const filters = filtersIn(undefined);
  if ([...include, ...exclude].every(({ inside }) => inside.size === 0)) return { filters, folderFilters: undefined };
  const all = [...folderNames.keys()].map((folder) => [folder, filtersIn(folder)] as const);
  const meant = all.filter(([, own]) => include.length === 0 || own.include.length > 0);
  return { filters, folderFilters: new Map(meant) };
}

/** What a glob means inside the folders it names: nothing, where it names none or there is only one. */
function globsByFolder(glob: string, folderNames: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  if (folderNames.size < 2) return new Map();
  const path = glob.replaceAll('\\', '/');
  const inside = [...folderNames].flatMap(([folder, name]) => {
    const start = `./${escapeGlob(name)}/`;
    // Anchored: `src` alone would be looked for at any depth.
    return `${path}/`.startsWith(start) ? [[folder, expandGlob(`./${path.slice(start.length)}`)] as const] : [];
  });
  return new Map(inside);
}

/** At commas, as VS Code's search view does, but not at those inside braces or escaped. */
function splitAtCommas(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const char = text[index];
    if (char === '{' && text[index - 1] !== '[') depth += 1;
    else if (char === '}') depth = Math.max(0, depth - 1);
    else if (char === undefined || (char === ',' && depth === 0 && text[index - 1] !== '[')) {
      const part = text.slice(start, index).trim();
      if (part !== '') parts.push(part);
      start = index + 1;
    }
  }
  return parts;
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
  // Alone and without a slash it would be looked for at any depth.
  if (anchored) return [`${glob}/**`];
  if (glob.includes('/')) return [glob, `${glob}/**`];
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

/** @param folderNames names of the window's folders by path */
export function filtersOf(
  query: ViewQuery,
  excludedBySettings: readonly string[],
  folderNames: ReadonlyMap<string, string>,
): AddressedFilters {
  const { scope } = query;
  const languages = splitLanguages(query.languages);
  const [include, exclude] = [splitAtCommas(query.include), splitAtCommas(query.exclude)];
  const typed = addressFilters({ scope, include, exclude, languages }, folderNames, expandGlob);
  return query.useExcludeSettings ? alsoExcluding(typed, excludedBySettings) : typed;
}

/** The same filters with globs that no file of any folder may match. */
export function alsoExcluding(
  { filters, folderFilters }: AddressedFilters,
  globs: readonly string[],
): AddressedFilters {
  const narrowed = (own: SearchFilters): SearchFilters => ({ ...own, exclude: [...own.exclude, ...globs] });
  return {
    filters: narrowed(filters),
    folderFilters: folderFilters && new Map([...folderFilters].map(([folder, own]) => [folder, narrowed(own)])),
  };
}
