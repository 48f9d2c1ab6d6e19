import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { REMOVE, isRemoved, removeAtExit } from './atExit.ts';
import { launchBrowser } from './browser.ts';
import { SearchPanel } from './searchPanel.ts';
import { startVSCodeServer, type VSCodeServer, writeSettings } from './vscodeServer.ts';
import { Workbench } from './workbench.ts';

const DRIVER = join(import.meta.dirname, '../driver');
const COMPANION = join(import.meta.dirname, '../companion');
const FIXTURE = join(import.meta.dirname, '../../fixtures/workspace');

const WORKSPACE_FILE = 'window.code-workspace';
/** What the companion extension holds. */
const VIRTUAL_FOLDER = 'memory:/greenhouse';

export interface TestWindowOptions {
  /** Folder VS Code has installed the packed extension into. */
  readonly extensionsDir: string;
  /** A copy of a folder (of the fixture when left out), an empty folder, or none at all. */
  readonly folder?: 'fixture' | 'empty' | (string & {}) | null;
  /** Texts to write into the folder before VS Code opens it, by folder-relative path. */
  readonly files?: Readonly<Record<string, string>>;
  /** More folders by name, with their texts by path: the window is opened on a workspace file that names them all. */
  readonly beside?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A folder that is on no disk, in place of the other one or beside it. */
  readonly virtual?: 'alone' | 'beside';
  /** Loads the extension in `companion/`, which brings the virtual folder and an agent; a virtual folder needs it anyway. */
  readonly hasCompanion?: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Display language. */
  readonly language?: string;
  readonly trusted?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Module whose `run()` VS Code calls inside the extension host. */
  readonly extensionTestsPath?: string;
  readonly size?: { readonly width: number; readonly height: number };
  readonly scale?: number;
}

/** A VS Code of its own with the packed extension, on a folder of its own, closed and removed by `close`. */
export class TestWindow {
  readonly workbench: Workbench;
  readonly page: Page;
  readonly panel: SearchPanel;
  /** Absolute path of the folder; that of its parent when none is open. */
  readonly folder: string;
  /** Errors the page and its webviews wrote to the console, those about Content-Security-Policy among them. */
  readonly consoleErrors: readonly string[];
  /** Texts of dialogs that scripts opened. */
  readonly dialogs: readonly string[];
  readonly #home: string;
  readonly #server: VSCodeServer;
  readonly #browser: Browser;

  private constructor(home: string, folder: string, server: VSCodeServer, browser: Browser, workbench: Workbench) {
    this.#home = home;
    this.#server = server;
    this.#browser = browser;
    this.folder = folder;
    this.workbench = workbench;
    this.page = workbench.page;
    this.panel = new SearchPanel(workbench);
    const errors: string[] = [];
    const dialogs: string[] = [];
    this.consoleErrors = errors;
    this.dialogs = dialogs;
    this.page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    this.page.on('pageerror', (error) => errors.push(error.message));
    this.page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
  }

  static async open(options: TestWindowOptions): Promise<TestWindow> {
    const home = await mkdtemp(join(tmpdir(), 'tessera-window-'));
    removeAtExit(home);
    const { folder: from = 'fixture' } = options;
    const isCopied = from !== null && from !== 'empty' && from !== 'fixture';
    const folder = join(home, isCopied ? basename(from) : 'workspace');
    if (from !== null) {
      if (from === 'empty') await mkdir(folder);
      else await cp(isCopied ? from : FIXTURE, folder, { recursive: true });
      await writeFiles(folder, options.files ?? {});
    }
    for (const [name, files] of Object.entries(options.beside ?? {})) await writeFiles(join(home, name), files);
    const workspace = join(home, WORKSPACE_FILE);
    const hasSeveral = options.beside !== undefined || options.virtual === 'beside';
    const virtual = options.virtual === 'beside' ? [VIRTUAL_FOLDER] : [];
    if (hasSeveral) await writeFolders(workspace, [basename(folder), ...Object.keys(options.beside ?? {}), ...virtual]);
    const hasCompanion = options.hasCompanion === true || options.virtual !== undefined;
    const opened = options.folder === null ? null : hasSeveral ? workspace : folder;
    const server = await startVSCodeServer({
      dataDir: join(home, 'data'),
      extensionsDir: options.extensionsDir,
      settings: options.settings ?? {},
      env: { ...options.env, XDG_CACHE_HOME: join(home, 'cache') },
      trusted: options.trusted ?? true,
      ...(options.language === undefined ? {} : { language: options.language }),
    });
    const browser = await launchBrowser();
    const workbench = await Workbench.open(browser, server, {
      folder: options.virtual === 'alone' ? VIRTUAL_FOLDER : opened,
      ...(hasCompanion ? { extensionDevelopmentPath: COMPANION } : {}),
      ...(options.language === undefined ? {} : { language: options.language }),
      ...(options.extensionTestsPath === undefined
        ? {}
        : { extensionTestsPath: options.extensionTestsPath, extensionDevelopmentPath: DRIVER }),
      ...(options.size === undefined ? {} : { size: options.size }),
      ...(options.scale === undefined ? {} : { scale: options.scale }),
    });
    return new TestWindow(home, options.folder === null ? home : folder, server, browser, workbench);
  }

  /** The extension's item in the status bar; its label says what the index is doing. */
  get statusItem(): Locator {
    return this.page.locator('.statusbar-item[id="tessera.tessera.tessera.status"]');
  }

  /** Waits until the status bar says something. */
  async untilStatus(label: RegExp, timeoutMs = 120_000): Promise<void> {
    await this.page
      .getByRole('button', { name: label })
      .and(this.statusItem.locator('a'))
      .waitFor({ timeout: timeoutMs });
  }

  async untilIndexed(timeoutMs?: number): Promise<void> {
    // A window that indexes nothing by itself has no files in its index.
    await this.untilStatus(/\b[1-9][\d,]* files? indexed.*up to date/, timeoutMs);
  }

  /** Where this window's indexes and embeddings are kept. */
  get cacheDir(): string {
    return join(this.#home, 'cache');
  }

  /** File name of the editor that is in front; null when none is open. */
  async activeEditor(): Promise<string | null> {
    const tab = this.page.locator('.editor-group-container.active .tab.active');
    return (await tab.count()) === 0 ? null : tab.first().getAttribute('data-resource-name');
  }

  /** Lets the companion ask Tessera's tool, and says yes to VS Code's question whether it may; resolves with what it was answered. */
  async askTool(question: string): Promise<string> {
    await this.workbench.runCommand('Companion: Ask the Search Tool');
    const box = this.workbench.quickInput.getByText('What is the tool asked for?');
    await box.waitFor();
    await this.page.keyboard.type(question);
    await this.page.keyboard.press('Enter');
    const dialog = this.page.locator('.monaco-dialog-box');
    await dialog.getByText(`for “${question}” and hands the source text it finds to the language model.`).waitFor();
    await dialog.getByRole('button', { name: 'Yes' }).click();
    return (await this.notification('The tool answered: ')).slice('The tool answered: '.length);
  }

  /** Waits for a notification that holds a text, which may be a toast no longer; takes all away, and resolves with what it says. */
  async notification(text: string): Promise<string> {
    const message = this.page.locator('.notifications-center .notification-list-item-message', { hasText: text });
    const deadline = performance.now() + 60_000;
    while (!(await message.first().isVisible())) {
      if (performance.now() > deadline) throw new Error(`No notification says “${text}”.`);
      // Also when there are some: one that comes later than the list was opened is in it.
      if (!(await this.page.locator('.notifications-center.visible').isVisible()))
        await this.workbench.runCommand('Notifications: Show Notifications');
      await this.page.waitForTimeout(100);
    }
    const said = (await message.first().textContent()) ?? '';
    await this.workbench.runCommand('Notifications: Clear All Notifications');
    return said;
  }

  /** Drags the side bar's edge. */
  async widenSideBar(width: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (box === null) throw new Error('The side bar is not open.');
    await this.page.mouse.move(box.x + box.width, box.y + box.height / 2);
    await this.page.mouse.down();
    await this.page.mouse.move(box.x + width, box.y + box.height / 2, { steps: 4 });
    await this.page.mouse.up();
  }

  /** Changes the settings of the machine while the window is open; those of before are gone. */
  async setSettings(settings: Readonly<Record<string, unknown>>): Promise<void> {
    await writeSettings(join(this.#home, 'data'), settings);
  }

  /** Writes what folders the window has into its workspace file, as *Add Folder to Workspace…* does. Paths begin beside `folder`. */
  async setFolders(paths: readonly string[]): Promise<void> {
    await writeFolders(join(this.#home, WORKSPACE_FILE), paths);
  }

  /** What VS Code and its extension hosts printed. */
  output(): string {
    return this.#server.output();
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
    await rm(this.#home, REMOVE);
    isRemoved(this.#home);
  }
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function writeFolders(workspace: string, paths: readonly string[]): Promise<void> {
  const folders = paths.map((path) => (/^\w+:\//.test(path) ? { uri: path } : { path }));
  await writeFile(workspace, JSON.stringify({ folders }));
}
