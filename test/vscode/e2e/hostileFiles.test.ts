import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow } from '../harness/testWindow.ts';

const MARKUP = '<img src=x onerror=alert(1)>';
const RIGHT_TO_LEFT = '\u202Egnp.\u202C';
const FILES = {
  [`src/${MARKUP}.ts`]: `/** Opens the gate of the dam. ${MARKUP} */\nexport const gate = "</script><script>alert(2)</script>";\n`,
  [`src/"quoted" & 'ticked'.ts`]: `/** Closes the gate of the dam. */\nexport const shut = '"><svg onload=alert(3)>';\n`,
  [`docs/${RIGHT_TO_LEFT}dam.md`]: `# Dam ${MARKUP}\n\n</script><script>alert(4)</script> [gate](javascript:alert(5)) of the dam\n`,
  'docs/$(trash) icons.md': '# The dam\n\n$(trash) {0} {1} ${gate} `</code>` of the dam gate\n',
};

let window: TestWindow;

beforeAll(async () => {
  window = await TestWindow.open({ extensionsDir: inject('extensionsDir'), folder: 'empty', files: FILES });
  await window.panel.open();
  await window.untilIndexed();
});
beforeEach(() => keepEvidence(window));
afterAll(async () => window.close());

test('names and contents of files show as they are written', async () => {
  await window.panel.ask('open the gate of the dam');
  await expect.poll(() => window.panel.files.count()).toBe(4);
  const names = await window.panel.files.locator('.file-name').allTextContents();
  for (const path of Object.keys(FILES)) expect(names).toContain(path.slice(path.indexOf('/') + 1));
  const lines = (await window.panel.document.locator('.code-line').allTextContents()).join('\n');
  expect(lines).toContain(MARKUP);
  expect(lines).toContain('</script><script>alert(2)</script>');
});

test('none of it becomes an element of the view', async () => {
  const { document } = window.panel;
  const scripts = await document.locator('script').count();
  for (const row of await window.panel.hits.all()) {
    await row.focus();
    await window.page.keyboard.press('ArrowRight');
  }
  await document.locator('.reasons').first().waitFor();
  expect(await document.locator('img, svg, iframe, object, a').count()).toBe(0);
  expect(await document.locator('script').count()).toBe(scripts);
  expect(await document.locator('script').filter({ hasText: 'alert' }).count()).toBe(0);
  expect(await document.locator('[onerror], [onload], [onclick]').count()).toBe(0);
});

test('the status page shows such names as text, too', async () => {
  await window.workbench.runCommand('Tessera: Show Status');
  await expect.poll(() => window.page.locator('iframe.webview.ready').count()).toBe(2);
  for (const index of [0, 1]) {
    const page = window.workbench.webview(index);
    await page.locator('body > :not(script)').first().waitFor();
    expect(await page.locator('img, iframe, [onerror], [onload]').count()).toBe(0);
  }
  // A page that loads slowly may take the focus later, from the quick pick of the next test.
  await window.workbench.runCommand('View: Close All Editors');
  await expect.poll(() => window.page.locator('.tab').count()).toBe(0);
});

test('the quick pick takes icons in code for text', async () => {
  await window.workbench.runCommand('Tessera: Search…');
  await window.workbench.quickInput.getByText('Search by Meaning').waitFor();
  await window.page.keyboard.type('dam gate $(trash)');
  await expect.poll(() => window.workbench.quickPicks.count()).toBeGreaterThan(3);
  expect(await window.workbench.quickPicks.locator('.codicon-trash').count()).toBe(0);
  expect(await window.workbench.quickPicks.locator('img').count()).toBe(0);
  await window.workbench.closeQuickInput();
});

test('no script of a file ran', () => {
  expect(window.dialogs).toEqual([]);
  expect(window.consoleErrors.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
});
