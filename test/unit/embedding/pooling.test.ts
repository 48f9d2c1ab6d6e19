import { describe, expect, it } from 'vitest';
import { type Pooling, normalize, poolToUnitVectors, unitTokenVectors } from '../../../src/embedding/pooling.ts';

/** Two texts of up to three tokens of two numbers; the last token of the second is padding. */
const OUTPUT = { values: Float32Array.of(3, 4, 0, 2, 3, 0, 6, 8, 0, 5, 100, 100), count: 2, length: 3, width: 2 };
const COUNTS = [3, 2];

const rounded = (values: Float32Array) => [...values].map((value) => Math.round(value * 1000) / 1000);

describe('pooling', () => {
  it.each<[Pooling, number[]]>([
    ['cls', [0.6, 0.8, 0.6, 0.8]],
    ['lastToken', [1, 0, 0, 1]],
    // (6, 6) and (6, 13), to unit length.
    ['mean', [0.707, 0.707, 0.419, 0.908]],
  ])('by %s never looks at padding', (pooling, expected) => {
    expect(rounded(poolToUnitVectors(OUTPUT, COUNTS, pooling, 2))).toEqual(expected);
  });

  it('of what the graph pooled only brings it to unit length', () => {
    const pooled = { values: Float32Array.of(3, 4, 0, -7), count: 2, length: 1, width: 2 };
    expect(rounded(poolToUnitVectors(pooled, COUNTS, 'none', 2))).toEqual([0.6, 0.8, 0, -1]);
  });

  it('cuts to fewer dimensions before it normalises', () => {
    const wide = { values: Float32Array.of(3, 4, 12), count: 1, length: 1, width: 3 };
    expect(rounded(poolToUnitVectors(wide, [1], 'none', 2))).toEqual([0.6, 0.8]);
  });

  it('cannot make more dimensions than there are', () => {
    expect(() => poolToUnitVectors(OUTPUT, COUNTS, 'cls', 3)).toThrow(
      expect.objectContaining({ code: 'model-invalid' }) as Error,
    );
  });

  it('of no texts is no vectors', () => {
    expect(
      poolToUnitVectors({ values: new Float32Array(0), count: 0, length: 3, width: 2 }, [], 'mean', 2),
    ).toHaveLength(0);
  });
});

describe('a vector of zeros', () => {
  it('has no direction and stays as it is', () => {
    const zeros = new Float32Array(3);
    normalize(zeros);
    expect([...zeros]).toEqual([0, 0, 0]);
  });
});

describe('a vector that is not finite', () => {
  const failure = expect.objectContaining({
    code: 'embedder-failed',
    message: expect.stringContaining('not finite') as string,
  }) as Error;
  /** Two texts of two tokens of two numbers, the second's last token as given. */
  const output = (last: number) => ({
    values: Float32Array.of(3, 4, 0, 2, 3, 0, 6, last),
    count: 2,
    length: 2,
    width: 2,
  });

  it.each([NaN, Infinity, -Infinity])('for a number of %d fails the run', (last) => {
    expect(() => poolToUnitVectors(output(last), [2, 2], 'mean', 2)).toThrow(failure);
    expect(() => poolToUnitVectors(output(last), [2, 2], 'lastToken', 2)).toThrow(failure);
    expect(() => unitTokenVectors(output(last), [2, 2], 2)).toThrow(failure);
  });

  it('is of no account where it is padding, or cut off', () => {
    expect(() => poolToUnitVectors(output(NaN), [2, 1], 'mean', 2)).not.toThrow();
    expect(() => unitTokenVectors(output(NaN), [2, 1], 2)).not.toThrow();
    expect(() => poolToUnitVectors(output(NaN), [2, 2], 'mean', 1)).not.toThrow();
  });

  it('is not what very large numbers make', () => {
    const large = { values: Float32Array.of(3e38, 3e38), count: 1, length: 1, width: 2 };
    expect(rounded(poolToUnitVectors(large, [1], 'none', 2))).toEqual([0.707, 0.707]);
  });
});
