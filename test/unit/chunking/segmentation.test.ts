import { describe, expect, it } from 'vitest';
import { FORBIDDEN_BREAK, segmentLines } from '../../../src/indexing/chunking/segmentation.ts';
import type { ChunkLimits } from '../../../src/indexing/document.ts';

const LIMITS: ChunkLimits = { targetTokens: 10, maxTokens: 14, overlapLines: 0 };

function segment(tokens: readonly number[], costs: readonly number[], limits = LIMITS): string[] {
  const sums = new Uint32Array(tokens.length + 1);
  tokens.forEach((size, line) => (sums[line + 1] = sums[line]! + size));
  return segmentLines(sums, Float64Array.from(costs), limits).map(({ first, last }) => `${first}-${last}`);
}

describe('segmentLines', () => {
  it('merges lines up to the target', () => {
    expect(segment([5, 5, 5, 5], [0, 0, 0, 0])).toEqual(['0-1', '2-3']);
  });

  it('keeps together what is dear to cut, even past the target', () => {
    expect(segment([6, 6, 6, 6], [1, 0, 1, 0])).toEqual(['0-1', '2-3']);
  });

  it('cuts at the cheapest place what cannot stay whole', () => {
    expect(segment([5, 5, 5, 5], [3, 2, 3, 0])).toEqual(['0-1', '2-3']);
    expect(segment([3, 3, 3, 3, 3], [3, 0.1, 3, 3, 0])).toEqual(['0-1', '2-4']);
  });

  it('cuts inside a forbidden stretch only when it would not fit', () => {
    const forbidden = [FORBIDDEN_BREAK, FORBIDDEN_BREAK, FORBIDDEN_BREAK, 0];
    expect(segment([4, 4, 4, 2], forbidden)).toEqual(['0-3']);
    expect(segment([6, 6, 6, 6], forbidden)).toEqual(['0-1', '2-3']);
  });

  it('gives a line that is larger than the maximum a chunk of its own', () => {
    expect(segment([2, 90, 2], [0, 0, 0])).toEqual(['0-0', '1-1', '2-2']);
  });

  it('gives no lines no chunks', () => {
    expect(segment([], [])).toEqual([]);
  });
});
