import type { TokenKind } from '../protocol/view.ts';
import { type LanguageSyntax, STORAGE_WORDS, syntaxOf } from './languageSyntax.ts';

export interface Token {
  readonly kind: TokenKind | null;
  readonly text: string;
}

/** What a line leaves open for the next: the text that ends a comment or string. */
interface Open {
  readonly kind: 'comment' | 'string';
  readonly end: string;
}

/**
 * Colours lines of code well enough to read a snippet at a glance: comments, strings, numbers, keywords, types and calls.
 * Not a parser: a snippet may begin in the middle of anything. The texts of a line's tokens add up to the line.
 *
 * @param count of the first lines, to be coloured; the others only tell how it begins
 */
export function tokenize(
  lines: readonly string[],
  language: string,
  count = lines.length,
): readonly (readonly Token[])[] {
  const syntax = syntaxOf(language);
  if (syntax.isProse) return lines.slice(0, count).map(proseTokens);
  let open = openAtStart(lines, syntax);
  return lines.slice(0, count).map((line) => {
    const scanned = scanLine(line, syntax, open);
    open = scanned.open;
    return scanned.tokens;
  });
}

const LOOKS_LIKE_CODE =
  /[:({[=,)]\s*$|^\s*(?:@|#|def|class|import|from|return|if|elif|else|for|while|with|try|raise|async)\b|^\s*["'#@]/;

/**
 * A snippet may begin inside a Python docstring: then its quotes come in an odd number and its first line is prose. Without
 * this, code and string would be taken for each other down to the end.
 */
function openAtStart(lines: readonly string[], { blocks }: LanguageSyntax): Open | undefined {
  const symmetric = blocks.filter(({ start, end }) => start === end);
  const first = lines.find((line) => line.trim() !== '') ?? '';
  if (symmetric.length === 0 || LOOKS_LIKE_CODE.test(first)) return undefined;
  const odd = symmetric.find(({ end }) => lines.join('\n').split(end).length % 2 === 0);
  return odd === undefined ? undefined : { kind: odd.kind, end: odd.end };
}

function scanLine(line: string, syntax: LanguageSyntax, openBefore: Open | undefined) {
  const tokens: Token[] = [];
  let open = openBefore;
  let at = 0;
  const push = (kind: TokenKind | null, end: number) => {
    const last = tokens.at(-1);
    const text = line.slice(at, end);
    if (last?.kind === kind) tokens[tokens.length - 1] = { kind, text: last.text + text };
    else if (text !== '') tokens.push({ kind, text });
    at = end;
  };
  while (at < line.length) {
    if (open !== undefined) {
      const end = line.indexOf(open.end, at);
      push(open.kind, end === -1 ? line.length : end + open.end.length);
      if (end !== -1) open = undefined;
      continue;
    }
    const rest = line.slice(at);
    const blockStart = syntax.blocks.find((block) => rest.startsWith(block.start));
    if (blockStart !== undefined) {
      const { kind, start, end } = blockStart;
      const endAt = line.indexOf(end, at + start.length);
      push(kind, endAt === -1 ? line.length : endAt + end.length);
      if (endAt === -1) open = { kind, end };
      continue;
    }
    if (syntax.lineComments.some((start) => rest.startsWith(start)) && isCommentPlace(line, at, syntax)) {
      push('comment', line.length);
      continue;
    }
    const [kind, length] = nextToken(rest, line, at, syntax);
    push(kind, at + length);
  }
  return { tokens, open };
}

/** `#` inside a word, as in `$#` or a URL's fragment, starts no comment. */
function isCommentPlace(line: string, at: number, { lineComments }: LanguageSyntax): boolean {
  if (!lineComments.includes('#')) return true;
  return at === 0 || /[\s;,(){}[\]]/.test(line[at - 1] ?? '') || !line.startsWith('#', at);
}

const STRING = /^(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`(?:[^`\\]|\\.)*`?)/;
const NUMBER = /^(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]+)?(?:e[+-]?\d+)?)\w*/i;
const WORD = /^[@#]?[\p{L}_$][\p{L}\p{N}_$]*/u;

function nextToken(rest: string, line: string, at: number, syntax: LanguageSyntax): [TokenKind | null, number] {
  const quote = rest[0] ?? '';
  if (syntax.quotes.includes(quote)) {
    // Rust's lifetimes and the apostrophes of prose are no strings.
    const isLone = quote === "'" && !/^'(?:[^'\\]|\\.[^']*)'/.test(rest) && syntax.hasLifetimes;
    const text = STRING.exec(rest)?.[0];
    if (text !== undefined && !isLone) return ['string', text.length];
  }
  const number = NUMBER.exec(rest)?.[0];
  if (number !== undefined && !/[\p{L}\p{N}_$]/u.test(line[at - 1] ?? '')) return ['number', number.length];
  const word = WORD.exec(rest)?.[0];
  if (word !== undefined) return [kindOfWord(word, rest.slice(word.length), syntax), word.length];
  return [null, 1];
}

function kindOfWord(word: string, after: string, syntax: LanguageSyntax): TokenKind | null {
  if (syntax.keywords.has(syntax.ignoresCase ? word.toLowerCase() : word)) {
    return STORAGE_WORDS.has(word) ? 'storage' : 'keyword';
  }
  if (/^\s*(?:\(|!\()/.test(after)) return /^\p{Lu}/u.test(word) && !syntax.callsAreCapital ? 'type' : 'function';
  if (/^\p{Lu}[\p{L}\p{N}]*\p{Ll}/u.test(word)) return 'type';
  return null;
}

/** Headings, code and quotes of prose. */
function proseTokens(line: string): readonly Token[] {
  if (/^\s{0,3}#{1,6}\s|^=+\s|^[=\-~^]{4,}\s*$/.test(line)) return [{ kind: 'heading', text: line }];
  return line
    .split(/(`[^`]+`)/)
    .filter((text) => text !== '')
    .map((text) => ({ kind: text.startsWith('`') ? 'string' : null, text }));
}
