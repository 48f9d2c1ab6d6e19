import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Clock } from '../../base/clock.ts';
import { Disposable, DisposableStore } from '../../base/disposable.ts';
import { TesseraError, toTesseraError } from '../../base/errors.ts';
import { Emitter } from '../../base/event.ts';
import type { Logger } from '../../base/logger.ts';
import { DeviceSetting } from '../settings/deviceSetting.ts';
import { type ExtensionFolders, INDEX_SECTIONS, readFolderSettings } from '../settings/indexSettings.ts';
import { FolderWatcher } from '../watching/folderWatcher.ts';
import { FolderIndex, type FolderPermission } from './folderIndex.ts';
import type { IndexServer } from './indexServer.ts';
import { type Overview, overviewOf } from './overview.ts';
import { SearchTrouble } from './searchTrouble.ts';

const PAUSED_KEY = 'tessera.pausedFolders';

export interface WorkspaceIndexOptions {
  readonly server: IndexServer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folders: ExtensionFolders;
  readonly memento: vscode.Memento;
}

/** A file and the indexed folder it is in. */
export interface IndexedFile {
  readonly index: FolderIndex;
  /** Folder-relative, with `/`. */
  readonly path: string;
}

interface Entry {
  readonly index: FolderIndex;
  readonly workspaceFolder: vscode.WorkspaceFolder;
  readonly owned: DisposableStore;
}

/** The indexes of all folders of the window, kept in step with folders, trust, settings and file changes. */
export class WorkspaceIndex extends Disposable {
  readonly #options: WorkspaceIndexOptions;
  readonly #entries = new Map<string, Entry>();
  /** Read when it may have changed: it is asked for with every step of an index run, and reading a setting is slow. */
  readonly #permissions = new Map<string, FolderPermission>();
  #isOnBattery = false;
  readonly #deviceSetting: DeviceSetting;
  readonly #searchTrouble = new SearchTrouble();
  readonly #overview = this.own(new Emitter<Overview>());
  readonly #foldersChanged = this.own(new Emitter<void>());
  /** The overview, whenever a part of it changed. */
  readonly onOverview = this.#overview.event;
  readonly onFoldersChanged = this.#foldersChanged.event;

  constructor(options: WorkspaceIndexOptions) {
    super();
    this.#options = options;
    this.#deviceSetting = new DeviceSetting(options.logger);
  }

  /** Begins to follow the window's folders. Starts the server when there is a folder to be indexed in the background. */
  start(): void {
    const { server } = this.#options;
    this.own(
      server.onFolderState(({ folder, state }) => {
        const index = this.#entries.get(folder)?.index;
        // Searches in the middle of a pass may have lacked what is there at its end.
        if (state.kind === 'indexing' || index?.state.kind === 'indexing') this.#searchTrouble.forget();
        index?.acceptState(state);
      }),
    );
    this.own(
      server.onState((state) => {
        this.#searchTrouble.forget();
        if (state.kind === 'running') this.#recover();
        this.#announce();
      }),
    );
    this.own(
      server.onDeath(() => {
        for (const { index } of this.#entries.values()) index.serverDied();
      }),
    );
    this.own(vscode.workspace.onDidChangeWorkspaceFolders(() => this.#followFolders()));
    this.own(vscode.workspace.onDidGrantWorkspaceTrust(() => this.#updateAll()));
    this.own(
      vscode.workspace.onDidChangeConfiguration((change) => {
        for (const entry of this.#entries.values()) {
          const { uri } = entry.workspaceFolder;
          if (INDEX_SECTIONS.some((section) => change.affectsConfiguration(section, uri))) this.#update(entry);
        }
      }),
    );
    this.own({
      dispose: () => {
        for (const { owned } of this.#entries.values()) owned.dispose();
      },
    });
    this.#followFolders();
  }

  get overview(): Overview {
    return overviewOf(
      this.#options.server.state,
      [...this.#entries.values()].map(({ index }) => index),
      this.searchTrouble,
    );
  }

  /** Whether folders are indexed without being asked for. */
  get isAutomatic(): boolean {
    return isAutomatic();
  }

  /** What the last search lacked; null when it was whole. */
  get searchTrouble(): string | null {
    return this.#searchTrouble.present;
  }

  /** A search begins; what comes back takes what it had to do without, or null when it was whole. */
  noteSearch(): (lacked: string | null) => void {
    const note = this.#searchTrouble.begin();
    return (lacked) => {
      if (note(lacked)) this.#announce();
    };
  }

  /** Folders that may be searched. */
  get searchable(): readonly FolderIndex[] {
    return this.#indexes.filter((index) => index.permission !== 'none');
  }

  /** Folders that may be indexed. */
  get indexable(): readonly FolderIndex[] {
    return this.#indexes.filter((index) => index.permission === 'index');
  }

  /** Names of the window's folders by path. */
  get folderNames(): ReadonlyMap<string, string> {
    return new Map([...this.#entries].map(([folder, { workspaceFolder }]) => [folder, workspaceFolder.name]));
  }

  find(uri: vscode.Uri): IndexedFile | undefined {
    if (uri.scheme !== 'file') return undefined;
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    const entry = folder === undefined ? undefined : this.#entries.get(folder.uri.fsPath);
    if (entry === undefined) return undefined;
    return { index: entry.index, path: relativePath(entry.index.folder, uri.fsPath) };
  }

  uriOf(folder: string, relative: string): vscode.Uri {
    const entry = this.#entries.get(folder);
    if (entry === undefined) {
      throw new TesseraError('not-found', 'The folder is no longer open.', { details: { folder } });
    }
    return vscode.Uri.joinPath(entry.workspaceFolder.uri, ...relative.split('/'));
  }

  /** Opens what may be searched, so that it is known what is indexed. Failures show in the overview or with a search. */
  async openAll(): Promise<void> {
    await Promise.allSettled(this.searchable.map((index) => index.open()));
  }

  /** Lets the background work of some folders wait, also in the next window. */
  async pause(indexes: readonly FolderIndex[] = this.indexable): Promise<void> {
    const waiting = this.indexable.filter((index) => index.pausedBy === 'asked' || indexes.includes(index));
    await this.#remember(waiting.map((index) => index.folder));
    await Promise.all(indexes.map((index) => index.pause('asked')));
    this.#announce();
  }

  async resume(): Promise<void> {
    await this.#remember([]);
    await Promise.all(this.indexable.map((index) => index.resume()));
    this.#announce();
  }

  /** Follows the power source; a person's own pause stays. */
  setOnBattery(isOnBattery: boolean): void {
    this.#isOnBattery = isOnBattery;
    for (const index of this.indexable) {
      const change = isOnBattery ? index.pause('battery') : index.resume('battery');
      change.catch((error: unknown) => {
        const { code, message } = toTesseraError(error);
        this.#options.logger.warn('pausing failed', { folder: index.folder, code, message });
      });
    }
  }

  get #indexes(): readonly FolderIndex[] {
    return [...this.#entries.values()].map(({ index }) => index);
  }

  #followFolders(): void {
    const wanted = new Map(
      (vscode.workspace.workspaceFolders ?? [])
        .filter(({ uri }) => uri.scheme === 'file')
        .map((folder) => [folder.uri.fsPath, folder]),
    );
    for (const [folder, { owned }] of this.#entries) {
      if (wanted.has(folder)) continue;
      owned.dispose();
      this.#entries.delete(folder);
      this.#permissions.delete(folder);
      // The server may be gone or the folder never opened; either way there is nothing left to close.
      if (this.#options.server.state.kind === 'running') {
        this.#options.server.request('close', { folder }).catch(() => undefined);
      }
    }
    for (const [folder, workspaceFolder] of wanted) {
      if (!this.#entries.has(folder)) this.#add(folder, workspaceFolder);
    }
    this.#foldersChanged.fire();
    this.#announce();
  }

  #add(folder: string, workspaceFolder: vscode.WorkspaceFolder): void {
    const { server, logger, folders, memento, clock } = this.#options;
    const owned = new DisposableStore();
    this.#permissions.set(folder, permissionOf(workspaceFolder.uri));
    const index = owned.add(
      new FolderIndex({
        folder,
        server,
        logger,
        permission: () => this.#permissions.get(folder) ?? 'none',
        readSettings: () => readFolderSettings(workspaceFolder.uri, folders, this.#deviceSetting),
        openPaths: () => openPathsIn(folder),
      }),
    );
    if (memento.get<readonly string[]>(PAUSED_KEY, []).includes(folder)) void index.pause('asked');
    if (this.#isOnBattery) void index.pause('battery');
    owned.add(index.onState(() => this.#announce()));
    const watcher = owned.add(
      new FolderWatcher(workspaceFolder, clock, (change) => {
        // Without background indexing a change starts nothing; it is found when the folder is next brought up to date.
        if (isAutomatic() || index.state.kind !== 'closed') void index.accept(change);
      }),
    );
    watcher.start();
    this.#entries.set(folder, { index, workspaceFolder, owned });
    if (isAutomatic()) void index.reconcile();
  }

  /** A server that was started again knows no folder: opens those that were open, and makes good what was missed. */
  #recover(): void {
    for (const index of this.#indexes) {
      if (index.owesReconcile) void index.reconcile();
    }
  }

  #updateAll(): void {
    for (const entry of this.#entries.values()) this.#update(entry);
  }

  #update({ index, workspaceFolder }: Entry): void {
    this.#permissions.set(index.folder, permissionOf(workspaceFolder.uri));
    if (index.permission === 'index' && (isAutomatic() || index.state.kind !== 'closed')) void index.reopen();
    this.#announce();
  }

  #announce(): void {
    if (!this.isDisposed) this.#overview.fire(this.overview);
  }

  async #remember(paused: readonly string[]): Promise<void> {
    await this.#options.memento.update(PAUSED_KEY, paused);
  }
}

function isAutomatic(): boolean {
  return vscode.workspace.getConfiguration('tessera').get<boolean>('index.automatic', true);
}

function permissionOf(folder: vscode.Uri): FolderPermission {
  if (!vscode.workspace.getConfiguration('tessera', folder).get<boolean>('enabled', true)) return 'none';
  return vscode.workspace.isTrusted ? 'index' : 'search';
}

function relativePath(folder: string, file: string): string {
  return path.relative(folder, file).split(path.sep).join('/');
}

/** Folder-relative paths of the files in tabs, those on screen first. */
export function openPathsIn(folder: string): readonly string[] {
  const visible = vscode.window.visibleTextEditors.map((editor) => editor.document.uri);
  const inTabs = vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .flatMap(({ input }) => (input instanceof vscode.TabInputText ? [input.uri] : []));
  const inside = [...visible, ...inTabs]
    .filter((uri) => uri.scheme === 'file' && uri.fsPath.startsWith(folder + path.sep))
    .map((uri) => relativePath(folder, uri.fsPath));
  return [...new Set(inside)];
}
