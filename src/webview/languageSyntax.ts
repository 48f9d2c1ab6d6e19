/** The little that is known about a language to colour a snippet. */
export interface LanguageSyntax {
  readonly isProse: boolean;
  readonly lineComments: readonly string[];
  /** Comments and strings that may span lines. */
  readonly blocks: readonly { readonly kind: 'comment' | 'string'; readonly start: string; readonly end: string }[];
  readonly quotes: string;
  readonly keywords: ReadonlySet<string>;
  readonly ignoresCase: boolean;
  readonly hasLifetimes: boolean;
  /** Functions begin with a capital letter as types do (Go, C#). */
  readonly callsAreCapital: boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const C_COMMENT = { kind: 'comment', start: '/*', end: '*/' } as const;
const HTML_COMMENT = { kind: 'comment', start: '<!--', end: '-->' } as const;

const BASE: LanguageSyntax = {
  isProse: false,
  lineComments: ['//'],
  blocks: [C_COMMENT],
  quotes: '"\'`',
  keywords: words(
    'abstract as async await break case catch class const constructor continue debugger declare default delete do else enum export extends false final finally for from function get if implements import in instanceof interface is keyof let namespace new null of override package private protected public readonly return satisfies set static super switch this throw throws true try type typeof undefined var void while with yield',
  ),
  ignoresCase: false,
  hasLifetimes: false,
  callsAreCapital: false,
};

const C_FAMILY = words(
  'abstract alignas alignof as auto base bool boolean break byte case catch char class co_await co_return co_yield concept const constexpr continue decltype default delete do double dynamic else enum event explicit export extends extern false final finally float for foreach friend get goto if implements import in inline int interface internal is lock long mutable namespace new noexcept null nullptr object operator out override package params partial private protected public readonly record ref register required return sbyte sealed set short signed sizeof static static_cast string struct super switch template this throw throws transient true try typedef typename uint ulong union unsigned using var virtual void volatile when where while yield',
);

const SYNTAXES: Readonly<Record<string, Partial<LanguageSyntax>>> = {
  python: {
    lineComments: ['#'],
    blocks: [
      { kind: 'string', start: '"""', end: '"""' },
      { kind: 'string', start: "'''", end: "'''" },
    ],
    quotes: '"\'',
    keywords: words(
      'False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return self try while with yield',
    ),
  },
  ruby: {
    lineComments: ['#'],
    blocks: [{ kind: 'comment', start: '=begin', end: '=end' }],
    keywords: words(
      'BEGIN END alias and attr_accessor attr_reader begin break case class def defined? do else elsif end ensure false for if in include module next nil not or private protected public raise redo require rescue retry return self super then true undef unless until when while yield',
    ),
  },
  go: {
    keywords: words(
      'any append bool break byte case chan const continue default defer else error fallthrough false float64 for func go goto if import int int64 interface make map nil package range return rune select string struct switch true type uint var',
    ),
    callsAreCapital: true,
  },
  rust: {
    keywords: words(
      'Self as async await bool break const continue crate dyn else enum extern false fn for i32 i64 if impl in let loop match mod move mut pub ref return self static str struct super trait true type u32 u64 u8 unsafe use usize where while',
    ),
    hasLifetimes: true,
    quotes: '"\'',
  },
  c: { keywords: C_FAMILY, quotes: '"\'' },
  csharp: { keywords: C_FAMILY, quotes: '"\'', callsAreCapital: true },
  kotlin: {
    keywords: words(
      'abstract actual annotation as break by catch class companion const constructor continue data do else enum expect false final finally for fun get if import in infix init inline inner interface internal is lateinit null object open operator out override package private protected public reified return sealed set super suspend this throw true try typealias val var vararg when where while',
    ),
    blocks: [C_COMMENT, { kind: 'string', start: '"""', end: '"""' }],
    quotes: '"\'',
  },
  swift: {
    keywords: words(
      'Any Self as associatedtype async await break case catch class continue default defer deinit do else enum extension fallthrough false fileprivate for func guard if import in init inout internal is let nil open operator override private protocol public repeat rethrows return self some static struct subscript super switch throw throws true try typealias var where while',
    ),
    blocks: [C_COMMENT, { kind: 'string', start: '"""', end: '"""' }],
    quotes: '"',
  },
  scala: {
    keywords: words(
      'abstract case catch class def do else enum export extends extension false final finally for given if implicit import lazy match new null object override package private protected return sealed super then this throw trait true try type using val var while with yield',
    ),
    quotes: '"\'',
  },
  php: {
    lineComments: ['//', '#'],
    keywords: words(
      'abstract and array as break case catch class clone const continue declare default do echo else elseif empty enum extends false final finally fn for foreach function global if implements include instanceof interface isset match namespace new null or private protected public readonly require require_once return self static switch this throw trait true try unset use var while yield',
    ),
  },
  shell: {
    lineComments: ['#'],
    blocks: [],
    keywords: words(
      'case do done echo elif else esac exit export fi for function if in local read readonly return set shift source then trap unset until while',
    ),
  },
  lua: {
    lineComments: ['--'],
    blocks: [
      { kind: 'comment', start: '--[[', end: ']]' },
      { kind: 'string', start: '[[', end: ']]' },
    ],
    keywords: words(
      'and break do else elseif end false for function goto if in local nil not or repeat return self then true until while',
    ),
    quotes: '"\'',
  },
  elixir: {
    lineComments: ['#'],
    blocks: [{ kind: 'string', start: '"""', end: '"""' }],
    keywords: words(
      'after alias and case catch cond def defimpl defmacro defmodule defp defprotocol defstruct do else end false fn for if import in nil not or quote raise receive require rescue true try unless unquote use when with',
    ),
    quotes: '"\'',
  },
  haskell: {
    lineComments: ['--'],
    blocks: [{ kind: 'comment', start: '{-', end: '-}' }],
    keywords: words(
      'case class data default deriving do else forall foreign if import in infix infixl infixr instance let module newtype of qualified then type where',
    ),
    quotes: '"',
  },
  sql: {
    lineComments: ['--'],
    keywords: words(
      'add all alter and as asc begin between by case check column commit constraint create default delete desc distinct drop else end exists foreign from full group having in index inner insert into is join key left like limit not null on or order outer primary references right select set table then union unique update values view when where with',
    ),
    quotes: '"\'`',
    ignoresCase: true,
  },
  yaml: { lineComments: ['#'], blocks: [], keywords: words('true false null yes no on off'), quotes: '"\'' },
  markup: { lineComments: [], blocks: [HTML_COMMENT], keywords: words(''), quotes: '"' },
  css: { lineComments: [], keywords: words('important'), quotes: '"\'' },
  prose: { isProse: true },
};

const ALIASES: Readonly<Record<string, string>> = {
  cpp: 'c',
  'objective-c': 'c',
  'objective-cpp': 'c',
  java: 'c',
  cuda: 'c',
  zig: 'rust',
  shellscript: 'shell',
  bash: 'shell',
  fish: 'shell',
  powershell: 'shell',
  dockerfile: 'shell',
  makefile: 'shell',
  perl: 'shell',
  r: 'python',
  toml: 'yaml',
  ini: 'yaml',
  properties: 'yaml',
  dockercompose: 'yaml',
  html: 'markup',
  xml: 'markup',
  vue: 'markup',
  svelte: 'markup',
  scss: 'css',
  less: 'css',
  markdown: 'prose',
  mdx: 'prose',
  restructuredtext: 'prose',
  asciidoc: 'prose',
  plaintext: 'prose',
  latex: 'prose',
};

/** Keywords that declare; themes colour them apart from those that steer. */
export const STORAGE_WORDS = words(
  'abstract annotation async bool boolean char class companion const constexpr constructor data declare def defmodule defp double dyn enum extends final float fn fun func function impl implements inline int interface internal keyof lambda let local long map module mut namespace new nullptr object override pub private protected public readonly record sealed short static string struct suspend this trait type typeof uint union unsigned val var void volatile self super true false null None True False nil undefined',
);

/** What is known about a language id; languages not listed are coloured as one of the C and JavaScript kind. */
export function syntaxOf(language: string): LanguageSyntax {
  return { ...BASE, ...SYNTAXES[ALIASES[language] ?? language] };
}
