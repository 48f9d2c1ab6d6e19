import { stem } from './stemming.ts';

/**
 * Text → the words full-text search compares. An identifier gives itself without case and separators (`parseConfig`,
 * `parse_config` and `PARSE_CONFIG` all give `parseconfig`) and its pieces (`parse`, `config`), so that a name is found by
 * any spelling and by any of its words; words come without endings (`stem`). The index and the query use the same function, or nothing matches.
 */

/** Pieces shorter than this say nothing on their own (`i` in `iPhone`); a word that stands alone is kept whatever its length. */
const MIN_PIECE_LENGTH = 2;
/** Longer runs are data (hashes, base64), not names. */
const MAX_WORD_LENGTH = 80;

type CharKind = 0 | 1 | 2 | 3 | 4 | 5;
const SEPARATOR = 0;
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
const UNDERSCORE = 4;
/** Scripts written without spaces between words: compared by pairs of characters. */
const IDEOGRAPH = 5;

const ASCII_KINDS: readonly CharKind[] = Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (char >= 'a' && char <= 'z') return LOWER;
  if (char >= 'A' && char <= 'Z') return UPPER;
  if (char >= '0' && char <= '9') return DIGIT;
  return char === '_' ? UNDERSCORE : SEPARATOR;
});

function kindOf(text: string, index: number): CharKind {
  const code = text.charCodeAt(index);
  if (code < 128) return ASCII_KINDS[code] ?? SEPARATOR;
  if ((code >= 0x3040 && code <= 0x30ff) || (code >= 0x3400 && code <= 0x9fff)) return IDEOGRAPH;
  const char = text.charAt(index);
  const lower = char.toLowerCase();
  if (lower !== char.toUpperCase()) return lower === char ? LOWER : UPPER;
  // Letters without case (Hebrew, Hangul, Arabic, …) and combining marks belong to words; punctuation does not.
  return /[\p{L}\p{M}]/u.test(char) ? LOWER : SEPARATOR;
}

/** Calls `emit` with every word of `text`, in order: a compound identifier's pieces follow the identifier itself. */
export function forEachToken(text: string, emit: (token: string) => void): void {
  const length = text.length;
  let at = 0;
  while (at < length) {
    const kind = kindOf(text, at);
    if (kind === SEPARATOR) {
      at++;
      continue;
    }
    const start = at;
    if (kind === IDEOGRAPH) {
      while (at < length && kindOf(text, at) === IDEOGRAPH) at++;
      emitPairs(text.slice(start, at), emit);
      continue;
    }
    let hasBoundary = false;
    let previous: CharKind = kind;
    at++;
    while (at < length) {
      const next = kindOf(text, at);
      if (next === SEPARATOR || next === IDEOGRAPH) break;
      if (next !== previous && !(previous === UPPER && next === LOWER && at === start + 1)) hasBoundary = true;
      previous = next;
      at++;
    }
    if (at - start > MAX_WORD_LENGTH) continue;
    const word = text.slice(start, at);
    if (hasBoundary) emitCompound(word, emit);
    else if (kind !== UNDERSCORE) emit(stem(word.toLowerCase()));
  }
}

/** The words of `text`, with repetitions, in order. */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  forEachToken(text, (token) => tokens.push(token));
  return tokens;
}

/** Pieces of one identifier, lower-cased: `HTTPServerV2` → `http`, `server`, `v`, `2`; one-character pieces included. */
export function splitIdentifier(word: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let at = 1; at <= word.length; at++) {
    const previous = kindOf(word, at - 1);
    const current = at < word.length ? kindOf(word, at) : SEPARATOR;
    const isBoundary =
      current === SEPARATOR ||
      (previous === UPPER && current === LOWER
        ? // `HTTPServer`: the last capital starts the next piece.
          at - 1 > start && kindOf(word, at - 2) === UPPER
        : current !== previous);
    if (!isBoundary) continue;
    const end = previous === UPPER && current === LOWER ? at - 1 : at;
    if (previous !== UNDERSCORE && previous !== SEPARATOR && end > start)
      pieces.push(word.slice(start, end).toLowerCase());
    start = end;
    if (previous === UNDERSCORE) start = at;
  }
  return pieces;
}

function emitCompound(word: string, emit: (token: string) => void): void {
  const pieces = splitIdentifier(word);
  if (pieces.length === 0) return;
  emit(stem(pieces.join('')));
  if (pieces.length === 1) return;
  for (const piece of pieces) if (piece.length >= MIN_PIECE_LENGTH) emit(stem(piece));
}

function emitPairs(run: string, emit: (token: string) => void): void {
  if (run.length === 1) emit(run);
  for (let at = 0; at + 1 < run.length; at++) emit(run.slice(at, at + 2));
}
