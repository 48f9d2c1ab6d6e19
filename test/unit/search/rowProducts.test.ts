import { afterEach, describe, expect, test, vi } from 'vitest';
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

/** `productsOf` is the module's own function, or that of a fresh copy of the module. */
function expectSame(rows: Int8Array, stride: number, other: Float32Array, productsOf = rowProducts): void {
  const expected = inPlainLoops(rows, stride, other);
  const largest = 127 * stride * other.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const products = productsOf(rows, stride, other);
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

  test('are those of plain loops for rows too long for the memory beside the vector', () => {
    expectSame(rowsOf(2 * 200_000), 200_000, factorsOf(200_000));
  });
});

describe('where WebAssembly cannot be used', () => {
  afterEach(() => void vi.unstubAllGlobals());

  function refused(): never {
    throw new Error('invalid SIMD opcode');
  }

  test.each([
    ['none at all', undefined],
    ['none with SIMD', { Module: refused }],
    ['no memory for it', { Module: Object, Instance: refused }],
  ])('%s: the products are those of plain loops', async (_, present) => {
    vi.resetModules();
    const fresh = await import('../../../src/search/rowProducts.ts');
    vi.stubGlobal('WebAssembly', present);
    expectSame(rowsOf(7 * 64), 64, factorsOf(61), fresh.rowProducts);
    expectSame(rowsOf(7 * 64), 64, factorsOf(64), fresh.rowProducts);
  });
});
