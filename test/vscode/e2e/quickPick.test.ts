import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow } from '../harness/testWindow.ts';

let window: TestWindow;

beforeAll(async () => {
  window = await TestWindow.open({ extensionsDir: inject('extensionsDir') });
  await window.untilIndexed();
});
beforeEach(() => keepEvidence(window));
afterAll(async () => window.close());

const activeName = () => window.activeEditor();

/** Opens the search and types a question. */
async function ask(question: string): Promise<void> {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: Search…');
  await workbench.quickInput.getByText('Search by Meaning').waitFor();
  await page.keyboard.type(question);
}

const firstPick = () => window.workbench.quickPicks.first().textContent();

test('hits appear while one types and the best one is previewed behind', async () => {
  await window.workbench.openFile('src/cache.go');
  await expect.poll(activeName).toBe('cache.go');
  await ask('where are failed calls tried again');
  await expect.poll(firstPick).toContain('src/retry.ts');
  await expect.poll(activeName).toBe('retry.ts');
  await expect.poll(() => window.workbench.quickInput.locator('input').inputValue()).toContain('failed calls');
});

test('the preview follows the arrows', async () => {
  const { page, workbench } = window;
  const focused = workbench.quickInput.locator('.monaco-list-row.focused');
  await expect
    .poll(async () => {
      // Pressed again if an answer that came meanwhile has put the focus back on the first one.
      if ((await focused.getAttribute('data-index')) === '0') await page.keyboard.press('ArrowDown');
      const name = await activeName();
      return name !== null && name !== 'retry.ts' && ((await focused.textContent()) ?? '').includes(name);
    })
    .toBe(true);
});

test('the preview that stays is that of the active hit, however fast the arrows went', async () => {
  const { page, workbench } = window;
  const focused = workbench.quickInput.locator('.monaco-list-row.focused');
  const rowsDown = Number(await focused.getAttribute('data-index'));
  expect(rowsDown).toBeGreaterThan(0);
  expect(await activeName()).not.toBe('retry.ts');
  // Down, past the end if need be, and all the way back to the first.
  for (let row = 0; row < 2; row++) await page.keyboard.press('ArrowDown');
  for (let row = 0; row < rowsDown + 2; row++) await page.keyboard.press('ArrowUp');
  await expect.poll(() => focused.getAttribute('data-index')).toBe('0');
  await expect.poll(activeName).toBe('retry.ts');
  // A preview of a row passed on the way could still come.
  const until = performance.now() + 1_000;
  while (performance.now() < until) expect(await activeName()).toBe('retry.ts');
});

test('Esc brings back the editor one came from', async () => {
  await window.workbench.closeQuickInput();
  await expect.poll(activeName).toBe('cache.go');
  await expect.poll(() => window.page.locator('.tab').count()).toBe(1);
});

test('Enter opens the hit at its lines', async () => {
  await ask('tax owed on an invoice');
  await expect.poll(firstPick).toContain('src/invoice.py');
  await window.page.keyboard.press('Enter');
  await window.workbench.quickInput.waitFor({ state: 'hidden' });
  await expect.poll(activeName).toBe('invoice.py');
  await window.page.locator('.monaco-editor.focused').first().waitFor();
});

test('an answer that came too late is not shown', async () => {
  await ask('dump the database');
  await window.page.keyboard.press('Control+A');
  await window.page.keyboard.type('evict the least recently used entry');
  await expect.poll(firstPick).toContain('src/cache.go');
  await window.workbench.closeQuickInput();
});

test('an empty box offers what was asked before', async () => {
  await ask('');
  await expect
    .poll(() => window.workbench.quickPicks.allTextContents())
    .toEqual(expect.arrayContaining([expect.stringContaining('tax owed on an invoice')]));
  await window.workbench.closeQuickInput();
});

test('the button of a hit opens it to the side', async () => {
  await ask('rolling back a release');
  await expect.poll(firstPick).toContain('docs/deployment.md');
  await window.workbench.quickPicks.first().hover();
  await window.workbench.quickPicks.first().getByRole('button', { name: 'Open to the Side' }).click();
  await expect.poll(() => window.page.locator('.editor-group-container').count()).toBe(2);
  await expect.poll(activeName).toBe('deployment.md');
});

test('Find Similar Code answers in the view', async () => {
  const { workbench, panel } = window;
  await workbench.openFile('src/retry.ts');
  await expect.poll(activeName).toBe('retry.ts');
  await workbench.runCommand('Tessera: Find Similar Code');
  await panel.document.locator('.similar-to').waitFor({ timeout: 60_000 });
  await expect.poll(() => panel.files.locator('.file-name').allTextContents()).not.toContain('retry.ts');
});

test('Search in Folder… fills in the folder', async () => {
  const { page, panel, workbench } = window;
  await workbench.showSideBar(/^Explorer/);
  await page
    .locator('.explorer-folders-view .monaco-list-row')
    .filter({ hasText: 'scripts' })
    .click({ button: 'right' });
  // A click right after the menu opened would count as the end of the click that opened it.
  await page.getByRole('menuitem', { name: 'Search in Folder…' }).hover();
  await page.keyboard.press('Enter');
  await expect.poll(() => panel.document.locator('input[name=include]').inputValue()).toMatch(/scripts/);
});

test('the default key opens it', async () => {
  await window.page.keyboard.press('Control+Alt+J');
  await window.workbench.quickInput.getByText('Search by Meaning').waitFor();
  await window.workbench.closeQuickInput();
});
