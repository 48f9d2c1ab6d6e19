import { expect, test } from 'vitest';
import { stem } from '../../../src/search/stemming.ts';

test.each([
  [
    ['route', 'routes', 'routing', 'routed'],
    ['rout', 'rout', 'rout', 'rout'],
  ],
  [
    ['query', 'queries'],
    ['query', 'query'],
  ],
  [
    ['match', 'matches', 'matching'],
    ['match', 'match', 'match'],
  ],
  [
    ['running', 'run'],
    ['run', 'run'],
  ],
  [
    ['updating', 'update', 'updated'],
    ['updat', 'updat', 'updat'],
  ],
])('forms of a word meet: %j', (words, stems) => expect(words.map(stem)).toEqual(stems));

test.each(['class', 'status', 'this', 'axis', 'feed', 'ring', 'string', 'bed', 'größe', 'utf8', 'io'])(
  '%s stays as it is',
  (word) => expect(stem(word)).toBe(word),
);
