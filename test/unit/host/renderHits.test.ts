import { expect, test } from 'vitest';
import type { FolderHit } from '../../../src/protocol/server.ts';
import { renderHits } from '../../../src/host/agents/renderHits.ts';

const hit = (path: string, text: string): FolderHit => ({
  folder: '/work',
  path,
  startLine: 3,
  endLine: 5,
  score: 1,
  scope: 'code',
  language: 'typescript',
  symbol: 'run',
  snippet: text,
});
const names = new Map([['/work', 'work']]);
const countChars = (text: string) => Promise.resolve(text.length);
const answer = (...hits: FolderHit[]) => ({ hits, complete: true, degraded: null });

test('each hit has its place, its name and its source', async () => {
  const text = await renderHits(answer(hit('a.ts', 'run();')), names, { budget: 1000, count: countChars });
  expect(text).toBe('a.ts:3-5 (run)\n```typescript\nrun();\n```');
});

test('the text stays within the budget; what does not fit is named', async () => {
  const hits = [hit('a.ts', 'a'.repeat(100)), hit('b.ts', 'b'.repeat(100)), hit('c.ts', 'c'.repeat(100))];
  const text = await renderHits(answer(...hits), names, { budget: 220, count: countChars });
  expect(text.length).toBeLessThanOrEqual(220);
  expect(text).toContain('a'.repeat(100));
  expect(text).not.toContain('bbb');
  expect(text).toContain('b.ts:3-5 (run)');
});

test('even names stay within the budget', async () => {
  const hits = Array.from({ length: 50 }, (_, at) => hit(`folder/file${at}.ts`, 'x'.repeat(500)));
  const text = await renderHits(answer(...hits), names, { budget: 200, count: countChars });
  expect(text.length).toBeLessThanOrEqual(200);
});

test('where not even a name fits, it is said that there are results', async () => {
  const text = await renderHits(answer(hit('a.ts', 'run();')), names, { budget: 5, count: countChars });
  expect(text).toBe('There are results, but none fits the token budget.');
});

test('source with backticks cannot end its fence', async () => {
  const text = await renderHits(answer(hit('a.md', '```js\nx\n```')), names, { budget: 1000, count: countChars });
  expect(text.split('\n')[1]).toBe('````typescript');
});

test('an index in the making is said', async () => {
  const text = await renderHits({ hits: [], complete: false, degraded: null }, names, {
    budget: 1000,
    count: countChars,
  });
  expect(text).toMatch(/No results[\s\S]*not finished/);
});

test('hits without the quoted text are said to be so', async () => {
  const text = await renderHits({ ...answer(hit('a.ts', 'x')), withoutPhrases: true }, names, {
    budget: 1000,
    count: countChars,
  });
  expect(text).toMatch(/^Note: nothing holds the quoted text[\s\S]*a\.ts/);
});

test('the folder is named when there are several', async () => {
  const two = new Map([...names, ['/other', 'other']]);
  const text = await renderHits(answer(hit('a.ts', 'x')), two, { budget: 1000, count: countChars });
  expect(text).toMatch(/^work\/a\.ts:3-5/);
});

test('a folder that could not take part is said, with the reason', async () => {
  const text = await renderHits({ ...answer(hit('a.ts', 'x')), notSearched: ['other: It cannot be read.'] }, names, {
    budget: 1000,
    count: countChars,
  });
  expect(text).toMatch(/^Note: a folder was not searched\. other: It cannot be read\.\s+a\.ts/);
});
