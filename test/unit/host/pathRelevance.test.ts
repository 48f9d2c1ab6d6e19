import { expect, test } from 'vitest';
import { meaningOf } from '../../../src/host/watching/pathRelevance.ts';

test.each([
  ['src/app.ts', 'file'],
  ['a.git/HEAD', 'file'],
  ['.github/workflows/test.yml', 'file'],
  ['.git/HEAD', 'everything'],
  ['.git/info/exclude', 'everything'],
  ['vendor/lib/.git/HEAD', 'everything'],
  ['.git/index.lock', 'nothing'],
  ['.git/refs/heads/main', 'nothing'],
  ['.git/objects/ab/cdef', 'nothing'],
  ['.gitignore', 'everything'],
  ['packages/one/.gitignore', 'everything'],
  ['.tesseraignore', 'everything'],
])('a change of %s means %s', (path, meaning) => {
  expect(meaningOf(path)).toBe(meaning);
});
