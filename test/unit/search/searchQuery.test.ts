import { describe, expect, test } from 'vitest';
import { resolveLanguage } from '../../../src/indexing/languages.ts';
import { parseQuery } from '../../../src/search/searchQuery.ts';

const parse = (query: string) => parseQuery(query, resolveLanguage);

describe('what kind of query it is', () => {
  test.each([
    ['parseConfig', 'symbol'],
    ['render_template', 'symbol'],
    ['Sinatra::Base', 'qualified-symbol'],
    ['router.match', 'qualified-symbol'],
    ['where are retries handled', 'text'],
    ['src/app.ts:120', 'location'],
    ['def parse(text, limit)', 'signature'],
    ["TypeError: Cannot read properties of undefined (reading 'map')", 'error-message'],
    ['error: linker `cc` not found', 'error-message'],
  ])('%s', (query, kind) => expect(parse(query).kind).toBe(kind));

  test('a stack trace, whose places are read from the top', () => {
    const query = parse(
      'Error: boom\n    at run (/home/me/app/src/run.ts:12:5)\n    at Object.<anonymous> (/home/me/app/src/main.ts:3:1)',
    );
    expect(query.kind).toBe('stack-trace');
    expect(query.locations).toEqual([
      { path: 'home/me/app/src/run.ts', line: 12 },
      { path: 'home/me/app/src/main.ts', line: 3 },
    ]);
    expect(query.terms.map(({ token }) => token)).not.toContain('12');
  });

  test('a Python trace', () => {
    const { locations } = parse('Traceback:\n  File "app/views.py", line 40, in get\nValueError: no');
    expect(locations).toEqual([{ path: 'app/views.py', line: 40 }]);
  });
});

describe('a text that is no question any more', () => {
  const SIZE = 200_000;

  // Each of these took seconds to minutes, more by the square of its length, with nothing else to be done meanwhile.
  test.each([
    ['backticks', '`'.repeat(SIZE)],
    ['words in backticks', '`f`'.repeat(SIZE / 3)],
    ['spaces', `${' '.repeat(SIZE)}a b`],
    ['one long word', `${'a'.repeat(SIZE)} b`],
    ['lines', '\n'.repeat(SIZE)],
    ['stop words', 'is '.repeat(SIZE / 3)],
  ])('%s is read without its end', (_, text) => {
    const { text: read, words } = parse(text);
    expect(read.length).toBeLessThanOrEqual(10_000);
    expect(words.length).toBeLessThanOrEqual(200);
  });

  test('is known by its beginning: more of it changes nothing', () => {
    const page = Array.from({ length: 1_500 }, (_, at) => `word${at} and \`Name${at}\``).join(' ');
    expect(parse(page)).toEqual(parse(page.slice(0, 10_000)));
  });
});

describe('the words of a query', () => {
  test('between two backticks are names as written; after a last one that is alone they are not', () => {
    const writtenIn = (query: string) => parse(query).written.map(({ token }) => token);
    expect(writtenIn('call `open file` then read')).toEqual(['open', 'file']);
    expect(writtenIn('call `open` then ` read')).toEqual(['open']);
  });

  test('that are read are the first 200 that say something', () => {
    const many = Array.from({ length: 300 }, (_, at) => `the w${'x'.repeat(1 + (at % 5))}q${at}z`).join(' ');
    const { words } = parse(many);
    expect(words.length).toBe(200);
    expect(words.at(-1)?.token).toContain('199');
  });

  test('leave out what questions are built of', () => {
    expect(parse('how are the routes registered').terms.map(({ token }) => token)).toEqual([
      'rout',
      'register',
      'routesregister',
    ]);
  });

  test('are kept when there are no others', () => {
    expect(parse('is').terms).not.toHaveLength(0);
  });

  test('read neighbours as one name too, and a written name as certain', () => {
    const { names } = parse('fix parse config in HttpClient');
    expect(names.get('parseconfig')).toBe(0.8);
    expect(names.get('httpclient')).toBe(1);
    expect(names.get('fix')).toBeLessThan(0.5);
  });

  test.each([
    ['http: keep connections open', ['http']],
    ['io/http_client: retry', ['io', 'http', 'client']],
    ['fix(router): match the longest path', ['router']],
    ['[cache] evict', ['cach']],
    ['Error: no such file', []],
    ['TypeError: x is not a function', []],
    ['how do I run this with these options: fast and slow', []],
    ['std::vector of names', []],
  ])('know the part of the code they begin with: %s', (query, lead) => {
    expect([...parse(query).lead]).toEqual(lead);
  });

  test('know the names that are spelled out as in code, or quoted', () => {
    const written = (query: string) => parse(query).written.map(({ token }) => token);
    expect(written('fix utf8 names in parseConfig, HttpClient and max_size of `Router`')).toEqual([
      'parseconfig',
      'httpclient',
      'maxsiz',
      'router',
    ]);
    expect(written('Fix the parser of config files')).toEqual([]);
  });

  test('take what is called for a name', () => {
    expect(parse('what does retry() return').names.get('retry')).toBe(1);
  });
});
