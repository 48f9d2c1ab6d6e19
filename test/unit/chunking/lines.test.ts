import { describe, expect, it } from 'vitest';
import { joinLines, lineAt, lineText, readLines } from '../../../src/indexing/chunking/lines.ts';

function linesOf(text: string): string[] {
  const lines = readLines(text);
  return Array.from({ length: lines.count }, (_, line) => lineText(lines, line));
}

describe('readLines', () => {
  it('ends lines at LF, CRLF and CR, mixed', () => {
    expect(linesOf('a\nb\r\nc\rd')).toEqual(['a', 'b', 'c', 'd']);
    expect(linesOf('a\n\r\n\rb')).toEqual(['a', '', '', 'b']);
  });

  it('opens no line after the last terminator', () => {
    expect(linesOf('a\n')).toEqual(['a']);
    expect(linesOf('\n')).toEqual(['']);
    expect(linesOf('')).toEqual([]);
  });

  it('finds the line of an offset, terminators belonging to the line they end', () => {
    const lines = readLines('ab\r\ncd\n');
    expect([0, 2, 3, 4, 6, 99].map((offset) => lineAt(lines, offset))).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it('joins lines by LF without the last terminator', () => {
    expect(joinLines(readLines('a\r\nb\rc\r\n'), 0, 2)).toBe('a\nb\nc');
  });
});
