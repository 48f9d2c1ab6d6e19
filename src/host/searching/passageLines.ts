import type { Hit, Passage } from '../../protocol/hit.ts';
import type { SnippetLine } from '../../protocol/view.ts';
import { marksIn } from './queryWords.ts';

/** Longer lines are cut: a view never needs them whole, and one line of a data file may be a megabyte. */
const MAX_LINE_CHARS = 400;
const MAX_LINES = 120;
/** Lines from the snippet's first in which the best line is looked for: the server's own choice of what to show. */
const SNIPPET_LINES = 6;
const TAB = '    ';

export interface MarkedPassage {
  /** Lines of the hit, at most `MAX_LINES`, without the indentation they share. */
  readonly lines: readonly SnippetLine[];
  /** Number of the line to show first: the one with most of the query's words. */
  readonly bestLine: number;
}

/** A hit's own text; its snippet when the answer came without passages. */
export function passageOf(hit: Hit): Passage {
  return hit.passage ?? { startLine: hit.startLine, text: hit.snippet, snippetLine: hit.startLine };
}

/** Cuts a hit's text into numbered lines with the query's words marked. */
export function markPassage({ text, startLine, snippetLine }: Passage, stems: readonly string[]): MarkedPassage {
  const texts = text.replace(/\r?\n$/, '').split(/\r\n|\r|\n/);
  const indentation = sharedIndentation(texts);
  const lines = texts.slice(0, MAX_LINES).map((line, index): SnippetLine => {
    const shown = line.slice(indentation).replaceAll('\t', TAB).trimEnd().slice(0, MAX_LINE_CHARS);
    return { number: startLine + index, text: shown, marks: marksIn(shown, stems) };
  });
  const offered = lines.filter(({ number }) => number >= snippetLine && number < snippetLine + SNIPPET_LINES);
  return { lines, bestLine: bestOf(offered, stems) ?? snippetLine };
}

function sharedIndentation(texts: readonly string[]): number {
  const filled = texts.filter((text) => text.trim() !== '');
  const first = filled[0];
  if (first === undefined) return 0;
  let shared = /^[ \t]*/.exec(first)?.[0] ?? '';
  for (const text of filled) {
    while (!text.startsWith(shared)) shared = shared.slice(0, -1);
  }
  return shared.length;
}

function bestOf(lines: readonly SnippetLine[], stems: readonly string[]): number | undefined {
  let best: SnippetLine | undefined;
  let bestCount = 0;
  for (const line of lines) {
    const lower = line.text.toLowerCase();
    const count = line.marks.length === 0 ? 0 : stems.filter((stem) => lower.includes(stem)).length;
    // The earliest line wins a tie: it is most often the definition.
    if (count > bestCount) [best, bestCount] = [line, count];
  }
  return (best ?? lines.find((line) => /[\p{L}\p{N}]/u.test(line.text)))?.number;
}
