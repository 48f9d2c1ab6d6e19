import type { Structure } from './chunkLines.ts';
import { readDocParts, type DocParts } from './docFlavors.ts';
import { breakCostsBetweenLines, indentationLevels } from './lineStructure.ts';
import { isBlankLine, lineText, type LineTable } from './lines.ts';
import type { OutlineEntry } from './outline.ts';
import { FORBIDDEN_BREAK } from './segmentation.ts';

/** Before a heading, for each level: whole chapters are cut apart first. */
const HEADING_LEVEL = 0.05;
/** Between a heading and what it announces. */
const AFTER_HEADING = 2;
const PARAGRAPH_BREAK = 0.45;
const ITEM_BREAK = 0.6;
const LINE_BREAK = 1;
const LEVEL = 0.1;
/** Inside a block that would be kept whole. */
const BLOCK_BREAK = 1.2;
const BLOCK_PARAGRAPH_BREAK = 0.9;
/** After a line ending in a colon: the sentence before an example or a list. */
const AFTER_COLON = 0.4;

const ITEM = /^\s*(?:[-*+•]|\d+[.)]|[a-z][.)])\s/;
/** AsciiDoc's and reST's lines that say what the next block is. */
const ANNOUNCES = /^(?:\[.*\]|\.[A-Z].*|\.\. .*::.*)\s*$/;

/** Reads a text document: cut by heading, then paragraph, then line; headings are its outline. */
export function readDocument(lines: LineTable, language: string): Structure {
  const parts = readDocParts(lines, language);
  return { breakCosts: docBreakCosts(lines, parts), outline: outlineOf(lines, parts) };
}

function docBreakCosts(lines: LineTable, { headings, blocks }: DocParts): Float64Array {
  const levels = indentationLevels(lines);
  /** For each line, the level of the heading that starts there; 0 for none. */
  const headingStart = new Uint8Array(lines.count);
  const headingEnd = new Uint8Array(lines.count);
  const insideHeading = new Uint8Array(lines.count);
  const insideBlock = new Uint8Array(lines.count);
  for (const { first, last, level } of headings) {
    headingStart[first] = level;
    headingEnd[last] = 1;
    insideHeading.fill(1, first, last);
  }
  // A break after any line of a block but its last one cuts it.
  for (const { first, last } of blocks) insideBlock.fill(1, first, last);

  return breakCostsBetweenLines(lines, (above, below) => {
    const isAdjacent = below === above + 1;
    if (insideHeading[above] === 1) return FORBIDDEN_BREAK;
    if (headingEnd[above] === 1) return AFTER_HEADING;
    const level = headingStart[below] ?? 0;
    if (level > 0) return HEADING_LEVEL * level;
    if (insideBlock[above] === 1) return isAdjacent ? BLOCK_BREAK : BLOCK_PARAGRAPH_BREAK;
    const text = lineText(lines, above);
    const bound = (/:\s*$/.test(text) ? AFTER_COLON : 0) + (ANNOUNCES.test(text) ? AFTER_HEADING : 0);
    const depth = LEVEL * (levels[below] ?? 0) + bound;
    if (!isAdjacent) return PARAGRAPH_BREAK + depth;
    return (ITEM.test(lineText(lines, below)) ? ITEM_BREAK : LINE_BREAK) + depth;
  });
}

/** A heading's section reaches to the next heading of its level or above. */
function outlineOf(lines: LineTable, { headings }: DocParts): OutlineEntry[] {
  const entries: (OutlineEntry & { last: number })[] = [];
  const open: { index: number; level: number }[] = [];
  const close = (level: number, before: number): void => {
    for (let top = open.at(-1); top !== undefined && top.level >= level; top = open.at(-1)) {
      const entry = entries[top.index];
      if (entry !== undefined) entry.last = before;
      open.pop();
    }
  };
  for (const heading of headings) {
    close(heading.level, heading.first - 1);
    entries.push({
      name: heading.title,
      kind: 'heading',
      first: heading.first,
      last: lines.count - 1,
      nameLine: heading.first,
      parent: open.at(-1)?.index ?? -1,
      owners: [],
      declares: heading.title !== '',
    });
    open.push({ index: entries.length - 1, level: heading.level });
  }
  let end = lines.count - 1;
  while (end > 0 && isBlankLine(lines, end)) end--;
  close(0, end);
  return entries;
}
