import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  COLLECTED_GRAMMARS,
  noticeOf,
  packageFolderOf,
  thirdPartyNotices,
} from '../../../scripts/thirdPartyNotices.ts';
import { GRAMMARS } from '../../../src/indexing/chunking/grammarTable.ts';

const MODULES = join(import.meta.dirname, '../../../node_modules');
const APACHE = 'Apache License, Version 2.0';

test('a bundled file leads to its package, a file of our own to none', () => {
  expect(packageFolderOf(join('a', 'node_modules', 'picomatch', 'lib', 'scan.js'))).toBe(
    join('a', 'node_modules', 'picomatch'),
  );
  expect(packageFolderOf(join('a', 'node_modules', '@scope', 'name', 'index.js'))).toBe(
    join('a', 'node_modules', '@scope', 'name'),
  );
  expect(packageFolderOf(join('src', 'extension.ts'))).toBeUndefined();
});

test('each is named with its licence, and the same text is there once', async () => {
  const notices = await Promise.all(['picomatch', 'onnxruntime-node'].map((name) => noticeOf(join(MODULES, name))));
  const twin = { title: 'twin 1.0.0', license: 'MIT', text: notices[0]?.text ?? '' };
  const text = thirdPartyNotices([...notices, twin], APACHE);
  expect(text).toMatch(/^picomatch [\d.]+: MIT\ntwin 1\.0\.0: MIT$/m);
  expect(text).toMatch(/^onnxruntime-node [\d.]+: MIT\n\nCopyright \(c\) Microsoft Corporation$/m);
});

test('a licence that is not known to allow it stops the packaging, by name', () => {
  const bad = { title: 'strict 1.0.0', license: 'GPL-3.0-only', text: 'Copyleft.' };
  expect(() => thirdPartyNotices([bad], APACHE)).toThrow(/strict 1\.0\.0 \(GPL-3\.0-only\)/);
});

test('every grammar of the collection has its own notice', () => {
  const collected = Object.values(GRAMMARS).filter((grammar) => grammar.package === 'tree-sitter-wasms');
  const titles = COLLECTED_GRAMMARS.map(({ title }) => title);
  for (const { wasm } of collected)
    expect(
      titles.some((title) => title.startsWith(`grammar of ${wasm.replace('.wasm', '')} `)),
      wasm,
    ).toBe(true);
});
