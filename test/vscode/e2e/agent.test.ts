import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { keepEvidence } from '../harness/evidence.ts';
import { TestWindow, type TestWindowOptions } from '../harness/testWindow.ts';

async function open(options: Omit<TestWindowOptions, 'extensionsDir'>): Promise<TestWindow> {
  const window = await TestWindow.open({ extensionsDir: inject('extensionsDir'), hasCompanion: true, ...options });
  onTestFinished(async () => window.close());
  keepEvidence(window);
  return window;
}

test('an agent in a folder without an index is told so, and finds things once there is one', async () => {
  const window = await open({ settings: { 'tessera.index.automatic': false } });
  expect(await window.askTool('where are failed calls tried again')).toMatch(/^no, .*workspace is not indexed yet/);
  await window.workbench.runCommand('Tessera: Index Now');
  await window.untilIndexed();
  expect(await window.askTool('where are failed calls tried again')).toMatch(/^src\/retry\.ts:\d+/);
});

test('an agent in a folder that is not trusted is told so', async () => {
  const window = await open({ trusted: false });
  expect(await window.askTool('where are failed calls tried again')).toMatch(/^no, .*indexes trusted folders only/);
});

test('an agent in a folder that is switched off, or in no folder, is told so', async () => {
  const off = await open({ settings: { 'tessera.enabled': false } });
  expect(await off.askTool('where are failed calls tried again')).toMatch(/^no, Indexing is switched off/);
  const none = await open({ folder: null });
  expect(await none.askTool('where are failed calls tried again')).toMatch(/^no, No folder is open/);
});

test('an agent without a model is told which is missing', async () => {
  const missing = join(tmpdir(), 'no-such-model');
  const window = await open({ settings: { 'tessera.model.code': missing, 'tessera.model.docs': missing } });
  expect(await window.askTool('where are failed calls tried again')).toMatch(/^no, No embedding model was found at /);
});
