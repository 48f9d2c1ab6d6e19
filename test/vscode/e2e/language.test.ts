import type { FrameLocator } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { PSEUDO_LANGUAGE, copyWithPseudoTexts, untranslated } from '../harness/pseudoLanguage.ts';
import { TestWindow } from '../harness/testWindow.ts';

let window: TestWindow;
let extensions: Awaited<ReturnType<typeof copyWithPseudoTexts>>;

beforeAll(async () => {
  extensions = await copyWithPseudoTexts(inject('extensionsDir'));
  window = await TestWindow.open({
    extensionsDir: extensions.dir,
    language: PSEUDO_LANGUAGE,
    files: { 'src/blank.ts': '' },
  });
});
beforeEach(() => keepEvidence(window));
afterAll(async () => {
  await window.close();
  await extensions.remove();
});

/** What stands in the language of the sources whatever a person reads: code, names and paths. */
const NAMES = [
  ...['.code-line:not(.more-lines)', '.file-label', '.hit-name:not(.unnamed)', '.reason-detail'],
  ...['h1', '.path', 'dd', 'td', '.bar-label', '.card-value', '.file-link', '.file-detail'],
].join(', ');

/** Runs in the page: all its words, those for a screen reader among them. */
const WORDS = `(() => {
  const { body } = document;
  const found = [];
  const walk = document.createTreeWalker(body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = body; node !== null; node = walk.nextNode()) {
    const element = node instanceof Element ? node : node.parentElement;
    if (element.closest(${JSON.stringify(`${NAMES}, script, style`)}) !== null) continue;
    if (node !== element) found.push(node.textContent);
    // The label of a row begins with its name.
    else if (!element.classList.contains('row'))
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) found.push(element.getAttribute(name) ?? '');
  }
  return found;
})()`;

/** Words of a page that no translator was given. */
async function untranslatedIn(document: FrameLocator): Promise<readonly string[]> {
  const texts: readonly string[] = await document.locator('body').evaluate(WORDS);
  return [...new Set(texts.map(untranslated))].filter((text) => text !== '');
}

test('the status bar speaks the language of the window', async () => {
  await window.untilIndexed();
  const label = await window.statusItem.locator('a').getAttribute('aria-label');
  expect(untranslated((label ?? '').replace('Tessera:', ''))).toBe('');
});

test('the view speaks it, before a question and with hits', async () => {
  const { page, panel } = window;
  await panel.open();
  await page.locator('.part.sidebar .title-label', { hasText: '⟦Search⟧' }).waitFor();
  await panel.document.getByText('⟦Ask for what the code does⟧').waitFor();
  await panel.document.locator('[aria-controls=details]').click();
  expect(await untranslatedIn(panel.document)).toEqual([]);
  await panel.document.locator('[aria-controls=details]').click();
  await panel.query.fill('where are failed calls tried again');
  await panel.untilAnswered();
  await panel.hits.first().waitFor();
  await panel.hits.first().focus();
  await page.keyboard.press('ArrowRight');
  await panel.document.locator('.reasons').first().waitFor();
  expect(await untranslatedIn(panel.document)).toEqual([]);
});

test('the commands and the Quick Pick speak it', async () => {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: ⟦Search…⟧');
  await workbench.quickInput.getByText('⟦Search by Meaning⟧').waitFor();
  const box = workbench.quickInput.locator('input[type=text]');
  await expect.poll(() => box.getAttribute('placeholder')).toContain('⟦Ask for code in plain words, or by name⟧');
  await page.keyboard.type('tax owed on an invoice');
  await workbench.quickPicks.filter({ hasText: 'invoice.py' }).first().hover();
  await workbench.quickPicks.first().getByRole('button', { name: '⟦Open to the Side⟧' }).waitFor();
  await workbench.closeQuickInput();
  await page.keyboard.press('F1');
  await workbench.quickInput.locator('input').fill('>Tessera: ');
  // The line below each is VS Code's own: the English title, for those who know it by that.
  const titles = workbench.quickPicks.locator('.quick-input-list-row:first-child .label-name');
  await titles.first().waitFor();
  const shown = (await titles.allTextContents()).filter((title) => title.startsWith('Tessera: '));
  expect(shown.filter((title) => untranslated(title.replace('Tessera:', '')) !== '')).toEqual([]);
  await workbench.closeQuickInput();
});

test('the status page and the walkthrough speak it', async () => {
  const { page, workbench } = window;
  await workbench.runCommand('Tessera: ⟦Show Status⟧');
  const status = () => workbench.webview(1);
  await expect.poll(() => page.locator('iframe.webview.ready').count()).toBe(2);
  const both = [status(), workbench.webview(0)];
  await Promise.any(both.map((document) => document.getByText('⟦Up to date⟧').waitFor({ timeout: 60_000 })));
  for (const document of both) expect(await untranslatedIn(document)).toEqual([]);
  await page.locator('.tab', { hasText: '⟦Tessera: Status⟧' }).waitFor();
  await workbench.runCommand('View: Close All Editors');
  await workbench.runCommand('Tessera: ⟦Open Walkthrough⟧');
  await page.locator('.gettingStartedContainer').getByText('⟦Ask in plain words⟧').first().waitFor();
  await page.locator('.gettingStartedContainer').getByRole('button', { name: '⟦Open the Search View⟧' }).waitFor();
  await workbench.runCommand('View: Close All Editors');
});

test('what is asked and what goes wrong is told in it', async () => {
  const { page, panel, workbench } = window;
  await workbench.runCommand('Tessera: ⟦Clear Index…⟧');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.getByText('⟦Clear the index of “workspace”?⟧').waitFor();
  await dialog.getByRole('button', { name: '⟦Clear Index⟧' }).click();
  await window.untilStatus(/⟦Indexing is paused⟧/);
  await panel.open();
  await panel.query.fill('a question to an index that has gone');
  await page.keyboard.press('Enter');
  const notice = panel.document.locator('.notice', { hasText: '⟦' }).filter({ hasText: 'is not indexed yet' });
  await notice.getByRole('button', { name: '⟦Index Now⟧' }).waitFor();
});
