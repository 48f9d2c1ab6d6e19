import type { Mark } from '../../protocol/view.ts';

// Words that say nothing about which line matched.
const STOP_WORDS = new Set(
  'a an and are as at be by can code do does find for from function get how i in into is it its of on or show that the their this to use used uses using we what when where which who why with'.split(
    ' ',
  ),
);
const FILTER = /(^|\s)-?(lang|language|path|file|scope|ext|in):\S+/g;
const MIN_STEM_CHARS = 3;

/**
 * Words of a query worth marking, as lower-case stems: identifiers are taken whole and in parts, endings that English
 * adds are dropped so that `retries` marks `retry`.
 */
export function queryStems(query: string): readonly string[] {
  const words = query.replace(FILTER, ' ').match(/[\p{L}\p{N}_$]+/gu) ?? [];
  const stems = new Set<string>();
  for (const word of words) {
    for (const part of [word, ...word.split(/_|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u)]) {
      const lower = part.toLowerCase();
      if (lower.length >= 2 && !STOP_WORDS.has(lower)) stems.add(stem(lower));
    }
  }
  return [...stems].sort((a, b) => b.length - a.length);
}

function stem(word: string): string {
  for (const ending of ['ations', 'ation', 'ings', 'ing', 'ies', 'ied', 'ers', 'er', 'ed', 'es', 's', 'y', 'e']) {
    if (word.endsWith(ending) && word.length - ending.length >= MIN_STEM_CHARS + 1)
      return word.slice(0, -ending.length);
  }
  return word;
}

/** Where stems begin a word or a part of an identifier in a line; each mark covers the whole part. Sorted, not overlapping. */
export function marksIn(line: string, stems: readonly string[]): readonly Mark[] {
  // Most lines of a hit hold none of the words; cutting them into parts would cost a hundred times as much.
  const lower = line.toLowerCase();
  if (!stems.some((candidate) => lower.includes(candidate))) return [];
  const marks: [number, number][] = [];
  for (const match of line.matchAll(/\p{Lu}?[\p{Ll}\p{N}]+|\p{Lu}+(?!\p{Ll})|\p{L}+/gu)) {
    const part = match[0].toLowerCase();
    if (stems.some((candidate) => matches(part, candidate))) {
      const start = match.index;
      const end = start + match[0].length;
      const last = marks.at(-1);
      // Neighbouring parts of one identifier read better as one mark.
      if (last !== undefined && (last[1] === start || line.slice(last[1], start) === '_')) last[1] = end;
      else marks.push([start, end]);
    }
  }
  return marks;
}

/** A stem stands for its word forms, not for every longer word: `test` marks `tests` and `testing`, not `testimony`. */
function matches(part: string, candidate: string): boolean {
  if (!part.startsWith(candidate)) return false;
  return (
    part === candidate || stem(part) === candidate || (candidate.length >= 5 && part.length - candidate.length <= 4)
  );
}
