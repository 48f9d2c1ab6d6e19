import { expect, test } from 'vitest';
import { type Token, tokenize } from '../../../src/webview/tokenizer.ts';

const kinds = (tokens: readonly Token[]) =>
  tokens.filter(({ kind }) => kind !== null).map(({ kind, text }) => `${kind ?? ''} ${text}`);
const first = (line: string, language: string) => kinds(tokenize([line], language)[0]!);

test.each([
  [
    'typescript',
    'export const limit = parse("a", 10); // why',
    ['keyword export', 'storage const', 'function parse', 'string "a"', 'number 10', 'comment // why'],
  ],
  [
    'python',
    "def run(self): return 'x'  # why",
    ['storage def', 'function run', 'storage self', 'keyword return', "string 'x'", 'comment # why'],
  ],
  ['rust', "fn longest<'a>(x: &'a str) -> Thing {", ['storage fn', 'keyword str', 'type Thing']],
  ['sql', 'SELECT name FROM users -- all', ['keyword SELECT', 'keyword FROM', 'comment -- all']],
  ['markdown', '## Set `up`', ['heading ## Set `up`']],
  ['markdown', 'Use `npm test` first', ['string `npm test`']],
  ['shellscript', 'echo "$#" # count', ['keyword echo', 'string "$#"', 'comment # count']],
  [
    'go',
    'func (s *Server) Serve(x int) error {',
    ['storage func', 'type Server', 'function Serve', 'storage int', 'keyword error'],
  ],
])('%s: %s', (language, line, expected) => {
  expect(first(line, language)).toEqual(expected);
});

test('comments and strings go on over lines', () => {
  const [one, two, three] = tokenize(['/* begin', 'in it', 'end */ call()'], 'java');
  expect([kinds(one!), kinds(two!), kinds(three!)]).toEqual([
    ['comment /* begin'],
    ['comment in it'],
    ['comment end */', 'function call'],
  ]);
  const python = tokenize(['"""doc', 'more', '""" + x'], 'python');
  expect(kinds(python[1]!)).toEqual(['string more']);
});

test('the tokens of a line add up to the line, whatever is in it', () => {
  const lines = [
    '\u0000<img src=x onerror=alert(1)>',
    '"unclosed \\',
    "it's",
    '`${`nested`}`',
    '\u{1F600}\uD800',
    '',
    '\t 0x1f_ff 1e9 .5',
  ];
  for (const language of ['typescript', 'python', 'rust', 'html', 'haskell', 'markdown', 'no-such-language', '']) {
    const tokens = tokenize(lines, language);
    expect(tokens.map((line) => line.map(({ text }) => text).join(''))).toEqual(lines);
  }
});

test('a snippet that begins inside a docstring is not coloured inside out', () => {
  const [prose, end, code] = tokenize(['Returns the total.', '"""', 'return self.total'], 'python');
  expect([kinds(prose!), kinds(end!), kinds(code!)]).toEqual([
    ['string Returns the total.'],
    ['string """'],
    ['keyword return', 'storage self'],
  ]);
  const [definition] = tokenize(['def total(self):', '"""Sum', 'of all'], 'python');
  expect(kinds(definition!)[0]).toBe('storage def');
});

test('the first lines are coloured as all of them would be', () => {
  const lines = ['Returns the total.', '"""', 'return self.total', 'def next(self):'];
  for (const language of ['python', 'typescript', 'markdown']) {
    expect(tokenize(lines, language, 2)).toEqual(tokenize(lines, language).slice(0, 2));
  }
});
