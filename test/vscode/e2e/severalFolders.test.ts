import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow } from '../harness/testWindow.ts';

/** Everything that means something in an address, a glob or a shell. */
const ODD = 'Zürich #1 50% [new] (a) {b}, c & d';
const LATE = 'late';

let window: TestWindow;

beforeAll(async () => {
  window = await TestWindow.open({
    extensionsDir: inject('extensionsDir'),
    beside: {
      [ODD]: {
        'src/lamp #2 100%.ts': '/** Lights the lamp of the lighthouse. */\nexport function lightLamp(): void {}\n',
        'test/lamp.ts': '/** Tries the lamp of the lighthouse. */\nexport const tried = true;\n',
      },
    },
  });
  await window.panel.open();
  await window.untilIndexed();
});
beforeEach(() => keepEvidence(window));
afterAll(async () => window.close());

const best = () => window.panel.files.first().locator('.file-name').textContent();
const names = () => window.panel.files.locator('.file-name').allTextContents();
const directories = () => window.panel.files.locator('.file-directory').allTextContents();

/** Names of the files found when a question is asked once more. An answer does not change by itself under the cursor. */
async function askAgain(question: string): Promise<readonly string[]> {
  await window.panel.query.fill(question);
  await window.page.keyboard.press('Enter');
  await window.panel.untilAnswered();
  return names();
}

/** Searches in what the box of globs is set to. */
async function include(globs: string): Promise<void> {
  const box = window.panel.document.locator('input[name=include]');
  if (!(await box.isVisible())) await window.panel.document.locator('[aria-controls=details]').click();
  await box.fill(globs);
  await window.page.keyboard.press('Enter');
}

test('all folders are searched together, and hits say which one they are from', async () => {
  await window.panel.ask('light the lamp of the lighthouse');
  await expect.poll(best).toBe('lamp #2 100%.ts');
  await expect.poll(directories).toContain(`${ODD} • src`);
  await window.panel.ask('where are failed calls tried again');
  await expect.poll(best).toBe('retry.ts');
  await expect.poll(directories).toContain('workspace • src');
});

test('a hit opens, whatever is in its path', async () => {
  await window.panel.ask('light the lamp of the lighthouse');
  await expect.poll(best).toBe('lamp #2 100%.ts');
  await window.page.keyboard.press('F4');
  await expect.poll(() => window.activeEditor()).toBe('lamp #2 100%.ts');
  await window.page.locator('.view-line').getByText('lightLamp').first().waitFor();
  await window.workbench.runCommand('View: Close All Editors');
});

test('the status page tells of each folder', async () => {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: Show Status');
  await expect.poll(() => page.locator('iframe.webview.ready').count()).toBe(2);
  const headings = async () =>
    (await Promise.all([0, 1].map((index) => workbench.webview(index).locator('h1').allTextContents()))).flat();
  await expect.poll(headings).toEqual(['workspace', ODD]);
  await workbench.runCommand('View: Close All Editors');
  await expect.poll(() => page.locator('iframe.webview.ready').count()).toBe(1);
});

test('a folder’s name in the box of globs means that folder', async () => {
  await window.panel.ask('light the lamp of the lighthouse');
  await expect.poll(names).toContain('lamp #2 100%.ts');
  await include('./workspace');
  await expect.poll(names).not.toContain('lamp #2 100%.ts');
  await expect.poll(names).toContain('retry.ts');
  await include('');
  await expect.poll(names).toContain('lamp #2 100%.ts');
});

test('globs of one folder say nothing of the others, to include and to exclude', async () => {
  await window.panel.ask('light the lamp of the lighthouse');
  await include('./workspace/test, lamp.ts');
  await expect.poll(names).toContain('lamp.ts');
  await expect.poll(names).not.toContain('lamp #2 100%.ts');
  await include('');
  await expect.poll(names).toContain('lamp #2 100%.ts');
  const exclude = window.panel.document.locator('input[name=exclude]');
  await exclude.fill('./workspace, ./workspace/test');
  await window.page.keyboard.press('Enter');
  await expect.poll(async () => (await names()).toSorted()).toEqual(['lamp #2 100%.ts', 'lamp.ts']);
  await exclude.fill('');
  await window.page.keyboard.press('Enter');
  await expect.poll(names).toContain('retry.ts');
});

test('Search in Folder… stays in the folder, whatever it is called', async () => {
  const { page, panel, workbench } = window;
  await workbench.showSideBar(/^Explorer/);
  await page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: ODD }).click({ button: 'right' });
  // A click right after the menu opened would count as the end of the click that opened it.
  await page.getByRole('menuitem', { name: 'Search in Folder…' }).hover();
  await page.keyboard.press('Enter');
  await expect.poll(() => panel.document.locator('input[name=include]').inputValue()).toContain('Zürich');
  await panel.ask('lighthouse lamp or failed calls');
  await expect.poll(async () => (await names()).toSorted()).toEqual(['lamp #2 100%.ts', 'lamp.ts']);
  await include('');
  await expect.poll(names).toContain('retry.ts');
});

test('a folder added while the window is open is indexed and searched', async () => {
  const folder = join(window.folder, '..', LATE);
  await mkdir(folder);
  await writeFile(join(folder, 'fog.py'), 'def fog_horn():\n    """Sounds the horn in fog."""\n');
  await window.setFolders(['workspace', ODD, LATE]);
  await expect.poll(() => askAgain('sound the horn in fog')).toContain('fog.py');
});

test('a file saved there is found', async () => {
  await writeFile(join(window.folder, '..', LATE, 'tide.py'), 'def tide():\n    """Tells the tide at the pier."""\n');
  await expect.poll(() => askAgain('tell the tide at the pier')).toContain('tide.py');
});

test('with a folder its hits go, and the others stay', async () => {
  await window.panel.ask('sound the horn in fog at the lighthouse');
  await expect.poll(names).toContain('fog.py');
  await window.setFolders(['workspace', ODD]);
  await expect.poll(names).not.toContain('fog.py');
  await expect.poll(names).toContain('lamp.ts');
  expect(await askAgain('sound the horn in fog')).not.toContain('fog.py');
});
