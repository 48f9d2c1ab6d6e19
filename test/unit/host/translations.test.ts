import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const run = promisify(execFile);

async function json(path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(ROOT, path), 'utf8'));
}

test('translators are given every text of the host, and no other', async () => {
  await run(process.execPath, [join(ROOT, 'scripts/l10n.mjs'), '--check']);
});

test('every text the manifest names exists, and no other', async () => {
  const named = JSON.stringify(await json('package.json')).matchAll(/"%([\w.]+)%"/g);
  const texts = (await json('package.nls.json')) as Record<string, string>;
  expect([...new Set([...named].map((match) => match[1]))].sort()).toEqual(Object.keys(texts).sort());
});

test('what may choose a model, a device or a folder is closed to workspace settings of untrusted folders', async () => {
  const manifest = (await json('package.json')) as {
    capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
    contributes: { configuration: { properties: Record<string, { scope: string }> }[] };
  };
  const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
  const settings = manifest.contributes.configuration.flatMap(({ properties }) => Object.entries(properties));
  const open = settings.filter(([name]) => !restricted.has(name)).map(([name]) => name);
  expect(open.every((name) => /^tessera\.(search|view)\./.test(name))).toBe(true);
  for (const [name, { scope }] of settings) {
    if (/^tessera\.(model|embedder)\.|^tessera\.index\.location$/.test(name))
      expect([name, scope]).toEqual([name, 'machine']);
  }
});

test('every setting of the manifest is read', async () => {
  const { contributes } = (await json('package.json')) as {
    contributes: { configuration: { properties: Record<string, unknown> }[] };
  };
  const files = (await readdir(join(ROOT, 'src/host'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(files.map((name) => readFile(join(ROOT, 'src/host', name), 'utf8')));
  const code = sources.join('\n');
  const unread = contributes.configuration
    .flatMap(({ properties }) => Object.keys(properties))
    .filter((name) => !code.includes(`'${name.slice('tessera.'.length)}'`));
  expect(unread).toEqual([]);
});
