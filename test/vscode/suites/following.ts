import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { search, untilBestHit, untilNotFound, uriOf, writeOnDisk } from './searching.ts';

suite('index follows changes', () => {
  test('a file saved in the editor', async () => {
    const document = await vscode.workspace.openTextDocument(uriOf('src/retry.ts'));
    const edit = new vscode.WorkspaceEdit();
    const text = '\n/** Polishes the glass of the lighthouse. */\nexport function polishLens(): void {}\n';
    edit.insert(document.uri, document.lineAt(document.lineCount - 1).range.end, text);
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.ok(await document.save());
    const best = await untilBestHit('polish the lighthouse glass', 'src/retry.ts');
    assert.match(best.text, /polishLens/);
  });

  test('a file written by another program', async () => {
    await writeOnDisk('src/tide.py', 'def tide_table(harbour):\n    """Heights of the tide by the hour."""\n');
    await untilBestHit('heights of the tide in the harbour', 'src/tide.py');
  });

  test('a renamed file', async () => {
    await vscode.workspace.fs.rename(uriOf('src/tide.py'), uriOf('src/harbour/tides.py'));
    await untilBestHit('heights of the tide in the harbour', 'src/harbour/tides.py');
    await untilNotFound('heights of the tide in the harbour', 'src/tide.py');
  });

  test('a deleted folder', async () => {
    await vscode.workspace.fs.delete(uriOf('src/harbour'), { recursive: true });
    await untilNotFound('heights of the tide in the harbour', 'src/harbour/tides.py');
  });

  test('the text of an unsaved editor', async () => {
    const document = await vscode.workspace.openTextDocument(uriOf('src/cache.go'));
    const editor = await vscode.window.showTextDocument(document);
    const text = '\n// feedPenguins throws herring into the enclosure.\nfunc feedPenguins() {}\n';
    await editor.edit((edit) => edit.insert(document.lineAt(document.lineCount - 1).range.end, text));
    assert.equal(document.isDirty, true);
    const best = await untilBestHit('feed the penguins with herring', 'src/cache.go');
    assert.match(best.text, /feedPenguins/);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    assert.equal(document.isDirty, false);
    const after = await search('feed the penguins with herring');
    assert.ok(after.every((hit) => !hit.text.includes('feedPenguins')));
  });

  test('ignored files stay out, whatever happens beside them', async () => {
    await writeOnDisk('ignored/notes.ts', '/** Counts the walruses on the beach. */\nexport const walruses = 3;\n');
    await writeOnDisk('src/seals.ts', '/** Counts the seals on the beach. */\nexport const seals = 4;\n');
    await untilBestHit('seals on the beach', 'src/seals.ts');
    await untilNotFound('walruses on the beach', 'ignored/notes.ts');
  });

  test('an edited .gitignore, both ways', async () => {
    await writeOnDisk('.gitignore', '*.log\n');
    await untilBestHit('walruses on the beach', 'ignored/notes.ts');
    await writeOnDisk('.gitignore', 'ignored/\n*.log\n');
    await untilNotFound('walruses on the beach', 'ignored/notes.ts');
  });

  test('changes made while paused are made good on resume', async () => {
    await vscode.commands.executeCommand('tessera.pause');
    await writeOnDisk(
      'src/glacier.ts',
      '/** Metres the glacier moves in a year. */\nexport const glacierSpeed = 12;\n',
    );
    await vscode.workspace.fs.delete(uriOf('src/seals.ts'));
    await vscode.commands.executeCommand('tessera.resume');
    await untilBestHit('how fast does the glacier move', 'src/glacier.ts');
    await untilNotFound('seals on the beach', 'src/seals.ts');
  });
});
