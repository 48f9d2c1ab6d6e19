import { expect, test } from 'vitest';
import { markPassage } from '../../../src/host/searching/passageLines.ts';
import { queryStems } from '../../../src/host/searching/queryWords.ts';

const TEXT = ['\tbegin();', '\tif (x) {', '\t\tretry(upload);', '\t}', '\tend(upload);', ''].join('\n');

test('lines carry their numbers in the file and lose the indentation they share', () => {
  const { lines } = markPassage({ text: TEXT, startLine: 10, snippetLine: 10 }, []);
  expect(lines.map(({ number, text }) => [number, text])).toEqual([
    [10, 'begin();'],
    [11, 'if (x) {'],
    [12, '    retry(upload);'],
    [13, '}'],
    [14, 'end(upload);'],
  ]);
});

test('the best line is the one with most words of the query', () => {
  const stems = queryStems('retry uploads');
  expect(markPassage({ text: TEXT, startLine: 10, snippetLine: 10 }, stems).bestLine).toBe(12);
});

test('the best line is looked for where the server says the answer is', () => {
  const text = [...Array.from({ length: 20 }, () => 'retry upload'), 'upload'].join('\n');
  const { bestLine } = markPassage({ text, startLine: 1, snippetLine: 21 }, queryStems('retry upload'));
  expect(bestLine).toBe(21);
});

test('without a word of the query the snippet’s first line with code is the best', () => {
  const text = ['{', '  ', 'first();', 'second();'].join('\n');
  expect(markPassage({ text, startLine: 5, snippetLine: 5 }, queryStems('nothing here')).bestLine).toBe(7);
});

test('a line of a megabyte and a text of ten thousand lines are cut', () => {
  const long = markPassage({ text: 'x'.repeat(1_000_000), startLine: 1, snippetLine: 1 }, ['x']);
  expect(long.lines[0]!.text.length).toBeLessThan(1_000);
  const many = markPassage({ text: 'x\n'.repeat(10_000), startLine: 1, snippetLine: 1 }, ['x']);
  expect(many.lines.length).toBeLessThan(1_000);
});

test('Windows line ends make no lines of their own', () => {
  const { lines } = markPassage({ text: 'a\r\nb\r\n', startLine: 1, snippetLine: 1 }, []);
  expect(lines.map(({ text }) => text)).toEqual(['a', 'b']);
});
