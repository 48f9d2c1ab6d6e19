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

export interface AddressedGlobs {
  /** Paths of the folders meant; undefined: all. */
  readonly folders: ReadonlySet<string> | undefined;
  /** The globs inside those folders. */
  readonly globs: readonly string[];
}

/**
 * In a window of several folders `./name/src` means `src` of the folder called so, as in VS Code's search view. One glob
 * that names no folder is meant for all of them.
 * @param folderNames names of the window's folders by path
 */
export function addressFolders(globs: readonly string[], folderNames: ReadonlyMap<string, string>): AddressedGlobs {
  if (folderNames.size < 2) return { folders: undefined, globs };
  const folders = new Set<string>();
  let isForAll = globs.length === 0;
  const inside = globs.map((glob) => {
    const named = [...folderNames].filter(([, name]) => `${glob}/`.startsWith(`./${escapeGlob(name)}/`));
    for (const [folder] of named) folders.add(folder);
    const [first] = named;
    if (first === undefined) {
      isForAll = true;
      return glob;
    }
    const rest = glob.slice(`./${escapeGlob(first[1])}/`.length);
    return `./${rest === '' ? '**' : rest}`;
  });
  return { folders: isForAll ? undefined : folders, globs: inside };
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

export interface AddressedFilters {
  readonly filters: SearchFilters;
  /** Paths of the folders meant; undefined: all. */
  readonly folders: ReadonlySet<string> | undefined;
}

/** @param folderNames names of the window's folders by path */
export function filtersOf(
  query: ViewQuery,
  excludedBySettings: readonly string[],
  folderNames: ReadonlyMap<string, string>,
): AddressedFilters {
  const { folders, globs } = addressFolders(splitAtCommas(query.include), folderNames);
  const filters = {
    scope: query.scope,
    include: globs.flatMap(expandGlob),
    exclude: [...splitGlobs(query.exclude), ...(query.useExcludeSettings ? excludedBySettings : [])],
    languages: splitLanguages(query.languages),
  };
  return { filters, folders };
}
