import path from 'node:path';
import { expect, test } from 'vitest';
import { pathInside } from '../../../src/process/pathInside.ts';

test.each([
  ['/work/a/b.ts', 'a/b.ts'],
  ['/work/..foo', '..foo'],
  ['/work/..foo/b.ts', '..foo/b.ts'],
  ['/work', ''],
  ['/work/..', undefined],
  ['/worker/a.ts', undefined],
  ['/', undefined],
])('%s in /work is %j', (file, expected) => {
  expect(pathInside(path.resolve('/work'), path.resolve(file))).toBe(expected);
});
