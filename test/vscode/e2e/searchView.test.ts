import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow } from '../harness/testWindow.ts';

let window: TestWindow;

beforeAll(async () => {
  window = await TestWindow.open({ extensionsDir: inject('extensionsDir') });
  await window.panel.open();
  await window.untilIndexed();
});
beforeEach(() => keepEvidence(window));
afterAll(async () => window.close());

const activeName = () => window.activeEditor();
const bestFile = () => window.panel.files.first().locator('.file-name').textContent();

test('typing a question shows hits, the best file first', async () => {
  await window.panel.ask('where are failed calls tried again');
  await expect.poll(() => window.panel.files.first().getAttribute('aria-label')).toMatch(/^retry\.ts, src/);
  await expect.poll(() => window.panel.hits.first().textContent()).toContain('withRetries');
});

test('the words of the question are marked in the lines', async () => {
  await window.panel.ask('value_added_tax');
  await expect
    .poll(() => window.panel.document.locator('.code-line .mark, .code-line mark').allTextContents())
    .not.toEqual([]);
});

test('Ctrl+Down goes to the hits, arrows walk them, Enter opens, Esc goes back', async () => {
  const { page, panel } = window;
  await panel.ask('where are failed calls tried again');
  await expect.poll(bestFile).toBe('retry.ts');
  await page.keyboard.press('Control+ArrowDown');
  await expect.poll(() => panel.focusedRow.getAttribute('aria-level')).toBe('1');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => panel.focusedRow.getAttribute('aria-level')).toBe('2');
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => panel.focusedRow.getAttribute('aria-level')).toBe('1');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => panel.focusedRow.getAttribute('aria-expanded')).toBe('false');
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => panel.focusedRow.getAttribute('aria-expanded')).toBe('true');
  await page.keyboard.press('Escape');
  await panel.document.locator('input[name=query]:focus').waitFor();
  await page.keyboard.press('Control+ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect.poll(activeName).toBe('retry.ts');
  await page.locator('.monaco-editor.focused').first().waitFor();
});

test('Ctrl+Enter opens to the side', async () => {
  const { page, panel } = window;
  await panel.ask('tax owed on an invoice');
  await expect.poll(bestFile).toBe('invoice.py');
  await page.keyboard.press('Control+ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Control+Enter');
  await expect.poll(() => page.locator('.editor-group-container').count()).toBe(2);
  await expect.poll(activeName).toBe('invoice.py');
  await window.workbench.runCommand('View: Close All Editors');
  await expect.poll(() => page.locator('.editor-group-container').count()).toBe(1);
});

test('F4 and Shift+F4 step through the hits and show them', async () => {
  const { page, panel } = window;
  await panel.ask('evict the least recently used entry');
  await expect.poll(bestFile).toBe('cache.go');
  await page.keyboard.press('F4');
  await expect.poll(activeName).toBe('cache.go');
  const second = await panel.files.nth(1).locator('.file-name').textContent();
  await page.keyboard.press('F4');
  await expect.poll(activeName).toBe(second);
  await page.keyboard.press('Shift+F4');
  await expect.poll(activeName).toBe('cache.go');
});

test('Up and Down bring back what was asked before', async () => {
  const { page, panel } = window;
  for (const [question, file] of [
    ['tax rounded half up', 'invoice.py'],
    ['health checks of the load balancer', 'deployment.md'],
  ] as const) {
    await panel.ask(question);
    await page.keyboard.press('Enter');
    await expect.poll(bestFile).toBe(file);
  }
  await panel.query.fill('least recently used');
  await expect.poll(bestFile).toBe('cache.go');
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => panel.query.inputValue()).toBe('health checks of the load balancer');
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => panel.query.inputValue()).toBe('tax rounded half up');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => panel.query.inputValue()).toBe('least recently used');
});

test('a scope leaves out the other one', async () => {
  const { panel } = window;
  await panel.ask('rolling back a release');
  await panel.document.locator('.chip').filter({ hasText: 'Docs' }).click();
  await expect.poll(() => panel.files.locator('.file-name').allTextContents()).toEqual(['deployment.md']);
  await panel.document.locator('.chip').filter({ hasText: 'Code' }).click();
  await expect.poll(() => panel.files.locator('.file-name').allTextContents()).not.toContain('deployment.md');
  await panel.document.locator('.chip').filter({ hasText: 'All' }).click();
  await expect.poll(() => panel.files.locator('.file-name').allTextContents()).toContain('deployment.md');
});

test('globs and languages narrow the hits', async () => {
  const { page, panel } = window;
  await panel.ask('rolling back a release');
  await panel.document.locator('[aria-controls=details]').click();
  await panel.document.locator('input[name=include]').fill('*.py, scripts/**');
  await page.keyboard.press('Enter');
  await expect
    .poll(async () => (await panel.files.locator('.file-name').allTextContents()).toSorted())
    .toEqual(['backup', 'invoice.py']);
  await panel.document.locator('input[name=languages]').fill('python');
  await page.keyboard.press('Enter');
  await expect.poll(() => panel.files.locator('.file-name').allTextContents()).toEqual(['invoice.py']);
  await panel.document.locator('input[name=languages]').fill('cobol');
  await page.keyboard.press('Enter');
  await panel.document.locator('.notice-title').getByText('Nothing found').waitFor();
  await panel.document.getByRole('button', { name: 'Clear Filters' }).click();
  await expect.poll(() => panel.files.count()).toBeGreaterThan(2);
});

test('a hit tells why it was found, and can be dismissed', async () => {
  const { page, panel } = window;
  await panel.ask('withRetries');
  await page.keyboard.press('Control+ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await panel.document.locator('.reasons').waitFor();
  const before = await panel.hits.count();
  await page.keyboard.press('Delete');
  await expect.poll(() => panel.hits.count()).toBe(before - 1);
});

test('Find Similar from a hit leaves the hit itself out', async () => {
  const { panel } = window;
  await panel.ask('value_added_tax');
  await expect.poll(bestFile).toBe('invoice.py');
  await panel.hits.first().hover();
  await panel.hits.first().getByRole('button', { name: 'Find Similar Code' }).click();
  await panel.document.locator('.similar-to').waitFor();
  await expect.poll(() => panel.files.locator('.file-name').allTextContents()).not.toContain('invoice.py');
});

test('a file changed on disk marks its hits as old and is found anew', async () => {
  const { panel, folder } = window;
  await panel.ask('rolling back a release');
  await expect.poll(bestFile).toBe('deployment.md');
  await writeFile(join(folder, 'docs/deployment.md'), '# Kiln\n\nFire the pottery in the kiln at noon.\n');
  await panel.files.locator('.stale').first().waitFor();
  await panel.ask('fire the pottery in the kiln');
  await expect.poll(bestFile).toBe('deployment.md');
  await rename(join(folder, 'docs/deployment.md'), join(folder, 'docs/kiln.md'));
  await expect
    .poll(async () => {
      await panel.ask('fire the pottery in the kiln');
      return bestFile();
    })
    .toBe('kiln.md');
});

test('the view keeps its question and its hits while another view is in front', async () => {
  const { panel, workbench } = window;
  await panel.ask('tax owed on an invoice');
  await workbench.showSideBar(/^Explorer/);
  await panel.open();
  await expect.poll(() => panel.query.inputValue()).toBe('tax owed on an invoice');
  await expect.poll(bestFile).toBe('invoice.py');
});

test('clearing brings the welcome back', async () => {
  const { panel } = window;
  await panel.document.getByRole('button', { name: 'Clear' }).first().click();
  await expect.poll(() => panel.rows.count()).toBe(0);
  await panel.document.getByText('Ask for what the code does').waitFor();
});

test('everything has a name and a role, and one row takes part in the tab order', async () => {
  const { page, panel } = window;
  const { document } = panel;
  await panel.ask('tax owed on an invoice');
  await document.getByRole('search').waitFor();
  await document.getByRole('radiogroup').waitFor();
  await document.getByRole('tree').waitFor();
  await expect.poll(() => document.getByRole('treeitem').count()).toBeGreaterThan(1);
  const unnamed = await document
    .locator('button, input, [role=treeitem], [role=tree], [role=radiogroup], [role=group]')
    .evaluateAll((nodes) =>
      (nodes as { getAttribute(name: string): string | null; textContent: string; outerHTML: string }[])
        .filter((node) => (node.getAttribute('aria-label') ?? node.textContent).trim() === '')
        .map((node) => node.outerHTML.slice(0, 120)),
    );
  expect(unnamed.filter((html) => !html.includes('type="radio"') && !html.includes('hit-group'))).toEqual([]);
  await expect.poll(() => document.locator('.row[tabindex="0"]').count()).toBe(1);
  await expect.poll(() => document.locator('[aria-live]').textContent()).toMatch(/hits? in/);
  // Tab leads from the box over its buttons and chips to the hits.
  await panel.query.focus();
  let stops = 0;
  while ((await panel.focusedRow.count()) === 0 && stops < 10) {
    await page.keyboard.press('Tab');
    stops += 1;
  }
  expect(await panel.focusedRow.count()).toBe(1);
});

test('nothing was blocked by the Content-Security-Policy', () => {
  expect(window.consoleErrors.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
});
