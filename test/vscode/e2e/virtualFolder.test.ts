import { readdir } from 'node:fs/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow, type TestWindowOptions } from '../harness/testWindow.ts';

async function open(options: Omit<TestWindowOptions, 'extensionsDir'>): Promise<TestWindow> {
  const window = await TestWindow.open({ extensionsDir: inject('extensionsDir'), ...options });
  onTestFinished(async () => window.close());
  keepEvidence(window);
  return window;
}

test('a folder that is on no disk: the view says why it cannot be searched, and nothing else is offered', async () => {
  const window = await open({ virtual: 'alone' });
  const { page, workbench } = window;
  await workbench.showSideBar(/^Tessera/);
  await page.locator('.welcome-view-content').getByText('This workspace is virtual').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Open Folder' }).waitFor();
  expect(await page.locator('iframe.webview').count()).toBe(0);
  expect(await window.statusItem.count()).toBe(0);

  await page.keyboard.press('F1');
  await workbench.quickInput.locator('input').fill('>Tessera: ');
  await workbench.quickPicks.filter({ hasText: 'Tessera: Show Status' }).waitFor();
  const offered = await workbench.quickPicks.locator('.label-name').allTextContents();
  const needsFiles = /Search|Similar|Index|Pause|Resume|Rebuild|Clear|Restart/;
  expect(offered.filter((title) => title.startsWith('Tessera: ') && needsFiles.test(title))).toEqual([]);
  await workbench.closeQuickInput();

  await workbench.runCommand('Tessera: Show Status');
  await workbench.webview().getByText('No folder of this window is indexed.').waitFor();
  expect(await window.askTool('water the tomatoes')).toMatch(/^no, This workspace is virtual/);
  expect(await readdir(window.cacheDir)).not.toContain('tessera');
});

test('beside a folder that is on no disk, the other one is searched as ever', async () => {
  const window = await open({ virtual: 'beside' });
  const { panel, workbench } = window;
  await panel.open();
  await window.untilIndexed();
  await panel.ask('where are failed calls tried again');
  await expect.poll(() => panel.files.first().textContent()).toContain('retry.ts');
  await panel.ask('water the tomatoes in the greenhouse');
  expect(await panel.files.locator('.file-name').allTextContents()).not.toContain('tomato.ts');

  await workbench.runCommand('Companion: Open a Virtual File');
  await expect.poll(() => window.activeEditor()).toBe('tomato.ts');
  await workbench.runCommand('Tessera: Find Similar Code');
  await window.notification('is in no folder Tessera can index');
  const answer = await window.askTool('water the tomatoes');
  expect(answer).toMatch(/\bsrc\/\w+\.\w+:\d+-\d+/);
  expect(answer).not.toContain('tomato');
});
