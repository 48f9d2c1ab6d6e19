import { expect, test } from 'vitest';
import { hitText } from '../../../src/cli/hitText.ts';
import { ProgressView } from '../../../src/cli/progressView.ts';
import type { FolderHit, FolderState } from '../../../src/protocol/server.ts';

const HIT: FolderHit = {
  folder: '/work',
  path: 'a\u001B[31m\nb.ts',
  startLine: 1,
  endLine: 2,
  score: 0.5,
  scope: 'code',
  language: 'typescript',
  symbol: '',
  snippet: 'one\u001B]0;title\u0007\r\n\ttwo\u009B2J',
};

test('what a file holds or is called cannot command the terminal', () => {
  expect(hitText(HIT)).toBe('a\\x1b[31m\\nb.ts:1-2  0.500\n    one\\x1b]0;title\\x07\\x0d\n    \ttwo\\x9b2J');
});

const STATE: FolderState = {
  kind: 'indexing',
  progress: {
    folder: '/work',
    phase: 'indexing',
    filesDone: 10,
    filesTotal: 20,
    chunksDone: 0,
    chunksPerSecond: 0,
    secondsLeft: null,
  },
};

test.each([
  [80, '████████████░░░░░░░░░░░░ indexing 10 of 20 files'],
  [40, 'indexing 10 of 20 files'],
  [10, 'indexing '],
  [undefined, '████████████░░░░░░░░░░░░ indexing 10 of 20 files'],
])('progress never takes more than a line of %s columns', (columns, shown) => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  new ProgressView({ isTTY: true, write, ...(columns !== undefined && { columns }) }).show(STATE);
  expect(written.join('').replaceAll('\r\u001B[2K', '')).toBe(shown);
});
