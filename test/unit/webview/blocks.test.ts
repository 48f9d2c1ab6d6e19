import { describe, expect, test } from 'vitest';
import { countFilling, heightOf } from '../../../src/webview/blocks.ts';
import type { SnippetLine } from '../../../src/protocol/view.ts';

const lines = (count: number): SnippetLine[] =>
  Array.from({ length: count }, (_, number) => ({ number, text: 'x', marks: [] }));
const blocks = (...heights: readonly number[]) => heights.map((height) => ({ height }));

describe('countFilling', () => {
  test('takes the first blocks that fill the list, and some more', () => {
    expect(countFilling(100, blocks(50, 50, 50, 50))).toBe(3);
    expect(countFilling(100, blocks(500, 50))).toBe(1);
  });

  test('takes all that are there when they do not fill it', () => {
    expect(countFilling(1_000, blocks(50, 50))).toBe(2);
    expect(countFilling(100, [])).toBe(0);
  });

  test('takes none for a list that has no height', () => {
    expect(countFilling(0, blocks(50))).toBe(0);
  });
});

test('a hit is as high as its name and the lines shown of it', () => {
  const none = heightOf([{ lines: lines(9) }], 0);
  const three = heightOf([{ lines: lines(9) }], 3);
  expect(three).toBeGreaterThan(none);
  expect(heightOf([{ lines: lines(2) }], 3)).toBe(heightOf([{ lines: lines(2) }], 2));
  expect(heightOf([{ lines: lines(9) }, { lines: lines(9) }], 3)).toBe(2 * three);
});
