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

const names = () => window.panel.files.locator('.file-name').allTextContents();
const askTax = () => window.panel.ask('tax owed on an invoice');

test('fewer lines of a hit are shown at once', async () => {
  const { document } = window.panel;
  await askTax();
  await document.locator('.code-line').first().waitFor();
  await window.setSettings({ 'tessera.view.snippetLines': 0 });
  await expect.poll(() => document.locator('.code-line').count()).toBe(0);
  await window.setSettings({});
  await document.locator('.code-line').first().waitFor();
});

test('fewer hits come with the next question, and more of them when asked for', async () => {
  const { page, panel } = window;
  await askTax();
  const all = await panel.hits.count();
  expect(all).toBeGreaterThan(5);
  await window.setSettings({ 'tessera.search.maxHits': 5 });
  await expect
    .poll(async () => {
      await page.keyboard.press('Enter');
      await panel.untilAnswered();
      return panel.hits.count();
    })
    .toBe(5);
  const before = await panel.hits.evaluateAll((rows) =>
    (rows as { textContent: string }[]).map((row) => row.textContent),
  );
  await panel.document.locator('.row.more').click();
  await expect.poll(() => panel.hits.count()).toBe(Math.min(10, all));
  const after = await panel.hits.evaluateAll((rows) =>
    (rows as { textContent: string }[]).map((row) => row.textContent),
  );
  // What was read already stays where it was.
  expect(after.slice(0, 5)).toEqual(before);
  await window.setSettings({});
});

test('what a setting hides comes back with the button beside the globs', async () => {
  const { page, panel } = window;
  await askTax();
  await expect.poll(names).toContain('invoice.py');
  await window.setSettings({ 'tessera.search.exclude': { '**/*.py': true } });
  await expect
    .poll(async () => {
      await panel.query.focus();
      await page.keyboard.press('Enter');
      await panel.untilAnswered();
      return names();
    })
    .not.toContain('invoice.py');
  await panel.document.locator('[aria-controls=details]').click();
  await panel.document.getByRole('button', { name: 'Use Exclude Settings' }).click();
  await expect.poll(names).toContain('invoice.py');
  await panel.document.getByRole('button', { name: 'Use Exclude Settings' }).click();
  await expect.poll(names).not.toContain('invoice.py');
  await window.setSettings({});
});

test('a file that is excluded leaves the index, and comes back', async () => {
  const { page, panel } = window;
  const askAgain = async () => {
    await panel.query.fill('tax owed on an invoice');
    await page.keyboard.press('Enter');
    await panel.untilAnswered();
    return names();
  };
  await window.setSettings({ 'tessera.exclude': { '**/*.py': true } });
  await expect.poll(askAgain).not.toContain('invoice.py');
  await window.setSettings({});
  await expect.poll(askAgain).toContain('invoice.py');
});

test('switched off for the folder, nothing is searched and the status bar is quiet', async () => {
  await window.setSettings({ 'tessera.enabled': false });
  await expect.poll(() => window.statusItem.count()).toBe(0);
  await window.panel.document.getByText('Indexing is switched off for this folder.').first().waitFor();
  await window.setSettings({});
  await window.untilIndexed();
  await askTax();
  await expect.poll(names).toContain('invoice.py');
});
