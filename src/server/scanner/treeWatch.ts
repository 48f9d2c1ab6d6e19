import * as fs from 'node:fs';
import * as path from 'node:path';
import { Disposable, toDisposable } from '../../base/disposable.ts';
import type { ExclusionRules } from '../../indexing/exclusions.ts';
import type { ScanOptions } from './entries.ts';
import { errorCode } from './fileErrors.ts';
import { FolderRules, tellingEntries } from './folderRules.ts';
import { gitCommonFolder } from './gitFiles.ts';
import { changesRules } from './pathCheck.ts';

/** What a watch tells. Paths are relative to the folder. */
export interface WatchListener {
  changed(path: string): void;
  /** What is to be watched may be different now: this watch has to be replaced. */
  outdated(reason: string): void;
  /** Nothing can be watched any more (no more watches to be had, the folder is gone, …). */
  failed(error: unknown): void;
}

interface WatchedFolder {
  readonly watcher: fs.FSWatcher;
  /** Rules for the paths directly in it. */
  readonly inside: ExclusionRules;
}

/**
 * One watch for each folder a scan enters, for systems that cannot watch a tree (Linux). Node's own `recursive` does there
 * the same over everything, `node_modules` included, with a watch for each file.
 */
export class TreeWatch extends Disposable {
  readonly #rules: FolderRules;
  readonly #listener: WatchListener;
  readonly #watched = new Map<string, WatchedFolder>();

  private constructor(rules: FolderRules, listener: WatchListener) {
    super();
    this.#rules = rules;
    this.#listener = listener;
    this.own(toDisposable(() => this.#unwatch('')));
  }

  /** Resolves once every folder is watched. Fails with `folder-unreadable` or what `fs.watch` fails with (`ENOSPC`). */
  static async establish(folder: string, options: ScanOptions, listener: WatchListener): Promise<TreeWatch> {
    const watch = new TreeWatch(await FolderRules.open(folder, options), listener);
    try {
      await watch.#watchRepository(options);
      await watch.#watchTree('', watch.#rules.outside);
      return watch;
    } catch (error) {
      watch.dispose();
      throw error;
    }
  }

  /** `.git` is not watched, but its `info/exclude` is a rule like any other. */
  async #watchRepository(options: ScanOptions): Promise<void> {
    const common = options.useIgnoreFiles ? await gitCommonFolder(this.#rules.folder) : undefined;
    if (common === undefined) return;
    try {
      const watcher = fs.watch(path.join(common, 'info'), (_, name) => {
        if (name === 'exclude') this.#listener.outdated('.git/info/exclude changed');
      });
      watcher.on('error', () => watcher.close());
      this.own(toDisposable(() => watcher.close()));
    } catch {
      // A repository without an `info` folder has no excludes to change.
    }
  }

  /** Watches before it lists, so that what comes in between is seen twice rather than never. */
  async #watchTree(folderPath: string, around: ExclusionRules): Promise<void> {
    if (this.isDisposed) return;
    const watcher = this.#watchOne(folderPath);
    if (watcher === undefined) return;
    try {
      const entries = await fs.promises.readdir(this.#absolute(folderPath), { withFileTypes: true });
      const telling = tellingEntries(entries.map((entry) => entry.name));
      const isEntered = folderPath === '' || around.ruleByContent(folderPath, telling).kind === 'allowed';
      const inside = await this.#rules.enter(around, folderPath, telling);
      if (!isEntered || this.#isLetGo()) {
        watcher.close();
        return;
      }
      this.#watched.get(folderPath)?.watcher.close();
      this.#watched.set(folderPath, { watcher, inside });
      for (const entry of entries) {
        if (entry.isDirectory()) await this.#watchChild(join(folderPath, entry.name), inside);
      }
    } catch (error) {
      if (this.#watched.get(folderPath)?.watcher !== watcher) watcher.close();
      if (!isGone(error)) throw error;
    }
  }

  async #watchChild(folderPath: string, around: ExclusionRules): Promise<void> {
    const name = folderPath.slice(folderPath.lastIndexOf('/') + 1);
    if (around.rule(folderPath, name, true).kind === 'allowed') await this.#watchTree(folderPath, around);
  }

  #watchOne(folderPath: string): fs.FSWatcher | undefined {
    try {
      const watcher = fs.watch(this.#absolute(folderPath), (event, name) => this.#onEvent(folderPath, event, name));
      watcher.on('error', (error) => {
        if (isGone(error)) this.#unwatch(folderPath);
        else this.#listener.failed(error);
      });
      return watcher;
    } catch (error) {
      // A folder that is gone or closed to us is not scanned either; the indexed one itself must be there.
      if (folderPath !== '' && isGone(error)) return undefined;
      throw error;
    }
  }

  #onEvent(folderPath: string, event: fs.WatchEventType, name: string | null): void {
    if (this.isDisposed) return;
    if (name === null || name.includes('\ufffd')) {
      // Which one is not known: look at all of the folder.
      this.#listener.changed(folderPath);
      return;
    }
    const changed = join(folderPath, name);
    if (changesRules(changed) && (name !== '.git' || event === 'rename')) {
      this.#listener.outdated(`${changed} changed`);
      return;
    }
    const around = this.#watched.get(folderPath)?.inside;
    if (event === 'change') {
      if (around?.rule(changed, name, false).kind !== 'ignored') this.#listener.changed(changed);
      return;
    }
    this.#onRename(changed, name, around).catch((error: unknown) => this.#listener.failed(error));
  }

  /** Something of this name came, went or was replaced; a folder may have come with all that is in it. */
  async #onRename(changed: string, name: string, around: ExclusionRules | undefined): Promise<void> {
    this.#unwatch(changed);
    const stat = await fs.promises.lstat(this.#absolute(changed)).catch(() => undefined);
    if (this.isDisposed) return;
    if (stat === undefined && !fs.existsSync(this.#rules.folder)) {
      this.#listener.failed(new Error('The folder is gone.'));
      return;
    }
    if (stat !== undefined && around?.rule(changed, name, stat.isDirectory()).kind === 'ignored') return;
    if (stat?.isDirectory() === true) {
      if (around === undefined) {
        // It came while the folder around it was being listed, too late for the list.
        this.#listener.outdated(`${changed} appeared early`);
        return;
      }
      this.#unwatch(changed);
      await this.#watchChild(changed, around);
    }
    // Told only now: whoever scans the folder on hearing this misses nothing that comes later.
    this.#listener.changed(changed);
  }

  /** Stops watching a folder and all in it. */
  #unwatch(folderPath: string): void {
    const inside = `${folderPath}/`;
    for (const [watchedPath, { watcher }] of this.#watched) {
      if (folderPath !== '' && watchedPath !== folderPath && !watchedPath.startsWith(inside)) continue;
      watcher.close();
      this.#watched.delete(watchedPath);
    }
  }

  /** `isDisposed` asked anew after an `await`. */
  #isLetGo(): boolean {
    return this.isDisposed;
  }

  #absolute(folderPath: string): string {
    return folderPath === '' ? this.#rules.folder : `${this.#rules.folder}/${folderPath}`;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP'].includes(errorCode(error));
}

function join(folderPath: string, name: string): string {
  return folderPath === '' ? name : `${folderPath}/${name}`;
}
