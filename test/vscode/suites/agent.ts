import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { headingsOf, untilBestHit, writeOnDisk } from './searching.ts';

const TOOL = 'tessera_search_code';
/** A model that counts four characters as a token. */
const countTokens = (text: string) => Promise.resolve(Math.ceil(text.length / 4));

async function ask(input: object, tokenBudget?: number, token?: vscode.CancellationToken): Promise<string> {
  const tokenizationOptions = tokenBudget === undefined ? undefined : { tokenBudget, countTokens };
  const options = { input, toolInvocationToken: undefined, ...(tokenizationOptions && { tokenizationOptions }) };
  const { content } = await vscode.lm.invokeTool(TOOL, options, token);
  return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
}

const pathsOf = (answer: string) => headingsOf(answer).map(({ path }) => path);

suite('search tool for agents', () => {
  suiteSetup(async () => {
    await untilBestHit('where are failed calls tried again', 'src/retry.ts');
    for (let at = 0; at < 12; at++) {
      const lines = Array.from({ length: 40 }, (_, line) => `  walkDog(${at}, ${line}); // round the block, leash on`);
      await writeOnDisk(
        `src/dogs/dog${at}.ts`,
        `/** Walks dog ${at}. */\nexport function walk${at}() {\n${lines.join('\n')}\n}\n`,
      );
    }
    await untilBestHit('walk dog number eleven walk11', 'src/dogs/dog11.ts');
  });

  test('hits come with path, lines, symbol and source, best first', async () => {
    const answer = await ask({ query: 'tax owed on an invoice' });
    assert.match(answer, /^src\/invoice\.py:\d+-\d+( \(\w+\))?\n(from line \d+:\n)?```python\n/);
  });

  test('scope, globs, languages and limit are heeded', async () => {
    const question = { query: 'rolling back a release' };
    assert.deepEqual(new Set(pathsOf(await ask({ ...question, scope: 'docs' }))), new Set(['docs/deployment.md']));
    assert.ok(!pathsOf(await ask({ ...question, scope: 'code' })).includes('docs/deployment.md'));
    const inScripts = pathsOf(await ask({ ...question, include: ['scripts/**'] }));
    assert.deepEqual(new Set(inScripts), new Set(['scripts/backup']));
    assert.ok(!pathsOf(await ask({ ...question, exclude: ['docs/**'] })).includes('docs/deployment.md'));
    const python = pathsOf(await ask({ ...question, languages: ['python'] }));
    assert.ok(python.length > 0 && python.every((path) => path.endsWith('.py')), python.join(', '));
    assert.equal(pathsOf(await ask({ ...question, limit: 2 })).length, 2);
  });

  for (const budget of [20, 60, 300, 1_000, 4_000]) {
    test(`an answer is no longer than ${budget} tokens when the model has room for so many`, async () => {
      const answer = await ask({ query: 'walk the dogs round the block', limit: 50 }, budget);
      assert.ok((await countTokens(answer)) <= budget, `${await countTokens(answer)} tokens:\n${answer}`);
      assert.notEqual(answer, '');
      // With room for one, the first hit has its source; what has not is named.
      if (budget >= 1_000) assert.match(answer, /^src\/dogs\/[\s\S]*```typescript/);
      if (budget < 4_000 && budget >= 300) assert.match(answer, /More results, without text:\nsrc\//);
    });
  }

  test('what cannot be asked is refused in words a model can act on', async () => {
    await assert.rejects(ask({ query: '   ' }), /`query`/);
    await assert.rejects(ask({}), /query/);
  });

  test('a call that was cancelled ends so', async () => {
    const source = new vscode.CancellationTokenSource();
    source.cancel();
    await assert.rejects(ask({ query: 'walk the dogs' }, undefined, source.token), /[Cc]ancel/);
  });
});
