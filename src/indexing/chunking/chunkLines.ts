import type { Chunk, ChunkLimits } from '../document.ts';
import { joinLines, type LineTable } from './lines.ts';
import { Outline, type OutlineEntry } from './outline.ts';
import { segmentLines, type LineSpan } from './segmentation.ts';
import { estimateTokensIn } from './tokenEstimate.ts';

/** What a reader of some language found in a document. */
export interface Structure {
  /** What a break after each line costs (see `segmentLines`); one per line. */
  readonly breakCosts: Float64Array;
  /** In the order of their first lines, an outer one before its inner ones. */
  readonly outline: readonly OutlineEntry[];
}

/** `sums[n]`: estimated tokens of the first `n` lines. */
export function tokenSums(lines: LineTable): Uint32Array {
  const sums = new Uint32Array(lines.count + 1);
  for (let line = 0; line < lines.count; line++) {
    sums[line + 1] = (sums[line] ?? 0) + estimateTokensIn(lines.text, lines.starts[line] ?? 0, lines.ends[line] ?? 0);
  }
  return sums;
}

/** Cuts a document along its structure. */
export function chunkLines(lines: LineTable, sums: Uint32Array, structure: Structure, limits: ChunkLimits): Chunk[] {
  if (lines.count === 0) return [];
  const tokensOf = (first: number, last: number): number => (sums[last + 1] ?? 0) - (sums[first] ?? 0);
  const outline = new Outline(structure.outline, tokensOf);
  return segmentLines(sums, structure.breakCosts, limits).map((span) => {
    const first = firstWithOverlap(tokensOf, span, limits);
    return {
      startLine: first + 1,
      endLine: span.last + 1,
      text: joinLines(lines, first, span.last),
      ...outline.namesOf(span.first, span.last),
      tokens: tokensOf(first, span.last),
    };
  });
}

function firstWithOverlap(
  tokensOf: (first: number, last: number) => number,
  span: LineSpan,
  { overlapLines, maxTokens }: ChunkLimits,
): number {
  let first = span.first;
  while (first > 0 && span.first - first < overlapLines && tokensOf(first - 1, span.last) <= maxTokens) first--;
  return first;
}
