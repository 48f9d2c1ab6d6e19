/** Letters a subword token covers at least, in one piece of an identifier; digits likewise. */
const LETTERS_PER_TOKEN = 6;
const DIGITS_PER_TOKEN = 2;

/**
 * About how many tokens a subword tokenizer makes of a text, rather over than under. Pure and additive over lines:
 * the estimate of a text is the sum of its lines' estimates. Every piece of an identifier (`parse`, `Config`, `HTTP`), number and
 * punctuation mark counts, blanks do not. Calibration: 40-line pieces of 26 kinds of source and docs from 22 repositories,
 * against the byte-pair encoding cl100k: 1.22 times the real count (YAML 1.04, C++ 1.36), 1.01 to 1.50 from the 5th to the
 * 95th percentile. One token is about 3.4 characters of code.
 */
export function estimateTokens(text: string): number {
  return estimateTokensIn(text, 0, text.length);
}

/** `estimateTokens` of `text.slice(start, end)` without making the slice. */
export function estimateTokensIn(text: string, start: number, end: number): number {
  let tokens = 0;
  let at = start;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isLower(code) || isUpper(code)) {
      const from = at;
      if (isUpper(code)) while (at < end && isUpper(text.charCodeAt(at))) at++;
      while (at < end && isLower(text.charCodeAt(at))) at++;
      tokens += Math.ceil((at - from) / LETTERS_PER_TOKEN);
    } else if (isDigit(code)) {
      const from = at;
      while (at < end && isDigit(text.charCodeAt(at))) at++;
      tokens += Math.ceil((at - from) / DIGITS_PER_TOKEN);
    } else {
      if (code > 32) tokens++;
      at++;
    }
  }
  return tokens;
}

function isLower(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
