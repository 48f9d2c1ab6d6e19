import { describe, expect, test } from 'vitest';
import { ROW_STEP, rowProducts } from '../../../src/search/rowProducts.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

const random = new SeededRandom(11);
const rowsOf = (count: number) => Int8Array.from({ length: count }, () => Math.round(254 * random.uniform() - 127));
const factorsOf = (count: number) => Float32Array.from({ length: count }, () => random.uniform() - 0.5);

function inPlainLoops(rows: Int8Array, stride: number, other: Float32Array): number[] {
  return Array.from({ length: rows.length / stride }, (_, row) =>
    other.reduce((sum, value, at) => sum + value * rows[row * stride + at]!, 0),
  );
}

function expectSame(rows: Int8Array, stride: number, other: Float32Array): void {
  const expected = inPlainLoops(rows, stride, other);
  const largest = 127 * stride * Math.max(...other.map(Math.abs));
  const products = rowProducts(rows, stride, other);
  expect(products).toHaveLength(expected.length);
  const worst = Math.max(0, ...expected.map((value, row) => Math.abs(value - products[row]!)));
  expect(worst).toBeLessThanOrEqual(1e-4 * largest);
}

describe('products of 8-bit rows with a vector', () => {
  test.each([
    { stride: 16, rows: 1 },
    { stride: 64, rows: 7 },
    { stride: 512, rows: 1_500 },
    { stride: 4_096, rows: 130 },
  ])('are those of plain loops: $rows rows of $stride', ({ stride, rows }) => {
    expectSame(rowsOf(rows * stride), stride, factorsOf(stride));
  });

  test('do not overflow at the largest values there are', () => {
    for (const stride of [512, 4_096]) {
      for (const value of [127, -127]) {
        expectSame(new Int8Array(3 * stride).fill(value), stride, new Float32Array(stride).fill(1));
      }
    }
  });

  test('count a shorter vector as if zeros followed, whatever was compared before', () => {
    const rows = rowsOf(4 * 2 * ROW_STEP);
    rowProducts(rows, 2 * ROW_STEP, factorsOf(2 * ROW_STEP));
    expectSame(rows, 2 * ROW_STEP, factorsOf(ROW_STEP + 3));
  });

  test('are zero for a vector of zeros, and none for no rows', () => {
    expect([...rowProducts(rowsOf(2 * ROW_STEP), ROW_STEP, new Float32Array(ROW_STEP))]).toEqual([0, 0]);
    expect(rowProducts(new Int8Array(0), ROW_STEP, factorsOf(ROW_STEP))).toHaveLength(0);
  });
});
