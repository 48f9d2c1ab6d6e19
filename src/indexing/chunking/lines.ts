/** Where the lines of a text are. Lines count from 0 here; `\n`, `\r\n` and a lone `\r` end a line, as in VS Code. */
export interface LineTable {
  readonly text: string;
  /** Lines of the text; a terminator at the very end opens no further line, the empty text has none. */
  readonly count: number;
  /** Offset of each line's first character, and one past the text at index `count`. */
  readonly starts: Uint32Array;
  /** Offset just past each line's last character, its terminator left out. */
  readonly ends: Uint32Array;
}

const LF = 10;
const CR = 13;

export function readLines(text: string): LineTable {
  const starts: number[] = [];
  const ends: number[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== LF && code !== CR) continue;
    starts.push(start);
    ends.push(at);
    if (code === CR && text.charCodeAt(at + 1) === LF) at++;
    start = at + 1;
  }
  if (start < text.length) {
    starts.push(start);
    ends.push(text.length);
  }
  const count = ends.length;
  starts.push(text.length);
  return { text, count, starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) };
}

/** The text of one line without its terminator. */
export function lineText(lines: LineTable, line: number): string {
  return lines.text.slice(lines.starts[line], lines.ends[line]);
}

/** The line an offset is on; offsets past the end are on the last line. It is found at once if it is the line `likely`. */
export function lineAt(lines: LineTable, offset: number, likely = 0): number {
  if ((lines.starts[likely] ?? Infinity) <= offset && offset < (lines.starts[likely + 1] ?? 0)) return likely;
  let low = 0;
  let high = lines.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((lines.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Lines `first` to `last`, both included, joined by `\n` whatever the file's own line ends are. */
export function joinLines(lines: LineTable, first: number, last: number): string {
  const text = lines.text.slice(lines.starts[first], lines.ends[last]);
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

export function isBlankLine(lines: LineTable, line: number): boolean {
  const end = lines.ends[line] ?? 0;
  for (let at = lines.starts[line] ?? 0; at < end; at++) {
    const code = lines.text.charCodeAt(at);
    // Space, tab, vertical tab, form feed, no-break space, byte order mark.
    if (code !== 32 && code !== 9 && code !== 11 && code !== 12 && code !== 0xa0 && code !== 0xfeff) return false;
  }
  return true;
}

/** Columns a line is indented by, a tab counting up to the next multiple of four. */
export function indentationOf(lines: LineTable, line: number): number {
  const end = lines.ends[line] ?? 0;
  let columns = 0;
  for (let at = lines.starts[line] ?? 0; at < end; at++) {
    const code = lines.text.charCodeAt(at);
    if (code === 32) columns++;
    else if (code === 9) columns += 4 - (columns % 4);
    else break;
  }
  return columns;
}
