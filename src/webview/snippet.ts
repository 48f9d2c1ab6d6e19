import type { Mark, SnippetLine, ViewHit, ViewStrings } from '../protocol/view.ts';
import { element, fill } from './dom.ts';
import { type Token, tokenize } from './tokenizer.ts';

/** The lines of a hit shown before it is expanded: those around its best line, the best not last. */
export function windowAround(
  { lines, bestLine }: Pick<ViewHit, 'lines' | 'bestLine'>,
  count: number,
): readonly SnippetLine[] {
  const best = Math.max(
    0,
    lines.findIndex((line) => line.number === bestLine),
  );
  const before = Math.floor((count - 1) / 2);
  const start = Math.max(0, Math.min(best - before, lines.length - count));
  const shown = lines.slice(start, start + count);
  // Blank lines at the ends say nothing.
  while (shown.length > 1 && shown[0]?.text === '') shown.shift();
  while (shown.length > 1 && shown.at(-1)?.text === '') shown.pop();
  return shown;
}

/** Lines with their numbers, colours and marks; where lines are left out, their count. */
export function snippetElement(
  hit: ViewHit,
  shown: readonly SnippetLine[],
  { moreLines, oneMoreLine }: Pick<ViewStrings, 'moreLines' | 'oneMoreLine'>,
): HTMLElement {
  const last = shown.at(-1);
  const tokens = tokenize(
    hit.lines.map((line) => line.text),
    hit.language,
    last === undefined ? 0 : hit.lines.indexOf(last) + 1,
  );
  const block = element('div', { class: 'snippet' });
  for (const line of shown) {
    const at = hit.lines.indexOf(line);
    block.append(lineElement(line, tokens[at] ?? [{ kind: null, text: line.text }], line.number === hit.bestLine));
  }
  const hidden = hit.endLine - hit.startLine + 1 - shown.length;
  if (hidden > 0 && shown.length === hit.lines.length) {
    const words = hidden === 1 ? oneMoreLine : fill(moreLines, hidden);
    block.append(element('div', { class: 'code-line more-lines' }, words));
  }
  return block;
}

function lineElement(line: SnippetLine, tokens: readonly Token[], isBest: boolean): HTMLElement {
  const code = element('span', { class: 'code' });
  let at = 0;
  for (const { kind, text } of tokens) {
    for (const piece of piecesOf(text, at, line.marks)) {
      const className = kind === null ? null : `token-${kind}`;
      if (piece.isMarked) code.append(element('mark', { class: className }, piece.text));
      else code.append(className === null ? piece.text : element('span', { class: className }, piece.text));
    }
    at += text.length;
  }
  return element(
    'div',
    { class: isBest ? 'code-line best' : 'code-line', 'data-line': line.number },
    element('span', { class: 'line-number', 'aria-hidden': 'true' }, String(line.number)),
    code,
  );
}

/** A token cut where marks begin and end. `start` is the token's column. */
function piecesOf(text: string, start: number, marks: readonly Mark[]): readonly { text: string; isMarked: boolean }[] {
  const cuts = new Set([0, text.length]);
  for (const [from, to] of marks) {
    for (const cut of [from - start, to - start]) if (cut > 0 && cut < text.length) cuts.add(cut);
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((cut, index) => ({
    text: text.slice(cut, sorted[index + 1]),
    isMarked: marks.some(([from, to]) => start + cut >= from && start + cut < to),
  }));
}
