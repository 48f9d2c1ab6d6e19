import { TesseraError } from '../base/errors.ts';
import { NO_FILTERS, type SearchFilters } from '../protocol/hit.ts';
import type { ScopeFilter } from '../protocol/scope.ts';
import { globProblem } from './globProblem.ts';

/** A query without its filters, and what they ask for. */
export interface FilteredQuery {
  /** What is left to search for: words and the words of quoted phrases. */
  readonly text: string;
  readonly filters: SearchFilters;
  /** Texts a chunk must hold, compared without case: quoted, and before or after all other words. */
  readonly phrases: readonly string[];
  /** Words no chunk may hold. */
  readonly withoutWords: readonly string[];
  /** Names one of which a chunk must define; `*` at the end stands for any rest. */
  readonly symbols: readonly string[];
}

/** Gives the language ids for what a person calls a language; undefined when nobody calls one so. */
export type LanguageResolver = (name: string) => readonly string[] | undefined;

const KEYS = ['lang', 'language', 'path', 'file', 'ext', 'symbol', 'scope', 'in'] as const;
type Key = (typeof KEYS)[number];

/** A quoted phrase, or `-`? `key:` "value" | value; anything else is a word. */
const PART = /(-?)(?:([A-Za-z]+):)?(?:"([^"]*)"|(\S+))/y;

/** `-retry` excludes; `-v`, `-Wall`, `--force` and `-1` are things people search for. */
const EXCLUDED_WORD = /^[\p{Ll}_][\p{L}\p{N}_]{2,}$/u;

/**
 * Takes the filters out of a query's text: `lang:ts path:src/** -path:test ext:md symbol:Foo scope:docs "exact phrase" -word`.
 * A word with a colon whose left side is no filter (`std::vector`, `error: no such file`) stays text.
 * @throws TesseraError `invalid-argument` with one sentence for a person when a filter cannot be understood.
 */
export function parseFilters(query: string, resolveLanguage: LanguageResolver): FilteredQuery {
  const found = new FilterCollector(resolveLanguage);
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query.charAt(at))) {
      at++;
      continue;
    }
    PART.lastIndex = at;
    const match = PART.exec(query);
    if (match === null) {
      found.addWord(query.charAt(at));
      at++;
      continue;
    }
    const [whole, minus = '', rawKey, quoted, bare] = match;
    const key = KEYS.find((name) => name === rawKey?.toLowerCase());
    if (rawKey !== undefined && key === undefined) {
      // Only the first word of the match is certain to be text.
      const word = /^\S+/.exec(whole)?.[0] ?? whole;
      found.addWord(word);
      at += word.length;
      continue;
    }
    at += whole.length;
    if (key !== undefined) found.addFilter(key, quoted ?? bare ?? '', minus === '-');
    else if (quoted !== undefined) found.addPhrase(quoted, minus === '-');
    else if (minus === '-' && EXCLUDED_WORD.test(bare ?? '')) found.exclude(bare ?? '');
    else found.addWord(`${minus}${bare ?? ''}`);
  }
  return found.finish();
}

class FilterCollector {
  readonly #resolveLanguage: LanguageResolver;
  readonly #words: string[] = [];
  readonly #phrases: { readonly phrase: string; readonly plainBefore: number }[] = [];
  #plainWords = 0;
  readonly #withoutWords: string[] = [];
  readonly #symbols: string[] = [];
  readonly #include: string[] = [];
  readonly #exclude: string[] = [];
  readonly #languages: string[] = [];
  #scope: ScopeFilter = 'all';

  constructor(resolveLanguage: LanguageResolver) {
    this.#resolveLanguage = resolveLanguage;
  }

  addWord(word: string): void {
    this.#words.push(word);
    this.#plainWords++;
  }

  addPhrase(phrase: string, isExcluded: boolean): void {
    if (phrase.trim() === '') return;
    if (isExcluded) {
      this.#withoutWords.push(phrase);
      return;
    }
    this.#phrases.push({ phrase, plainBefore: this.#plainWords });
    this.#words.push(phrase);
  }

  exclude(word: string): void {
    this.#withoutWords.push(word);
  }

  addFilter(key: Key, value: string, isExcluded: boolean): void {
    if (value === '') throw invalid(`The filter “${key}:” needs a value, such as ${EXAMPLES[key]}.`);
    switch (key) {
      case 'lang':
      case 'language':
        this.#addLanguages(value, isExcluded);
        return;
      case 'path':
      case 'file':
      case 'in':
        (isExcluded ? this.#exclude : this.#include).push(...value.split(',').map((part) => pathGlob(key, part)));
        return;
      case 'ext':
        for (const ext of value.split(',')) {
          (isExcluded ? this.#exclude : this.#include).push(`*.${ext.replace(/^\*?\./, '')}`);
        }
        return;
      case 'symbol':
        if (isExcluded) throw invalid('The filter “symbol:” cannot be excluded; remove the “-” before it.');
        this.#symbols.push(...value.split(','));
        return;
      case 'scope':
        this.#setScope(value, isExcluded);
        return;
    }
  }

  finish(): FilteredQuery {
    return {
      // A name asked for by itself is also what to look for.
      text: (this.#words.length > 0 ? this.#words : this.#symbols.map((name) => name.replaceAll('*', ''))).join(' '),
      filters: {
        ...NO_FILTERS,
        scope: this.#scope,
        include: this.#include,
        exclude: this.#exclude,
        languages: this.#languages,
      },
      // `fix "not found" error`: in the middle of a sentence, quotes are somebody's words and ask for no exact text.
      phrases: this.#phrases
        .filter(({ plainBefore }) => plainBefore === 0 || plainBefore === this.#plainWords)
        .map(({ phrase }) => phrase),
      withoutWords: this.#withoutWords,
      symbols: this.#symbols,
    };
  }

  #addLanguages(value: string, isExcluded: boolean): void {
    if (isExcluded) throw invalid('The filter “lang:” cannot be excluded; use “-ext:” instead.');
    for (const name of value.split(',')) {
      const ids = this.#resolveLanguage(name);
      if (ids === undefined) throw invalid(`No language is called “${name}”; try its file ending, such as lang:ts.`);
      this.#languages.push(...ids);
    }
  }

  #setScope(value: string, isExcluded: boolean): void {
    if (isExcluded || (value !== 'code' && value !== 'docs' && value !== 'all')) {
      throw invalid('The filter “scope:” takes code, docs or all.');
    }
    this.#scope = value;
  }
}

const EXAMPLES: Readonly<Record<Key, string>> = {
  lang: 'lang:ts',
  language: 'language:python',
  path: 'path:src/**',
  file: 'file:*.config.js',
  in: 'in:src',
  ext: 'ext:md',
  symbol: 'symbol:parseConfig',
  scope: 'scope:docs',
};

function invalid(message: string): TesseraError {
  return new TesseraError('invalid-argument', message);
}

/** A plain word is looked for anywhere in a path (`-path:test` also means `foo.test.ts`); a path or a glob is taken as it is. */
function pathGlob(key: Key, value: string): string {
  const problem = globProblem(value);
  if (problem !== undefined) throw invalid(`The filter “${key}:${value}” is not a glob: ${problem}.`);
  return /[*?[\]{}/]/.test(value) ? value : `*${value}*`;
}
