import picomatch from 'picomatch';
import type { IgnoreFileName } from '../protocol/ignoreFiles.ts';
import { BARE_REPOSITORY, EXCLUDED_FOLDERS, MARKER_FILES, REPOSITORY_INTERNALS } from './defaultExcludes.ts';
import type { IgnoreRules, IgnoreRuling } from './ignoreRules.ts';
import { secretFolder } from './secrets.ts';

export type FolderIgnoreFiles = Readonly<Partial<Record<IgnoreFileName, IgnoreRules>>>;

/** Git rules that hold for one repository and stand in none of its folders. */
export interface RepositoryExcludes {
  /** `.git/info/exclude`. */
  readonly infoExclude?: IgnoreRules;
  /** `core.excludesFile`. */
  readonly globalExcludes?: IgnoreRules;
}

/** What the rules say about one path, its parents not considered. */
export type ExclusionRuling =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'ignored' }
  /** Excluded by us and not by the person's rules, so the person is told. */
  | { readonly kind: 'skipped'; readonly reason: 'excluded' | 'secret'; readonly detail: string };

const ALLOWED: ExclusionRuling = { kind: 'allowed' };
const IGNORED: ExclusionRuling = { kind: 'ignored' };

/** Rules of one file together with where they stand. */
interface PlacedRules {
  readonly rules: IgnoreRules;
  /** Length of the part of a path that leads to the folder of the rules. */
  readonly skip: number;
  /** What leads from the folder of the rules down to the indexed folder, for rules from above it; else ''. */
  readonly lead: string;
}

/** Every level's rules that are in force, strongest first within each kind; the kinds from strongest to weakest. */
interface Layers {
  readonly tessera: readonly PlacedRules[];
  readonly ignore: readonly PlacedRules[];
  readonly git: readonly PlacedRules[];
  /** `.git/info/exclude`, then global excludes. */
  readonly repository: readonly PlacedRules[];
}

/**
 * The rules in force inside one folder, for the paths directly in it. Immutable: entering a folder gives new rules, so
 * what a folder's ignore files say is parsed once and shared by everything below.
 *
 * Strongest first: version control's internals · settings globs · `.tesseraignore` · `.ignore` · `.gitignore`, the nearest
 * first · `.git/info/exclude` · global excludes · the default excludes. Whoever asks must not enter an ignored folder, which
 * is what makes git's rule hold that nothing inside one can be brought back.
 */
export class ExclusionRules {
  readonly #isExcludedBySettings: (path: string) => boolean;
  readonly #layers: Layers;
  /** All of `#layers` in the order they are asked. */
  readonly #placed: readonly PlacedRules[];

  private constructor(isExcludedBySettings: (path: string) => boolean, layers: Layers) {
    this.#isExcludedBySettings = isExcludedBySettings;
    this.#layers = layers;
    this.#placed = [...layers.tessera, ...layers.ignore, ...layers.git, ...layers.repository];
  }

  /** Rules before any ignore file was read. `globs` are relative to the indexed folder. */
  static ofSettings(globs: readonly string[], options: { readonly ignoreCase: boolean }): ExclusionRules {
    return new ExclusionRules(compileGlobs(globs, options), { tessera: [], ignore: [], git: [], repository: [] });
  }

  /**
   * Adds the ignore files of a folder above the indexed one, outermost first. `lead` is the way from there down to the
   * indexed folder: `packages/app/`.
   */
  fromAbove(lead: string, files: FolderIgnoreFiles): ExclusionRules {
    return this.#with(files, { skip: 0, lead });
  }

  /** A repository starts here: git's rules from outside do not reach into it (the others do). */
  enterRepository(folderPath: string, excludes: RepositoryExcludes, lead = ''): ExclusionRules {
    const place = { skip: folderPath === '' ? 0 : folderPath.length + 1, lead };
    const repository = [excludes.infoExclude, excludes.globalExcludes].flatMap((rules) =>
      rules === undefined || rules.isEmpty ? [] : [{ rules, ...place }],
    );
    return new ExclusionRules(this.#isExcludedBySettings, { ...this.#layers, git: [], repository });
  }

  /** The rules inside a folder; `folderPath` is relative to the indexed folder, '' for itself. */
  enter(folderPath: string, files: FolderIgnoreFiles): ExclusionRules {
    return this.#with(files, { skip: folderPath === '' ? 0 : folderPath.length + 1, lead: '' });
  }

  /** Judges a path directly inside the folder of these rules. `path` is relative to the indexed folder. */
  rule(path: string, name: string, isFolder: boolean): ExclusionRuling {
    if (REPOSITORY_INTERNALS.has(name) || this.#isExcludedBySettings(path)) return IGNORED;
    const ruling = this.#ruling(path, isFolder);
    if (ruling === 'ignored') return IGNORED;
    if (!isFolder) return ALLOWED;
    const secret = secretFolder(name);
    if (secret !== undefined) return { kind: 'skipped', reason: 'secret', detail: secret };
    const reason = ruling === 'included' ? undefined : EXCLUDED_FOLDERS.get(name);
    return reason === undefined ? ALLOWED : { kind: 'skipped', reason: 'excluded', detail: reason };
  }

  /**
   * Judges a folder by what is in it: a cache or a virtual environment says so by a file. These are the rules of the folder
   * around it, which may bring it back; `entries` are the names in the folder, or those of them that matter here.
   */
  ruleByContent(folderPath: string, entries: ReadonlySet<string>): ExclusionRuling {
    if (entries.size === 0) return ALLOWED;
    let detail = BARE_REPOSITORY.every((name) => entries.has(name)) ? 'bare git repository' : undefined;
    for (const [marker, reason] of MARKER_FILES) if (entries.has(marker)) detail = reason;
    if (detail === undefined || this.#ruling(folderPath, true) === 'included') return ALLOWED;
    return { kind: 'skipped', reason: 'excluded', detail };
  }

  #ruling(path: string, isFolder: boolean): IgnoreRuling {
    for (const { rules, skip, lead } of this.#placed) {
      const ruling = rules.rule(lead + (skip === 0 ? path : path.slice(skip)), isFolder);
      if (ruling !== undefined) return ruling;
    }
    return undefined;
  }

  #with(files: FolderIgnoreFiles, place: { readonly skip: number; readonly lead: string }): ExclusionRules {
    const prepend = (name: IgnoreFileName, layer: readonly PlacedRules[]): readonly PlacedRules[] => {
      const rules = files[name];
      return rules === undefined || rules.isEmpty ? layer : [{ rules, ...place }, ...layer];
    };
    const { tessera, ignore, git, repository } = this.#layers;
    const layers = {
      tessera: prepend('.tesseraignore', tessera),
      ignore: prepend('.ignore', ignore),
      git: prepend('.gitignore', git),
      repository,
    };
    const isSame = layers.tessera === tessera && layers.ignore === ignore && layers.git === git;
    return isSame ? this : new ExclusionRules(this.#isExcludedBySettings, layers);
  }
}

/** `**\/name` is by far the commonest glob of the settings: one look-up for all of them. */
const ANY_DEPTH_NAME = /^\*\*\/([^*?[\]{}()!+@\\/]+)$/;

function compileGlobs(globs: readonly string[], options: { readonly ignoreCase: boolean }): (path: string) => boolean {
  const names = new Set<string>();
  const matchers: ((path: string) => boolean)[] = [];
  for (const glob of globs.map((text) => text.trim()).filter((text) => text !== '')) {
    const name = ANY_DEPTH_NAME.exec(glob)?.[1];
    if (name !== undefined && !options.ignoreCase) names.add(name);
    else
      matchers.push(picomatch(glob.replace(/^\.\//, '').replace(/\/$/, ''), { dot: true, nocase: options.ignoreCase }));
  }
  if (names.size === 0 && matchers.length === 0) return () => false;
  return (path) => names.has(path.slice(path.lastIndexOf('/') + 1)) || matchers.some((matches) => matches(path));
}
