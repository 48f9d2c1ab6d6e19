import { describe, expect, test } from 'vitest';
import { splitIdentifier, tokenize } from '../../../src/search/identifierTokens.ts';

describe('tokenize', () => {
  test('gives the same words for every spelling of a name', () => {
    for (const spelling of ['parseConfig', 'ParseConfig', 'parse_config', 'PARSE_CONFIG', '_parse_config'])
      expect(tokenize(spelling)).toEqual(['parseconfig', 'pars', 'config']);
  });

  test('splits runs of capitals before the last one', () => {
    expect(tokenize('HTTPServer')).toEqual(['httpserver', 'http', 'server']);
    expect(splitIdentifier('getHTTPResponseV2')).toEqual(['get', 'http', 'response', 'v', '2']);
  });

  test('splits at hyphens, dots, slashes and other punctuation', () => {
    expect(tokenize('std::retry-after/config.json')).toEqual(['std', 'retry', 'after', 'config', 'json']);
  });

  test('keeps a single character that stands alone and drops it as a piece', () => {
    expect(tokenize('x iPhone')).toEqual(['x', 'iphon', 'phon']);
  });

  test('emits a dunder name once', () => {
    expect(tokenize('__init__')).toEqual(['init']);
  });

  test('handles letters beyond ASCII', () => {
    expect(tokenize('größeÄnderung')).toEqual(['größeänderung', 'größe', 'änderung']);
  });

  test('compares ideographs by pairs', () => {
    expect(tokenize('设置文件 x')).toEqual(['设置', '置文', '文件', 'x']);
  });

  test('skips runs too long to be names', () => {
    expect(tokenize(`${'a1'.repeat(60)} ok`)).toEqual(['ok']);
  });

  test('gives nothing for nothing', () => {
    expect(tokenize('')).toEqual([]);
    expect(tokenize('___ ---')).toEqual([]);
  });
});
