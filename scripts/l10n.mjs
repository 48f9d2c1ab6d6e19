/**
 * Collects the texts given to `l10n.t(…)` into l10n/bundle.l10n.json, from which translators work. With `--check` writes
 * nothing and fails when the file is not what it would write.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const bundle = join(root, 'l10n/bundle.l10n.json');

/** First arguments of all calls of a method `t` of something called `l10n`. */
function textsIn(path, source) {
  const texts = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && /(^|\.)l10n\.t$/.test(node.expression.getText())) {
      const [first] = node.arguments;
      if (first === undefined || !ts.isStringLiteralLike(first)) {
        throw new Error(`${path}: l10n.t needs a plain text, for translators see nothing else.`);
      }
      texts.push(first.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true));
  return texts;
}

const files = (await readdir(join(root, 'src/host'), { recursive: true })).filter((name) => name.endsWith('.ts'));
const found = await Promise.all(
  files.map(async (name) => textsIn(name, await readFile(join(root, 'src/host', name), 'utf8'))),
);
const texts = [...new Set(found.flat())].sort();
const json = `${JSON.stringify(Object.fromEntries(texts.map((text) => [text, text])), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if ((await readFile(bundle, 'utf8').catch(() => '')) !== json) {
    process.stderr.write('l10n/bundle.l10n.json is not up to date; run `node scripts/l10n.mjs`.\n');
    process.exit(1);
  }
} else {
  await mkdir(join(root, 'l10n'), { recursive: true });
  await writeFile(bundle, json);
}
