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

describe('the words of a query', () => {
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
