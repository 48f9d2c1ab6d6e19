import { FORBIDDEN_BREAK } from './segmentation.ts';
import { indentationOf, isBlankLine, lineText, type LineTable } from './lines.ts';

/** Between two lines of one paragraph, besides what each level of indentation costs. */
const LINE_BREAK = 0.75;
const PARAGRAPH_BREAK = 0.15;
const LEVEL = 0.2;
const MAX_LEVELS = 6;
/** Between a line and a deeper one below it: a header and its body. */
const AFTER_OPENER = 0.5;
/** Before a line that only closes or goes on with what was opened above. */
const BEFORE_CLOSER = 1;
/** Between a comment and what it describes. */
export const AFTER_COMMENT = 1.5;

const CLOSER =
  /^\s*(?:[)\]}>]+[;,)\]}>]*|end\b.*|fi\b.*|done\b.*|esac\b.*|<\/[\w:.-]+>|#\s*endif\b.*|[)\]}\s]*(?:else|elsif|elif|elseif|catch|finally|rescue|ensure|except)\b.*)\s*$/;
const COMMENT =
  /^\s*(?:\/\/|#(?!\s*(?:define|include|if|ifdef|ifndef|endif|else|pragma)\b)|--|;|%|\/\*|\*|<!--|"""|'''|REM\b|::)/;

/** What a break after each line costs, read from blank lines, indentation and comment marks alone. Works for any text. */
export function lineBreakCosts(lines: LineTable): Float64Array {
  const levels = indentationLevels(lines);
  return breakCostsBetweenLines(lines, (above, below) => {
    const isAdjacent = below === above + 1;
    const isAfterComment = isAdjacent && COMMENT.test(lineText(lines, above));
    return (
      (isAdjacent ? LINE_BREAK : PARAGRAPH_BREAK) +
      LEVEL * (levels[below] ?? 0) +
      bracketCost(lines, levels, above, below) +
      (isAfterComment ? AFTER_COMMENT : 0)
    );
  });
}

/** What reading the lines adds to the costs read from a syntax tree: headers keep a line of their body, closers stay with it. */
export function lineHints(lines: LineTable): Float64Array {
  const levels = indentationLevels(lines);
  return breakCostsBetweenLines(
    lines,
    (above, below) => (below === above + 1 ? PARAGRAPH_BREAK : 0) + bracketCost(lines, levels, above, below),
  );
}

function bracketCost(lines: LineTable, levels: Uint8Array, above: number, below: number): number {
  const isDeeper = (levels[below] ?? 0) > (levels[above] ?? 0);
  return (isDeeper ? AFTER_OPENER : 0) + (CLOSER.test(lineText(lines, below)) ? BEFORE_CLOSER : 0);
}

/** Asks for the cost between each line of text and the next one; blank lines stay with the text above them, leading ones with the text below. */
export function breakCostsBetweenLines(
  lines: LineTable,
  costBetween: (above: number, below: number) => number,
): Float64Array {
  const costs = new Float64Array(lines.count).fill(FORBIDDEN_BREAK);
  let above = -1;
  for (let line = 0; line < lines.count; line++) {
    if (isBlankLine(lines, line)) continue;
    if (above >= 0) costs[line - 1] = costBetween(above, line);
    above = line;
  }
  return costs;
}

/** How deep each line is, as a rank among the indentations open around it. */
export function indentationLevels(lines: LineTable): Uint8Array {
  const levels = new Uint8Array(lines.count);
  const open: number[] = [];
  for (let line = 0; line < lines.count; line++) {
    if (isBlankLine(lines, line)) continue;
    const columns = indentationOf(lines, line);
    while (open.length > 0 && (open.at(-1) ?? 0) >= columns) open.pop();
    if (columns > 0) open.push(columns);
    levels[line] = Math.min(open.length, MAX_LEVELS);
  }
  return levels;
}
