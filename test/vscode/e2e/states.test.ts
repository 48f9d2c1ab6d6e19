import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { signalAll } from '../harness/processes.ts';
import { TestWindow, type TestWindowOptions } from '../harness/testWindow.ts';

async function open(options: Omit<TestWindowOptions, 'extensionsDir'>): Promise<TestWindow> {
  const window = await TestWindow.open({ extensionsDir: inject('extensionsDir'), ...options });
  onTestFinished(async () => window.close());
  keepEvidence(window);
  return window;
}

test('restricted mode: nothing is indexed until the folder is trusted', async () => {
  const window = await open({ trusted: false });
  await window.panel.open();
  await window.panel.document.getByText('This folder is not trusted').waitFor();
  await window.untilStatus(/Restricted Mode/);
  await window.panel.query.fill('failed calls');
  await window.page.keyboard.press('Enter');
  await window.panel.document.locator('.notice.page').waitFor();
  expect(await window.panel.rows.count()).toBe(0);
  expect(await tablesOf(window)).toEqual([]);

  await window.panel.document.getByRole('button', { name: 'Manage Trust' }).first().click();
  await window.page
    .getByRole('button', { name: /^Trust/ })
    .first()
    .click();
  await window.untilIndexed();
  await window.page
    .locator('.monaco-modal-editor-block')
    .getByRole('button', { name: /^Close/ })
    .first()
    .click();
  await window.panel.ask('where are failed calls tried again');
  await expect.poll(() => window.panel.files.first().textContent()).toContain('retry.ts');
});

test('no folder: the view says what to do and the status bar stays quiet', async () => {
  const window = await open({ folder: null });
  await window.workbench.showSideBar(/^Tessera/);
  await window.page.locator('.welcome-view-content').getByText('Open Folder').waitFor({ timeout: 60_000 });
  expect(await window.statusItem.count()).toBe(0);
});

test('an empty folder, then a first file', async () => {
  const window = await open({ folder: 'empty' });
  await window.panel.open();
  await window.untilStatus(/0 files indexed/);
  await window.panel.query.fill('anything at all');
  await window.page.keyboard.press('Enter');
  await window.panel.document.locator('.notice.page').waitFor();
  await writeFile(join(window.folder, 'first.ts'), '/** Anything at all. */\nexport const first = 1;\n');
  await window.untilStatus(/1 files? indexed/);
  await window.panel.ask('anything at all');
  await expect.poll(() => window.panel.files.first().textContent()).toContain('first.ts');
});

test('paused: changes wait, are counted, and are made good on resume', async () => {
  const window = await open({});
  await window.untilIndexed();
  await window.workbench.runCommand('Tessera: Pause Indexing');
  await window.untilStatus(/Indexing is paused/);
  await writeFile(join(window.folder, 'src/late.ts'), '/** Waters the orchids. */\nexport const orchids = 1;\n');
  await window.untilStatus(/1 files? (is|are) waiting/);
  await window.panel.open();
  await window.panel.ask('water the orchids');
  expect(await window.panel.files.locator('.file-name').allTextContents()).not.toContain('late.ts');
  const before = await window.panel.files.count();
  await window.workbench.runCommand('Tessera: Resume Indexing');
  // Until then the index is up to date with what it had before the pause.
  await window.untilStatus(new RegExp(`${before + 1} files indexed.*up to date`));
  await window.panel.ask('water the orchids');
  await expect.poll(() => window.panel.files.first().textContent()).toContain('late.ts');
});

test('without a model the view says once what is missing and where to mend it', async () => {
  const missing = join(tmpdir(), 'no-such-model');
  const window = await open({ settings: { 'tessera.model.code': missing, 'tessera.model.docs': missing } });
  const { document, query } = window.panel;
  await window.panel.open();
  await window.untilStatus(/Search is limited.*No embedding model was found at .*no-such-model/);
  await document
    .getByText(/No embedding model was found at .*no-such-model/)
    .first()
    .waitFor();
  await query.fill('withRetries');
  await window.page.keyboard.press('Enter');
  await document.locator('.notice.page').getByRole('button', { name: 'Open Settings' }).waitFor();
  const said = document.locator('.notice-title').filter({ hasText: 'No embedding model was found at' });
  await expect.poll(() => said.count()).toBe(1);
});

test('degraded: when the model is gone words still find, and it is said that only they do', async () => {
  const model = await mkdtemp(join(tmpdir(), 'tessera-model-'));
  const extensions = inject('extensionsDir');
  const [installed = ''] = (await readdir(extensions)).filter((name) => name.startsWith('tessera.'));
  const [bundled = ''] = await readdir(join(extensions, installed, 'models'));
  await cp(join(extensions, installed, 'models', bundled), model, { recursive: true });
  const manifest = join(model, 'tessera.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(bundled, 'soon-gone'));
  const window = await open({ settings: { 'tessera.model.code': model, 'tessera.model.docs': model } });
  const { panel, page } = window;
  await panel.open();
  // VS Code may come to know the machine's settings late: what is indexed first may be by the bundled model.
  await untilStatusPageSays(window, 'soon-gone');
  await window.untilIndexed();
  await rm(model, { recursive: true });
  await signalAll(inject('extensionsDir'), 'embedder.js', 'SIGKILL');
  const said = panel.document.locator('.notice-title').filter({ hasText: 'Only a part of the search ran' });
  let asked = 0;
  await expect
    .poll(
      async () => {
        // Words of its own each time, so that no answer comes from a cache.
        await panel.query.fill(`withRetries again ${asked++}`);
        await page.keyboard.press('Enter');
        await panel.untilAnswered();
        return said.count();
      },
      { timeout: 120_000 },
    )
    .toBe(1);
  expect(await panel.files.locator('.file-name').allTextContents()).toContain('retry.ts');
  await window.untilStatus(/Search is limited.*only words and names/);
  await untilStatusPageSays(window, 'Search is limited');
});

test('failed: an index server that keeps dying is given up, said so, and started again on request', async () => {
  const window = await open({});
  await window.panel.open();
  await window.untilIndexed();
  const said = window.panel.document.locator('.notice', { hasText: 'The index server ended unexpectedly' });
  await expect
    .poll(
      async () => {
        await signalAll(inject('extensionsDir'), 'server.js', 'SIGKILL');
        return said.count();
      },
      { timeout: 120_000 },
    )
    .toBe(1);
  await window.untilStatus(/Not working/);
  await said.getByRole('button', { name: 'Restart' }).click();
  await window.untilIndexed();
  await expect.poll(() => said.count()).toBe(0);
  // Asked before the new server is through, it answers once it is.
  await window.panel.ask('where are failed calls tried again');
  await expect.poll(() => window.panel.files.first().textContent()).toContain('retry.ts');
});

/** Opens the status page until it says something, and closes it. */
async function untilStatusPageSays(window: TestWindow, text: string): Promise<void> {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: Show Status');
  await expect.poll(() => page.locator('iframe.webview.ready').count(), { timeout: 60_000 }).toBe(2);
  const found = [0, 1].map((index) => workbench.webview(index).getByText(text).first().waitFor({ timeout: 120_000 }));
  await Promise.any(found);
  await workbench.runCommand('View: Close All Editors');
  await expect.poll(() => page.locator('iframe.webview.ready').count(), { timeout: 60_000 }).toBe(1);
}

/** Tables that were made on disk, of chunks or of embeddings. */
async function tablesOf(window: TestWindow): Promise<readonly string[]> {
  const entries = await readdir(join(window.folder, '../cache/tessera'), { recursive: true }).catch(() => []);
  return entries.filter((path) => path.endsWith('.lance'));
}
