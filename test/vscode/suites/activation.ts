import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { note } from './notes.ts';

const EXTENSION = 'tessera.tessera';

suite('activation', () => {
  test('the installed extension activates', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION);
    assert.ok(extension, 'the packed extension is not installed');
    const wasActive = extension.isActive;
    const start = performance.now();
    await extension.activate();
    const tookMs = performance.now() - start;
    note(wasActive ? 'was active before the suites began' : `${tookMs.toFixed(1)} ms, loading included`);
    assert.equal(extension.isActive, true);
  });

  test('every command of the manifest is registered', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION);
    const manifest = extension?.packageJSON as { contributes: { commands: { command: string }[] } };
    const registered = new Set(await vscode.commands.getCommands(true));
    const missing = manifest.contributes.commands.map(({ command }) => command).filter((id) => !registered.has(id));
    assert.deepEqual(missing, []);
  });

  test('the search tool is offered to language models', () => {
    const tool = vscode.lm.tools.find(({ name }) => name === 'tessera_search_code');
    assert.ok(tool, 'no tool');
    assert.match(tool.description, /by meaning/);
  });

  test('nothing native is loaded into the extension host', () => {
    const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] };
    assert.deepEqual(
      sharedObjects.filter((path) => /lancedb|onnxruntime/.test(path)),
      [],
    );
  });
});
