import { expect, test } from 'vitest';
import { snippetOf as snippet } from '../../../src/search/snippet.ts';

const snippetOf = (...args: Parameters<typeof snippet>) => snippet(...args).text;
const terms = (...tokens: string[]) => tokens.map((token) => ({ token, weight: 1 }));

test('begins where the query’s words are', () => {
  const text = ['import a', 'import b', '', '', 'x', 'y', '  function retry() {', '    backoff();', '  }'].join('\n');
  expect(snippetOf(text, terms('retry', 'backoff'))).toBe('function retry() {\n  backoff();\n}');
});

test('is the beginning when no word is there', () => {
  expect(snippetOf('\n\n  first\n  second', terms('absent'))).toBe('first\nsecond');
});

test('cuts very long lines', () => {
  expect(snippetOf('x'.repeat(5000), terms('x')).length).toBeLessThan(300);
});

test('is empty for nothing', () => {
  expect(snippetOf('', terms('x'))).toBe('');
});

test('says how many lines of the chunk come before it', () => {
  expect(snippet('a\n\nretry', terms('retry')).linesBefore).toBe(2);
});
