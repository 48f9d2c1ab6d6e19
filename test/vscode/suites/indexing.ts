import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { folder, search, untilBestHit } from './searching.ts';

suite('index', () => {
  for (const [question, path] of [
    ['where are failed calls tried again', 'src/retry.ts'],
    ['tax owed on an invoice', 'src/invoice.py'],
    ['evict the least recently used entry', 'src/cache.go'],
    ['rolling back a release', 'docs/deployment.md'],
    ['dump the database and keep the last archives', 'scripts/backup'],
  ] as const) {
    test(`an opened folder answers “${question}”`, async () => {
      await untilBestHit(question, path);
    });
  }

  test('hits carry the lines that answer', async () => {
    const best = await untilBestHit('value_added_tax', 'src/invoice.py');
    assert.match(best.text, /def value_added_tax/);
    assert.ok(best.startLine >= 1 && best.endLine >= best.startLine);
  });

  test('likely secrets are never indexed', async () => {
    const hits = await search('SECRET_TOKEN not for any index');
    assert.deepEqual(
      hits.filter(({ path, text }) => path.includes('.env') || text.includes('not-for-any-index')),
      [],
    );
  });

  test('nothing is written into the folder', async () => {
    const names = (await vscode.workspace.fs.readDirectory(vscode.Uri.file(folder()))).map(([name]) => name);
    assert.deepEqual(
      names.filter((name) => /tessera/i.test(name)),
      [],
    );
  });
});
