import * as fs from 'node:fs/promises';
import { type CancellationSignal, throwIfCancelled } from '../../base/cancellation.ts';
import type { ExclusionRules } from '../../indexing/exclusions.ts';
import { IGNORE_FILES } from '../../protocol/ignoreFiles.ts';
import { skipByName, skipBySize } from '../../indexing/skipRules.ts';
import type { PathVerdict, ScanOptions } from './entries.ts';
import { describeFileError, isMissing } from './fileErrors.ts';
import { FolderRules, tellingEntries } from './folderRules.ts';
import { readGitConfiguration } from './gitFiles.ts';

/** What stands between the indexed folder and the inside of one of its folders. */
export type Entrance =
  | {
      readonly kind: 'entered';
      /** Rules of the folder around it; of the outside for the indexed folder itself. */
      readonly around: ExclusionRules;
      /** Rules for the paths directly in it. */
      readonly inside: ExclusionRules;
    }
  | Exclude<PathVerdict, { readonly kind: 'file' | 'folder' }>;

/**
 * Judges single paths exactly as a scan does. What it reads of folders and ignore files is kept, so one check serves one batch
 * of changes and is then dropped.
 */
export class PathCheck {
  readonly rules: FolderRules;
  readonly #options: ScanOptions;
  readonly #entrances = new Map<string, Promise<Entrance>>();

  private constructor(rules: FolderRules, options: ScanOptions) {
    this.rules = rules;
    this.#options = options;
  }

  /** Fails with `folder-unreadable` or `cancelled`. */
  static async open(...[folder, options, ...rest]: Parameters<typeof FolderRules.open>): Promise<PathCheck> {
    return new PathCheck(await FolderRules.open(folder, options, ...rest), options);
  }

  /** `path` is relative to the folder, with `/`; '' is the folder itself. A path that leads out of it is `ignored`. */
  async judge(path: string): Promise<PathVerdict> {
    if (path === '') return { kind: 'folder', path };
    const parts = path.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..')) return { kind: 'ignored', path };
    const around = await this.enter(parts.slice(0, -1).join('/'));
    // What is wrong with a folder around it is told for that folder, not once more for everything in it.
    if (around.kind !== 'entered') return { kind: around.kind === 'missing' ? 'missing' : 'ignored', path };
    const entry = await this.#judgeEntry(path, around.inside);
    if (entry.kind !== 'folder') return entry;
    const inside = await this.enter(path);
    return inside.kind === 'entered' ? entry : inside;
  }

  /** Way into a folder, '' for the indexed one. */
  enter(folderPath: string): Promise<Entrance> {
    const known = this.#entrances.get(folderPath);
    if (known !== undefined) return known;
    const entrance = this.#findEntrance(folderPath);
    this.#entrances.set(folderPath, entrance);
    return entrance;
  }

  async #findEntrance(folderPath: string): Promise<Entrance> {
    if (folderPath === '') return this.#readFolder('', this.rules.outside);
    const slash = folderPath.lastIndexOf('/');
    const parent = await this.enter(slash === -1 ? '' : folderPath.slice(0, slash));
    if (parent.kind !== 'entered') return { ...parent, path: folderPath };
    const entry = await this.#judgeEntry(folderPath, parent.inside);
    if (entry.kind === 'folder') return this.#readFolder(folderPath, parent.inside);
    return entry.kind === 'file' ? { kind: 'missing', path: folderPath } : entry;
  }

  async #readFolder(folderPath: string, around: ExclusionRules): Promise<Entrance> {
    try {
      const entries = tellingEntries(await fs.readdir(this.#absolute(folderPath)));
      if (folderPath !== '') {
        const ruling = around.ruleByContent(folderPath, entries);
        if (ruling.kind === 'skipped') return { ...ruling, path: folderPath };
      }
      return { kind: 'entered', around, inside: await this.rules.enter(around, folderPath, entries) };
    } catch (error) {
      if (isMissing(error)) return { kind: 'missing', path: folderPath };
      return { kind: 'skipped', path: folderPath, reason: 'unreadable', detail: describeFileError(error) };
    }
  }

  /** Judges a path by the rules of the folder around it, without looking into it when it is a folder itself. */
  async #judgeEntry(path: string, rules: ExclusionRules): Promise<PathVerdict> {
    const name = path.slice(path.lastIndexOf('/') + 1);
    try {
      const stat = await fs.lstat(this.#absolute(path));
      const isFolder = stat.isDirectory();
      if (!isFolder && !stat.isFile()) {
        return { kind: 'ignored', path, detail: stat.isSymbolicLink() ? 'a symbolic link' : 'a special file' };
      }
      const ruling = rules.rule(path, name, isFolder);
      if (ruling.kind === 'ignored') return { kind: 'ignored', path };
      if (ruling.kind === 'skipped') return { ...ruling, path };
      if (isFolder) return { kind: 'folder', path };
      const skip = skipByName(path) ?? skipBySize(path, stat.size, this.#options.maxFileBytes);
      if (skip !== undefined) return { kind: 'skipped', path, ...skip };
      return { kind: 'file', path, size: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, inode: stat.ino };
    } catch (error) {
      if (isMissing(error)) return { kind: 'missing', path };
      return { kind: 'skipped', path, reason: 'unreadable', detail: describeFileError(error) };
    }
  }

  #absolute(path: string): string {
    return path === '' ? this.rules.folder : `${this.rules.folder}/${path}`;
  }
}

/** Judges changed paths by the rules of a full scan, in their order. */
export async function checkPaths(
  folder: string,
  options: ScanOptions,
  paths: readonly string[],
  signal?: CancellationSignal,
  readGit = readGitConfiguration,
): Promise<readonly PathVerdict[]> {
  const check = await PathCheck.open(folder, options, signal, readGit);
  const verdicts: PathVerdict[] = [];
  for (const path of paths) {
    throwIfCancelled(signal);
    verdicts.push(await check.judge(path));
  }
  return verdicts;
}

/** Whether a full scan would yield this path as a file to index. */
export async function isIndexable(folder: string, path: string, options: ScanOptions): Promise<boolean> {
  const [verdict] = await checkPaths(folder, options, [path]);
  return verdict?.kind === 'file';
}

/** Whether a change of this path can change what is ignored elsewhere, so that only a full scan is right afterwards. */
export function changesRules(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return RULE_FILES.has(name) || path === '.git/info/exclude' || path.endsWith('/.git/info/exclude');
}

const RULE_FILES: ReadonlySet<string> = new Set([...IGNORE_FILES, '.git', 'pyvenv.cfg', 'CACHEDIR.TAG']);
