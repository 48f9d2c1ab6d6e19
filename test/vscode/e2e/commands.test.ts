import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow } from '../harness/testWindow.ts';

let window: TestWindow;

beforeAll(async () => {
  window = await TestWindow.open({
    extensionsDir: inject('extensionsDir'),
    files: { 'src/blank.ts': '' },
  });
  await window.panel.open();
  await window.untilIndexed();
});
beforeEach(() => keepEvidence(window));
afterAll(async () => window.close());

const best = () => window.panel.files.first().locator('.file-name').textContent();
const notifications = () => window.page.locator('.notification-toast, .notifications-center .notification-list-item');

/** Has the best hit for a question about taxes in the focus. */
async function focusTaxHit(): Promise<void> {
  await window.panel.ask('tax owed on an invoice');
  await expect.poll(best).toBe('invoice.py');
  await window.page.keyboard.press('Control+ArrowDown');
  await window.page.keyboard.press('ArrowDown');
  await expect.poll(() => window.panel.focusedRow.getAttribute('aria-level')).toBe('2');
}

test('Ctrl+C copies a hit’s text, with Alt its path, with Shift and Alt the relative one', async () => {
  const { page, workbench } = window;
  await focusTaxHit();
  await page.keyboard.press('Control+C');
  await expect.poll(() => workbench.clipboard()).toContain('def ');
  await page.keyboard.press('Control+Alt+C');
  await expect.poll(() => workbench.clipboard()).toBe(join(window.folder, 'src/invoice.py'));
  await page.keyboard.press('Control+Shift+Alt+C');
  await expect.poll(() => workbench.clipboard()).toBe('src/invoice.py');
});

test('the context menu of a hit offers what its keys do', async () => {
  const { page, panel, workbench } = window;
  await panel.hits.first().click({ button: 'right' });
  for (const name of ['Open', 'Open to the Side', 'Why This Hit?', 'Find Similar Code from Hit', 'Copy', 'Dismiss'])
    await page.getByRole('menuitem', { name, exact: true }).waitFor();
  // A click right after the menu opened would count as the end of the click that opened it.
  await page.getByRole('menuitem', { name: 'Copy Path' }).hover();
  await page.keyboard.press('Enter');
  await expect.poll(() => workbench.clipboard()).toBe(join(window.folder, 'src/invoice.py'));
});

test('Collapse All leaves the files, a second time opens them', async () => {
  const { page, panel } = window;
  await focusTaxHit();
  const button = page.locator('.part.sidebar .composite.title').getByRole('button', { name: /^Collapse/ });
  await button.click();
  await expect.poll(() => panel.hits.count()).toBe(0);
  expect(await panel.files.count()).toBeGreaterThan(1);
  await button.click();
  await expect.poll(() => panel.hits.count()).toBeGreaterThan(1);
});

test('the language’s own status says whether the file in front is indexed', async () => {
  const { page, workbench } = window;
  const says = (words: RegExp) =>
    expect
      .poll(async () => {
        const item = page.locator('.statusbar-item[id="status.languageStatus"]');
        if ((await item.count()) === 0) return '';
        await item.hover();
        return (await page.locator('.hover-language-status').allTextContents()).join('\n');
      })
      .toMatch(words);
  await workbench.openFile('src/invoice.py');
  await says(/Indexed.*chunk/s);
  await workbench.openFile('src/blank.ts');
  await says(/Not indexed: empty/);
  await workbench.runCommand('View: Close All Editors');
});

test('Show Log opens the log', async () => {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: Show Log');
  // What is in it cannot be seen here: the module that writes VS Code's logs is native, and none of this build is compiled.
  const chosen = page.locator('.part.panel').getByLabel('Switch Output').first().locator('option:checked');
  await expect.poll(() => chosen.textContent()).toBe('Tessera');
  await workbench.runCommand('View: Toggle Panel Visibility');
});

test('indexing that nobody asked for shows no notification', async () => {
  await writeFile(join(window.folder, 'src/new.ts'), '/** Plants the tulips. */\nexport const tulips = 1;\n');
  await expect
    .poll(async () => {
      await window.panel.query.fill('plant the tulips');
      await window.page.keyboard.press('Enter');
      await window.panel.untilAnswered();
      return best();
    })
    .toBe('new.ts');
  expect(await notifications().filter({ hasText: 'Tessera' }).count()).toBe(0);
});

test('Clear Index asks first, and Index Now makes it anew', async () => {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: Clear Index…');
  await page
    .locator('.monaco-dialog-box')
    .getByRole('button', { name: /^Clear/ })
    .click();
  await window.untilStatus(/0 files indexed|Indexing is paused/);
  await workbench.runCommand('Tessera: Index Now');
  await window.untilIndexed();
  await focusTaxHit();
});

test('Rebuild ends with the same files', async () => {
  await window.workbench.runCommand('Tessera: Rebuild Index');
  await window.untilIndexed();
  await focusTaxHit();
});
