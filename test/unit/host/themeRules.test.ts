import { expect, test } from 'vitest';
import { parseJsonWithComments, tokenColorsOf } from '../../../src/host/view/themeRules.ts';

test('the later rule of a scope wins, as in a theme that builds on another', () => {
  const colors = tokenColorsOf([
    { scope: 'comment', settings: { foreground: '#111111' } },
    { scope: ['comment', 'string'], settings: { foreground: '#222222' } },
  ]);
  expect(colors).toMatchObject({ comment: '#222222', string: '#222222' });
});

test('a kind without a rule of its own takes the nearest scope around it', () => {
  const colors = tokenColorsOf([
    { scope: 'constant, keyword', settings: { foreground: '#abcdef' } },
    { scope: 'keyword.operator', settings: { foreground: '#000000' } },
  ]);
  expect(colors).toMatchObject({ number: '#abcdef', keyword: '#abcdef' });
});

test('rules about one language and colours that are none are left out', () => {
  const colors = tokenColorsOf([
    { scope: 'source.css comment', settings: { foreground: '#333333' } },
    { scope: 'string', settings: { foreground: 'url(javascript:alert(1))' } },
    { scope: 'comment', settings: {} },
    {},
  ]);
  expect(colors).toEqual({});
});

test('themes are JSON with comments and trailing commas', () => {
  const text = '\uFEFF{ // a "comment"\n "a": "// no comment", /* x, } */ "b": [1, 2,], }';
  expect(parseJsonWithComments(text)).toEqual({ a: '// no comment', b: [1, 2] });
});
