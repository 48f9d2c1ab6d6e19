import { type Browser, type BrowserContext, errors, type FrameLocator, type Locator, type Page } from 'playwright-core';
import type { VSCodeServer } from './vscodeServer.ts';

export interface WorkbenchOptions {
  /** Absolute, of a folder or of a `.code-workspace` file, or the address of a virtual folder; null opens a window without a folder. */
  readonly folder: string | null;
  /** Folder of an extension to load in development mode. */
  readonly extensionDevelopmentPath?: string;
  /** What the browser says the person reads, such as `de`. */
  readonly language?: string;
  /** Module whose `run()` VS Code calls inside the extension host. */
  readonly extensionTestsPath?: string;
  readonly size?: { readonly width: number; readonly height: number };
  /** Device pixels per CSS pixel. */
  readonly scale?: number;
}

/** A command of an extension is there once its manifest has reached the window, which may be after the palette opens. */
const QUICK_INPUT_TIMEOUT_MS = 60_000;

/** One VS Code window in a browser page. */
export class Workbench {
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
  }

  static async open(browser: Browser, server: VSCodeServer, options: WorkbenchOptions): Promise<Workbench> {
    const context = await browser.newContext({
      viewport: options.size ?? { width: 1280, height: 800 },
      deviceScaleFactor: options.scale ?? 1,
      ...(options.language === undefined ? {} : { locale: options.language }),
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await context.newPage();
    const payload: [string, string][] = [['skipWelcome', 'true']];
    if (options.extensionDevelopmentPath !== undefined)
      payload.push(['extensionDevelopmentPath', `vscode-remote://remote${options.extensionDevelopmentPath}`]);
    if (options.extensionTestsPath !== undefined)
      payload.push(['extensionTestsPath', `vscode-remote://remote${options.extensionTestsPath}`]);
    const query = new URLSearchParams({
      ...(options.folder === null
        ? { ew: 'true' }
        : { [options.folder.endsWith('.code-workspace') ? 'workspace' : 'folder']: options.folder }),
      payload: JSON.stringify(payload),
    });
    await page.goto(`${server.url}/?${query.toString()}`);
    const workbench = new Workbench(context, page);
    await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    await page.locator('.statusbar-item').first().waitFor({ timeout: 60_000 });
    return workbench;
  }

  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  /** Rows of the quick pick that is open. */
  get quickPicks(): Locator {
    return this.quickInput.locator('.quick-input-list .monaco-list-row');
  }

  /** Runs a command by the title it has in the palette, waiting until the palette has it. */
  async runCommand(title: string): Promise<void> {
    const command = this.quickPicks.filter({ has: this.page.locator('.label-name').getByText(title, { exact: true }) });
    await this.#choose('F1', `>${title}`, command);
  }

  /** Opens a file of the folder to stay, by Quick Open. */
  async openFile(path: string): Promise<void> {
    await this.#choose('Control+P', path, this.quickPicks.filter({ hasText: path.slice(path.lastIndexOf('/') + 1) }));
  }

  /** Brings a view container of the activity bar to the front; it may be there already. */
  async showSideBar(name: RegExp): Promise<void> {
    const tab = this.page.locator('.activitybar').getByRole('tab', { name });
    await tab.waitFor({ timeout: 60_000 });
    // A click on the one in front would close the side bar.
    if ((await tab.getAttribute('aria-expanded')) !== 'true') await tab.click();
  }

  /** Esc, until no quick input is left. */
  async closeQuickInput(): Promise<void> {
    // Pressed again when it did not close, for an input may open just after another one closed.
    for (let attempt = 0; attempt < 20; attempt++) {
      await this.page.keyboard.press('Escape');
      const closed = this.quickInput.waitFor({ state: 'hidden', timeout: 1_000 });
      if (
        await closed.then(
          () => true,
          () => false,
        )
      )
        return;
    }
    await this.quickInput.waitFor({ state: 'hidden' });
  }

  /** Opens a quick input with a key, types, and clicks the row once it is there. Tried again, for the input may just be closing, or an editor that opens late may take the focus from it. */
  async #choose(key: string, text: string, row: Locator): Promise<void> {
    const deadline = performance.now() + QUICK_INPUT_TIMEOUT_MS;
    for (;;) {
      try {
        await this.page.keyboard.press(key);
        await this.quickInput.locator('input').fill(text, { timeout: 2_000 });
        await row.first().click({ timeout: 3_000 });
        return;
      } catch (error) {
        if (!(error instanceof errors.TimeoutError) || performance.now() > deadline) throw error;
        await this.closeQuickInput();
      }
    }
  }

  /** What was copied last. */
  async clipboard(): Promise<string> {
    return this.page.evaluate<string>('navigator.clipboard.readText()');
  }

  /** The document of the n-th visible webview. */
  webview(index = 0): FrameLocator {
    return this.page.locator('iframe.webview.ready').nth(index).contentFrame().frameLocator('iframe#active-frame');
  }

  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
