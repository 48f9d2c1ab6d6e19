import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { CancellationSignal } from '../../base/cancellation.ts';
import { TesseraError } from '../../base/errors.ts';
import { ExclusionRules, type FolderIgnoreFiles, type RepositoryExcludes } from '../../indexing/exclusions.ts';
import { IGNORE_FILES, type IgnoreFileName } from '../../protocol/ignoreFiles.ts';
import type { ScanOptions } from './entries.ts';
import { BARE_REPOSITORY, MARKER_FILES } from '../../indexing/defaultExcludes.ts';
import { gitCommonFolder, readGitConfiguration, readIgnoreFile } from './gitFiles.ts';

/** The entries of a folder that its rules depend on. */
export type TellingEntries = ReadonlySet<string>;

const TELLING: TellingEntries = new Set(['.git', ...IGNORE_FILES, ...MARKER_FILES.keys(), ...BARE_REPOSITORY]);
const NONE: TellingEntries = new Set();

export function tellingEntries(names: Iterable<string>): TellingEntries {
  let found: Set<string> | undefined;
  for (const name of names) if (TELLING.has(name)) (found ??= new Set()).add(name);
  return found ?? NONE;
}

/** Reads ignore files and turns them into the rules in force in a folder. Shared by the scan, the single-path check and the watcher. */
export class FolderRules {
  /** Absolute, links resolved. */
  readonly folder: string;
  readonly #useIgnoreFiles: boolean;
  readonly #ignoreCase: boolean;
  readonly #excludesFile: string;
  /** Rules that hold around the indexed folder: settings, and the repository it lies in. */
  readonly outside: ExclusionRules;
  #globalExcludes: ReturnType<typeof readIgnoreFile> | undefined;

  private constructor(
    folder: string,
    useIgnoreFiles: boolean,
    git: { ignoreCase: boolean; excludesFile: string },
    outside: ExclusionRules,
  ) {
    this.folder = folder;
    this.#useIgnoreFiles = useIgnoreFiles;
    this.#ignoreCase = git.ignoreCase;
    this.#excludesFile = git.excludesFile;
    this.outside = outside;
  }

  /** Fails with `folder-unreadable` when the folder is missing, unreadable or no folder, and with `cancelled`. */
  static async open(
    folder: string,
    options: ScanOptions,
    signal?: CancellationSignal,
    readGit = readGitConfiguration,
  ): Promise<FolderRules> {
    const resolved = await resolveFolder(folder);
    const git = options.useIgnoreFiles
      ? await readGit(resolved, signal)
      : { ignoreCase: process.platform === 'win32' || process.platform === 'darwin', excludesFile: '' };
    const rules = ExclusionRules.ofSettings(options.exclude, git);
    const bare = new FolderRules(resolved, options.useIgnoreFiles, git, rules);
    if (!options.useIgnoreFiles) return bare;
    return new FolderRules(resolved, true, git, await bare.#readAbove(rules));
  }

  /** Rules for the paths directly in a folder. `folderPath` is relative to the indexed folder. */
  async enter(around: ExclusionRules, folderPath: string, entries: TellingEntries): Promise<ExclusionRules> {
    let rules = around;
    if (this.#useIgnoreFiles && entries.has('.git')) {
      const excludes = await this.#repositoryExcludes(path.join(this.folder, folderPath));
      if (excludes !== undefined) rules = rules.enterRepository(folderPath, excludes);
    }
    const names = IGNORE_FILES.filter((name) => this.#honours(name) && entries.has(name));
    if (names.length === 0) return rules;
    return rules.enter(folderPath, await this.#readIgnoreFiles(path.join(this.folder, folderPath), names));
  }

  #honours(name: IgnoreFileName): boolean {
    return name === '.tesseraignore' || this.#useIgnoreFiles;
  }

  /** When the folder lies inside a repository, the rules of the folders from the repository's down to it hold here too. */
  async #readAbove(rules: ExclusionRules): Promise<ExclusionRules> {
    const above = [...(await this.#foldersUpToRepository())].reverse();
    const top = above[0];
    if (top === undefined || (await this.#isIgnoredFromAbove(above))) {
      // Global excludes hold without a repository as well: they are about editors' and systems' litter.
      return rules.enterRepository('', withGlobal(undefined, await this.#readGlobalExcludes()));
    }
    let result = rules;
    for (const folder of above) {
      const lead = `${relativePath(folder, this.folder)}/`;
      if (folder === top) result = result.enterRepository('', (await this.#repositoryExcludes(folder)) ?? {}, lead);
      result = result.fromAbove(lead, await this.#readIgnoreFiles(folder, IGNORE_FILES));
    }
    return result;
  }

  /**
   * Whether the repository around ignores the indexed folder itself, as it does a package in `node_modules`. Whoever opens
   * such a folder means its files, so what is said above it about files inside does not count. `above`: outermost first.
   */
  async #isIgnoredFromAbove(above: readonly string[]): Promise<boolean> {
    const top = above[0] ?? this.folder;
    const start = ExclusionRules.ofSettings([], { ignoreCase: this.#ignoreCase });
    let rules = start.enterRepository('', (await this.#repositoryExcludes(top)) ?? {});
    for (const [index, folder] of above.entries()) {
      const at = relativePath(top, folder);
      rules = rules.enter(at, await this.#readIgnoreFiles(folder, IGNORE_FILES));
      const inner = above[index + 1] ?? this.folder;
      if (rules.rule(relativePath(top, inner), path.basename(inner), true).kind !== 'allowed') return true;
    }
    return false;
  }

  /** The folders above the indexed one, nearest first, up to a repository's top; none when there is no repository above. */
  async #foldersUpToRepository(): Promise<readonly string[]> {
    if ((await gitCommonFolder(this.folder)) !== undefined) return [];
    const above: string[] = [];
    for (let folder = path.dirname(this.folder); ; folder = path.dirname(folder)) {
      above.push(folder);
      if ((await gitCommonFolder(folder)) !== undefined) return above;
      if (folder === path.dirname(folder)) return [];
    }
  }

  async #repositoryExcludes(folder: string): Promise<RepositoryExcludes | undefined> {
    const common = await gitCommonFolder(folder);
    if (common === undefined) return undefined;
    const infoExclude = await readIgnoreFile(path.join(common, 'info', 'exclude'), this.#ignoreCase);
    return withGlobal(infoExclude, await this.#readGlobalExcludes());
  }

  #readGlobalExcludes(): ReturnType<typeof readIgnoreFile> {
    this.#globalExcludes ??= readIgnoreFile(this.#excludesFile, this.#ignoreCase);
    return this.#globalExcludes;
  }

  async #readIgnoreFiles(folder: string, names: readonly IgnoreFileName[]): Promise<FolderIgnoreFiles> {
    const files: Partial<Record<IgnoreFileName, Awaited<ReturnType<typeof readIgnoreFile>>>> = {};
    await Promise.all(
      names.map(async (name) => {
        files[name] = await readIgnoreFile(path.join(folder, name), this.#ignoreCase, 'plain file only');
      }),
    );
    return Object.fromEntries(Object.entries(files).filter(([, rules]) => rules !== undefined));
  }
}

function relativePath(from: string, to: string): string {
  return path.relative(from, to).split(path.sep).join('/');
}

function withGlobal(
  infoExclude: RepositoryExcludes['infoExclude'],
  globalExcludes: RepositoryExcludes['globalExcludes'],
): RepositoryExcludes {
  return {
    ...(infoExclude === undefined ? {} : { infoExclude }),
    ...(globalExcludes === undefined ? {} : { globalExcludes }),
  };
}

async function resolveFolder(folder: string): Promise<string> {
  try {
    const resolved = await fs.realpath(folder);
    if ((await fs.stat(resolved)).isDirectory()) return resolved;
  } catch (cause) {
    throw new TesseraError(
      'folder-unreadable',
      `The folder ${folder} cannot be read; check that it exists and that you may open it.`,
      { cause, details: { folder } },
    );
  }
  throw new TesseraError('folder-unreadable', `${folder} is a file; name the folder it is in.`, {
    details: { folder },
  });
}
