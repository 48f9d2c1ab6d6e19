import { describe, expect, test } from 'vitest';
import { isTesseraError } from '../../../src/base/errors.ts';
import { resolveLanguage } from '../../../src/indexing/languages.ts';
import { parseFilters } from '../../../src/search/queryFilters.ts';

const parse = (query: string) => parseFilters(query, resolveLanguage);

function refusal(query: string): string {
  try {
    parse(query);
  } catch (error) {
    if (isTesseraError(error, 'invalid-argument')) return error.message;
    throw error;
  }
  throw new Error(`“${query}” was accepted`);
}

describe('filters in the query', () => {
  test('are taken out of the text, wherever they stand', () => {
    const { text, filters } = parse('lang:ts where are path:src/** retries -path:test handled ext:md');
    expect(text).toBe('where are retries handled');
    expect(filters.languages).toContain('typescript');
    expect(filters.include).toEqual(['src/**', '*.md']);
    expect(filters.exclude).toEqual(['*test*']);
  });

  test('take several values at once and quoted ones', () => {
    const { filters, symbols } = parse('ext:ts,.tsx path:"my folder/**" symbol:Foo,Bar*');
    expect(filters.include).toEqual(['*.ts', '*.tsx', 'my folder/**']);
    expect(symbols).toEqual(['Foo', 'Bar*']);
    expect(parse('symbol:Foo,Bar* ext:ts').text).toBe('Foo Bar');
    expect(parse('symbol:Foo waits').text).toBe('waits');
  });

  test('set the scope', () => {
    expect(parse('scope:docs install').filters.scope).toBe('docs');
  });

  test('leave words with a colon that are no filters alone', () => {
    for (const text of [
      'std::vector push_back',
      'error: no such file',
      'http://localhost:80/x',
      'Foo::bar',
      'file: read',
    ])
      expect(parse(text).text).toBe(text);
  });

  test('keep a phrase as a phrase and as words', () => {
    const { phrases, text } = parse('"exact phrase" handler');
    expect(phrases).toEqual(['exact phrase']);
    expect(text).toBe('exact phrase handler');
    expect(parse('handler "exact phrase" lang:ts').phrases).toEqual(['exact phrase']);
  });

  test('leave quotes in the middle of a sentence as words', () => {
    const { phrases, text } = parse('fix "not found" error when a page is missing');
    expect(phrases).toEqual([]);
    expect(text).toBe('fix not found error when a page is missing');
  });

  test('exclude a word after a minus, but not a command line option', () => {
    const { withoutWords, text } = parse('retry -backoff -Wall -v --force -1');
    expect(withoutWords).toEqual(['backoff']);
    expect(text).toBe('retry -Wall -v --force -1');
  });

  test.each([
    ['lang:klingon', 'No language is called “klingon”'],
    ['path:', 'needs a value'],
    ['path:[', 'is not a glob: its brackets do not match'],
    ['-path:src/[ab', 'is not a glob'],
    ['scope:tests', 'takes code, docs or all'],
    ['-lang:ts', 'cannot be excluded'],
  ])('that are wrong are refused with one sentence: %s', (query, words) => {
    expect(
      refusal(`${query}""`.replace('klingon""', 'klingon').replace('tests""', 'tests').replace('ts""', 'ts')),
    ).toContain(words);
  });

  test('survive anything a person types', () => {
    for (const query of ['', '   ', '"', '-', ':', 'a:"', '-"x', 'path', '""', '\\', '🙂:x', 'symbol :x'])
      expect(() => parse(query)).not.toThrow();
  });
});
