import path from 'node:path';
import { expect, test } from 'vitest';
import { innermostFolder } from '../../../src/host/searching/innermostFolder.ts';

const OUTER = path.resolve('/base');
const INNER = path.resolve('/base/packages/one');

test('a file belongs to the innermost of the folders around it, in whatever order they stand', () => {
  const file = path.join(INNER, 'src', 'a.ts');
  for (const folders of [
    [OUTER, INNER],
    [INNER, OUTER],
  ])
    expect(innermostFolder(folders, file)).toEqual({ folder: INNER, path: 'src/a.ts' });
  expect(innermostFolder([OUTER, INNER], path.join(OUTER, 'b.ts'))).toEqual({ folder: OUTER, path: 'b.ts' });
  expect(innermostFolder([INNER], path.join(OUTER, 'b.ts'))).toBeUndefined();
});
