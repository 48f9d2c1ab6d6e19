import path from 'node:path';
import { expect, test } from 'vitest';
import { pathInside } from '../../../src/process/pathInside.ts';

test.each([
  ['/base/a/b.ts', 'a/b.ts'],
  ['/base/..foo', '..foo'],
  ['/base/..foo/b.ts', '..foo/b.ts'],
  ['/base', ''],
  ['/base/..', undefined],
  ['/based/a.ts', undefined],
  ['/', undefined],
])('%s in /base is %j', (file, expected) => {
  expect(pathInside(path.resolve('/base'), path.resolve(file))).toBe(expected);
});
