/**
 * `npm run screenshots`: pictures of every state of the packed extension in a real VS Code, in dark, light and high contrast,
 * into out/screenshots/; those the README shows are copied to media/screenshots/. Needs `npm run package -- --out out/tessera.vsix`.
 * `--theme dark` and `--only panel,quick-pick` make fewer.
 */
import { copyFile, cp, glob, mkdir, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { signalAll } from '../test/vscode/harness/processes.ts';
import { TestWindow, type TestWindowOptions } from '../test/vscode/harness/testWindow.ts';
import { installExtension } from '../test/vscode/harness/vscodeServer.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'out/screenshots');
const SIZE = { width: 1200, height: 760 };

const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  contrast: 'Default High Contrast',
  'contrast-light': 'Default High Contrast Light',
} as const;
type Theme = keyof typeof THEMES;

/** Pictures the README shows. */
const IN_README = ['panel-dark', 'panel-light', 'quick-pick-dark', 'status-dark'];

type Shoot = (name: string) => Promise<void>;

interface OtherWindow extends Omit<TestWindowOptions, 'extensionsDir'> {
  /** What the status bar says when the picture is to be taken. */
  readonly until?: RegExp;
  /** What the view says then. */
  readonly shows?: string;
  /** Brings about what the picture shows. */
  readonly then?: (window: TestWindow, extensionsDir: string) => Promise<void>;
  /** The state is over soon: the picture is taken at once. */
  readonly isPassing?: boolean;
}

/** States that need a window of their own. */
const OTHER_WINDOWS: Readonly<Record<string, OtherWindow>> = {
  // More files than are indexed before the picture is taken.
  indexing: { folder: join(ROOT, 'node_modules/@azure'), until: /Indexing [1-9]/, isPassing: true },
  'no-folder': { folder: null },
  restricted: { folder: 'fixture', trusted: false, shows: 'This folder is not trusted' },
  'empty-folder': { folder: 'empty', until: /0 files indexed/ },
  degraded: { settings: { 'tessera.model.code': join(tmpdir(), 'missing-model') }, until: /Search is limited/ },
  // The latest errors, and what can be done about each: here of an index that was damaged.
  errors: {
    until: /[1-9]\d* files? indexed/,
    then: async (window, extensionsDir) => {
      for await (const file of glob('**/chunks-*.lance/data/*', { cwd: window.cacheDir }))
        await truncate(join(window.cacheDir, file), 10);
      await signalAll(extensionsDir, 'server.js', 'SIGKILL');
      await window.workbench.runCommand('Tessera: Show Status');
      const pages = window.page.locator('iframe.webview.ready');
      while ((await pages.count()) < 2) await window.page.waitForTimeout(100);
      const titles = [0, 1].map((at) => window.workbench.webview(at).getByText('Latest errors'));
      await Promise.any(titles.map((title) => title.waitFor({ timeout: 60_000 })));
      for (const title of titles) if (await title.isVisible()) await title.scrollIntoViewIfNeeded();
      await window.page.keyboard.press('End');
    },
  },
  // An index server that keeps dying.
  failed: {
    until: /files? indexed/,
    then: async (window, extensionsDir) => {
      const said = window.panel.document.locator('.notice', { hasText: 'The index server ended unexpectedly' });
      while (!(await said.isVisible())) await signalAll(extensionsDir, 'server.js', 'SIGKILL');
      await window.untilStatus(/Not working/);
      await window.workbench.runCommand('Tessera: Show Status');
    },
  },
  virtual: { virtual: 'alone' },
};

/** A window on this repository's own sources, and the pictures to take of it, in order. */
const SCENES: Readonly<Record<string, (window: TestWindow, shoot: Shoot) => Promise<void>>> = {
  welcome: async (window, shoot) => {
    await window.panel.open();
    await window.untilIndexed();
    await shoot('welcome');
  },
  panel: async (window, shoot) => {
    await window.panel.open();
    await window.untilIndexed();
    await window.widenSideBar(430);
    await window.panel.ask('restart a child process that died');
    await settle(window);
    await window.page.keyboard.press('F4');
    await settle(window);
    await shoot('panel');
    await window.panel.hits.first().focus();
    await window.page.keyboard.press('ArrowRight');
    await settle(window);
    await shoot('why');
    await window.panel.query.fill('zebra lang:cobol');
    await window.page.keyboard.press('Enter');
    await window.panel.document.locator('.notice-title').getByText('Nothing found').waitFor();
    await shoot('nothing-found');
    await window.panel.ask('restart a child process that died');
    await window.panel.document.locator('[aria-controls=details]').click();
    await window.widenSideBar(200);
    await settle(window);
    await shoot('narrow');
    await window.panel.document.locator('[aria-controls=details]').click();
    await window.widenSideBar(600);
    await settle(window);
    await shoot('wide');
    await window.widenSideBar(430);
    await window.panel.query.fill('');
  },
  'quick-pick': async (window, shoot) => {
    await window.untilIndexed();
    await window.workbench.openFile('src/base/deferred.ts');
    await window.workbench.runCommand('Tessera: Search…');
    await window.workbench.quickInput.getByText('Search by Meaning').waitFor();
    await window.page.keyboard.type('how long to wait before a restart');
    await window.workbench.quickPicks.filter({ hasText: 'estart' }).first().waitFor();
    await settle(window);
    await settle(window);
    await shoot('quick-pick');
    await window.workbench.closeQuickInput();
  },
  similar: async (window, shoot) => {
    await window.untilIndexed();
    await window.workbench.openFile('src/host/folders/overview.ts');
    await window.workbench.runCommand('Tessera: Find Similar Code');
    await window.panel.document.locator('.similar-to').waitFor();
    await window.widenSideBar(430);
    await settle(window);
    await shoot('similar');
  },
  status: async (window, shoot) => {
    await window.untilIndexed();
    await window.workbench.runCommand('Tessera: Show Status');
    await settle(window);
    await shoot('status');
  },
  walkthrough: async (window, shoot) => {
    // Beside the side bar there is no room for the pictures.
    await window.workbench.runCommand('View: Toggle Primary Side Bar Visibility');
    await window.workbench.runCommand('Tessera: Open Walkthrough');
    await window.page.locator('.gettingStartedContainer').waitFor();
    const steps = window.page.locator('.gettingStartedContainer .getting-started-step');
    for (let at = 0; at < (await steps.count()); at++) {
      await steps.nth(at).click();
      await settle(window);
      await shoot(at === 0 ? 'walkthrough' : `walkthrough-${at + 1}`);
    }
    await window.workbench.runCommand('View: Toggle Primary Side Bar Visibility');
  },
};

/** Colours, icons and previews arrive a little after the text. */
async function settle(window: TestWindow): Promise<void> {
  await window.page.waitForTimeout(1_500);
}

async function shootTheme(
  theme: Theme,
  scenes: readonly string[],
  extensionsDir: string,
  sources: string,
): Promise<void> {
  const settings = { 'workbench.colorTheme': THEMES[theme], 'window.autoDetectColorScheme': false };
  const options = { extensionsDir, settings, size: SIZE };
  const shooter = (window: TestWindow): Shoot => {
    return async (name) => {
      // Away from anything that shows a tooltip or lights up.
      await window.page.mouse.move(SIZE.width - 200, SIZE.height - 60);
      await window.page.waitForTimeout(400);
      await window.workbench.screenshot(join(OUT, `${name}-${theme}.png`));
      console.log(`${name}-${theme}.png`);
    };
  };
  const window = await TestWindow.open({ ...options, folder: sources });
  try {
    for (const scene of Object.keys(SCENES).filter((name) => scenes.includes(name))) {
      await SCENES[scene]?.(window, shooter(window));
      await window.workbench.runCommand('View: Close All Editors');
    }
  } finally {
    await window.close();
  }
  for (const [name, { until, shows, then, isPassing, ...more }] of Object.entries(OTHER_WINDOWS)) {
    if (!scenes.includes(name)) continue;
    const other = await TestWindow.open({ ...options, ...more, settings: { ...settings, ...more.settings } });
    try {
      await other.workbench.showSideBar(/^Tessera/);
      if (until !== undefined) await other.untilStatus(until);
      if (shows !== undefined) await other.panel.document.getByText(shows).waitFor({ timeout: 60_000 });
      await then?.(other, extensionsDir);
      if (isPassing !== true) await settle(other);
      await shooter(other)(name);
    } finally {
      await other.close();
    }
  }
}

const { values } = parseArgs({ options: { theme: { type: 'string' }, only: { type: 'string' } } });
const scenes = values.only?.split(',') ?? [...Object.keys(SCENES), ...Object.keys(OTHER_WINDOWS)];
const home = await mkdtemp(join(tmpdir(), 'tessera-screenshots-'));
try {
  await mkdir(OUT, { recursive: true });
  const extensionsDir = join(home, 'extensions');
  await installExtension(join(ROOT, 'out/tessera.vsix'), extensionsDir);
  const sources = join(home, 'tessera');
  for (const folder of ['src', 'ARCHITECTURE.md', 'README.md', 'CONTRIBUTING.md'])
    await cp(join(ROOT, folder), join(sources, folder), { recursive: true });
  for (const theme of Object.keys(THEMES) as Theme[]) {
    if (values.theme === undefined || values.theme === theme) await shootTheme(theme, scenes, extensionsDir, sources);
  }
  await mkdir(join(ROOT, 'media/screenshots'), { recursive: true });
  for (const name of IN_README) {
    await copyFile(join(OUT, `${name}.png`), join(ROOT, 'media/screenshots', `${name}.png`)).catch((error: unknown) => {
      if (values.only === undefined && values.theme === undefined) throw error;
    });
  }
} finally {
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
