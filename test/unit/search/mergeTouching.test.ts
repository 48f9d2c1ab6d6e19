import { expect, test } from 'vitest';
import { mergeTouching } from '../../../src/search/mergeTouching.ts';
import { file, indexOf, search } from './searchFixtures.ts';

test('chunks of a file that continue each other are one hit in the place of the best', () => {
  const index = indexOf(
    file('a.ts', 'retry backoff', 'retry backoff retry backoff', 'nothing', 'retry'),
    file('b.ts', 'retry'),
  );
  const groups = mergeTouching(search(index, 'retry backoff'));
  expect(groups.map(({ best, startLine, endLine }) => `${best.file.path}:${startLine}-${endLine}`)).toEqual([
    'a.ts:1-20',
    'b.ts:1-10',
    'a.ts:31-40',
  ]);
});
