import { expect, test } from 'vitest';
import type { FolderHit } from '../../../src/protocol/server.ts';
import { shownScore } from '../../../src/search/ranking.ts';
import { fileKey, type GroupingContext, groupByFile } from '../../../src/host/searching/viewFiles.ts';

const hit = (path: string, startLine: number, score: number, folder = '/one'): FolderHit => ({
  folder,
  path,
  startLine,
  endLine: startLine + 5,
  score,
  scope: 'code',
  language: 'typescript',
  symbol: 'f',
  snippet: 'f();',
});
const context: GroupingContext = {
  query: 'f',
  folderNames: new Map([['/one', 'one']]),
  describePart: (part) => part.toUpperCase(),
};

test('files come in the order of their best hit, and keep their hits together in order', () => {
  const files = groupByFile([hit('b.ts', 1, 0.9), hit('a.ts', 7, 0.8), hit('b.ts', 30, 0.5)], context);
  expect(files.map((file) => [file.name, file.hits.map(({ startLine }) => startLine)])).toEqual([
    ['b.ts', [1, 30]],
    ['a.ts', [7]],
  ]);
});

/** The strengths of hits whose parts add up to the given sums. */
const strengthsOf = (...sums: number[]) =>
  groupByFile(
    sums.map((sum, at) => hit(`${at}.ts`, 1, shownScore(sum))),
    context,
  ).map((file) => file.hits[0]!.strength);

test('strength is what speaks for a hit as a share of what speaks for the best one', () => {
  const strengths = strengthsOf(8, 4, 2, 0, -1);
  [1, 0.5, 0.25, 0, 0].forEach((share, at) => expect(strengths[at]).toBeCloseTo(share, 9));
});

test('the best hit is as strong as the best hit, also when more speaks against it than for it, and when its score is 1', () => {
  expect(strengthsOf(-1, -2)).toEqual([1, 0]);
  expect(strengthsOf(0, -2)).toEqual([1, 0]);
  expect(strengthsOf(100, 90)).toEqual([1, 1]);
});

test('the folder is named when there are several', () => {
  const [single] = groupByFile([hit('src/lib/a.ts', 1, 0.5)], context);
  expect([single!.name, single!.directory]).toEqual(['a.ts', 'src/lib']);
  const folderNames = new Map([...context.folderNames, ['/two', 'two']]);
  const [several] = groupByFile([hit('src/lib/a.ts', 1, 0.5)], { ...context, folderNames });
  expect(several!.directory).toBe('one • src/lib');
});

test('files of the same path in two folders stay apart', () => {
  const files = groupByFile([hit('a.ts', 1, 0.8), hit('a.ts', 1, 0.7, '/two')], context);
  expect(files.map(({ key }) => key)).toEqual([fileKey('/one', 'a.ts'), fileKey('/two', 'a.ts')]);
});

test('reasons come by weight, as shares of the largest', () => {
  const explained = {
    ...hit('a.ts', 1, 0.5),
    explanation: [
      { part: 'path', value: -1, detail: 'a test' },
      { part: 'vector', value: 4, detail: 'near' },
      { part: 'none', value: 0, detail: '' },
    ],
  };
  expect(groupByFile([explained], context)[0]!.hits[0]!.reasons).toEqual([
    { label: 'VECTOR', detail: 'near', share: 1 },
    { label: 'PATH', detail: 'a test', share: -0.25 },
  ]);
});

test('no hits make no files', () => {
  expect(groupByFile([], context)).toEqual([]);
});
