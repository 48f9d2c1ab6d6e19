/**
 * Git's glob matching (`dowild` of git's `wildmatch.c`), over strings whose characters stand for bytes (see `toByteString`).
 * A port and not a translation to `RegExp`: a pattern like `*a*a*a*b` from a stranger's repository would keep a backtracking
 * engine busy for hours, and git's oddities (brackets, `**` after a literal prefix) come along as they are.
 */
export function wildmatch(
  pattern: string,
  patternStart: number,
  text: string,
  textStart: number,
  pathname: boolean,
): boolean {
  stepsLeft = MAX_STEPS;
  return match(pattern, patternStart, text, textStart, pathname) === MATCH;
}

/** Many `**\/` in one pattern cost exponential time, in git too; no pattern that means something comes near this. */
const MAX_STEPS = 100_000;
let stepsLeft = MAX_STEPS;

/** UTF-8 bytes as characters 0–255, as git compares names; ASCII, nearly every name, is returned as it is. */
export function toByteString(text: string): string {
  if (!NON_ASCII.test(text)) return text;
  return encodeURIComponent(text.toWellFormed()).replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
}

const NON_ASCII = /[^\x00-\x7f]/;

type Outcome = 0 | 1 | 2 | 3;
const MATCH: Outcome = 0;
const NO_MATCH: Outcome = 1;
/** No text further right can match either. */
const ABORT_ALL: Outcome = 2;
/** Only a `**` further left could still match. */
const ABORT_TO_STARSTAR: Outcome = 3;

const END = -1;
const SLASH = 0x2f;
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const BACKSLASH = 0x5c;
const BANG = 0x21;
const CARET = 0x5e;
const DASH = 0x2d;
const COLON = 0x3a;

function at(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) : END;
}

function match(pattern: string, patternStart: number, text: string, textStart: number, pathname: boolean): Outcome {
  if (--stepsLeft < 0) return ABORT_ALL;
  let p = patternStart;
  let t = textStart;
  for (; p < pattern.length; p++, t++) {
    let wanted = pattern.charCodeAt(p);
    const seen = at(text, t);
    if (seen === END && wanted !== STAR) return ABORT_ALL;
    switch (wanted) {
      case BACKSLASH:
        wanted = at(pattern, ++p);
        if (seen !== wanted) return NO_MATCH;
        break;
      case QUESTION:
        if (pathname && seen === SLASH) return NO_MATCH;
        break;
      case OPEN: {
        const end = matchBracket(pattern, p, seen);
        if (end === 0) return ABORT_ALL;
        if (end < 0 || (pathname && seen === SLASH)) return NO_MATCH;
        p = end;
        break;
      }
      case STAR: {
        let crossesSlash = !pathname;
        const beforeStars = p - 1;
        const isDouble = at(pattern, p + 1) === STAR;
        while (at(pattern, p) === STAR) p++;
        const next = at(pattern, p);
        if (isDouble && pathname) {
          const startsSegment = beforeStars < patternStart || pattern.charCodeAt(beforeStars) === SLASH;
          const endsSegment = next === END || next === SLASH || (next === BACKSLASH && at(pattern, p + 1) === SLASH);
          if (startsSegment && endsSegment) {
            // `a/**/b` matches `a/b` too: try the rest as if the stars and their slash were not there.
            if (next === SLASH && match(pattern, p + 1, text, t, pathname) === MATCH) return MATCH;
            crossesSlash = true;
          }
        }
        if (next === END) return crossesSlash || !text.includes('/', t) ? MATCH : ABORT_TO_STARSTAR;
        if (!crossesSlash && next === SLASH) {
          const slash = text.indexOf('/', t);
          if (slash === -1) return ABORT_ALL;
          t = slash;
          break;
        }
        return matchAfterStar(pattern, p, text, t, pathname, crossesSlash);
      }
      default:
        if (seen !== wanted) return NO_MATCH;
    }
  }
  return t >= text.length ? MATCH : NO_MATCH;
}

function matchAfterStar(
  pattern: string,
  p: number,
  text: string,
  textStart: number,
  pathname: boolean,
  crossesSlash: boolean,
): Outcome {
  for (let t = textStart; t < text.length; t++) {
    const outcome = match(pattern, p, text, t, pathname);
    if (outcome !== NO_MATCH) {
      if (!crossesSlash || outcome !== ABORT_TO_STARSTAR) return outcome;
    } else if (!crossesSlash && text.charCodeAt(t) === SLASH) {
      return ABORT_TO_STARSTAR;
    }
  }
  return ABORT_ALL;
}

/** Index of the closing bracket when `seen` is in the set, its negative when not, 0 when the expression is broken. */
function matchBracket(pattern: string, open: number, seen: number): number {
  let p = open + 1;
  let wanted = at(pattern, p);
  const negated = wanted === BANG || wanted === CARET;
  if (negated) wanted = at(pattern, ++p);
  let previous = 0;
  let matched = false;
  do {
    if (wanted === END) return 0;
    if (wanted === BACKSLASH) {
      wanted = at(pattern, ++p);
      if (wanted === END) return 0;
      if (seen === wanted) matched = true;
    } else if (wanted === DASH && previous !== 0 && at(pattern, p + 1) !== END && at(pattern, p + 1) !== CLOSE) {
      wanted = at(pattern, ++p);
      if (wanted === BACKSLASH) wanted = at(pattern, ++p);
      if (wanted === END) return 0;
      if (seen <= wanted && seen >= previous) matched = true;
      // What closed a range cannot open another.
      wanted = 0;
    } else if (wanted === OPEN && at(pattern, p + 1) === COLON) {
      const end = pattern.indexOf(']', p + 2);
      if (end === -1) return 0;
      if (end > p + 2 && pattern.charCodeAt(end - 1) === COLON) {
        const isMember = POSIX_CLASSES.get(pattern.slice(p + 2, end - 1));
        if (isMember === undefined) return 0;
        if (isMember.test(String.fromCharCode(seen))) matched = true;
        wanted = 0;
        p = end;
      } else if (seen === OPEN) {
        matched = true;
      }
    } else if (seen === wanted) {
      matched = true;
    }
    previous = wanted;
    wanted = at(pattern, ++p);
  } while (wanted !== CLOSE);
  return matched === negated ? -p : p;
}

/** As in git's `sane-ctype`: ASCII only. */
const POSIX_CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /[0-9A-Za-z]/],
  ['alpha', /[A-Za-z]/],
  ['blank', /[ \t]/],
  ['cntrl', /[\x00-\x1f\x7f]/],
  ['digit', /[0-9]/],
  ['graph', /[!-~]/],
  ['lower', /[a-z]/],
  ['print', /[ -~]/],
  ['punct', /[!-/:-@[-`{-~]/],
  ['space', /[ \t\n\r]/],
  ['upper', /[A-Z]/],
  ['xdigit', /[0-9A-Fa-f]/],
]);
