import { forEachToken } from './identifierTokens.ts';
import type { QueryTerm } from './queryTerms.ts';

/** Lines a person reads at a glance. */
const SNIPPET_LINES = 6;
const MAX_LINE_LENGTH = 240;

export interface Snippet {
  /** How many lines of the chunk come before it. */
  readonly linesBefore: number;
  readonly text: string;
}

/** The stretch of a chunk's lines that holds most of the query's words; its beginning when it holds none. */
export function snippetOf(text: string, terms: readonly QueryTerm[]): Snippet {
  const lines = text.split(/\r\n|\r|\n/);
  const weights = new Map(terms.map(({ token, weight }) => [token, weight]));
  const found = lines.map((line) => tokensIn(line, weights));
  let bestStart = firstTextLine(lines);
  let best = 0;
  for (let start = 0; start < lines.length; start++) {
    if (lines[start]?.trim() === '') continue;
    const seen = new Set<string>();
    let score = 0;
    for (let at = start; at < Math.min(lines.length, start + SNIPPET_LINES); at++) {
      for (const token of found[at] ?? []) {
        // The same word again says little more.
        score += (weights.get(token) ?? 0) * (seen.has(token) ? 0.1 : 1);
        seen.add(token);
      }
    }
    // A window should begin with what matches, not end with it.
    if ((found[start]?.size ?? 0) > 0) score += 0.2;
    if (score > best) {
      best = score;
      bestStart = start;
    }
  }
  return { linesBefore: bestStart, text: withoutCommonIndent(lines.slice(bestStart, bestStart + SNIPPET_LINES)) };
}

function tokensIn(line: string, weights: ReadonlyMap<string, number>): ReadonlySet<string> {
  const tokens = new Set<string>();
  forEachToken(line, (token) => {
    if (weights.has(token)) tokens.add(token);
  });
  return tokens;
}

function firstTextLine(lines: readonly string[]): number {
  return Math.max(
    0,
    lines.findIndex((line) => line.trim() !== ''),
  );
}

function withoutCommonIndent(lines: readonly string[]): string {
  const end = lines.findLastIndex((line) => line.trim() !== '') + 1;
  const kept = lines.slice(0, end);
  const indents = kept.filter((line) => line.trim() !== '').map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const common = indents.length === 0 ? 0 : Math.min(...indents);
  return kept.map((line) => line.slice(common, common + MAX_LINE_LENGTH).trimEnd()).join('\n');
}
