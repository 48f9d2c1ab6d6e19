import { describe, expect, test } from 'vitest';
import { VectorMatrix } from '../../../src/search/vectorMatrix.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

const DIMENSION = 64;
const random = new SeededRandom(3);

function unit(): Float32Array {
  const values = Float32Array.from({ length: DIMENSION }, () => random.uniform() - 0.3);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
const dot = (left: ArrayLike<number>, right: ArrayLike<number>) =>
  Array.from(left).reduce((sum, value, at) => sum + value * right[at]!, 0);
const mean = (vectors: readonly Float32Array[]) =>
  Float32Array.from({ length: DIMENSION }, (_, at) => vectors.reduce((sum, v) => sum + v[at]!, 0) / vectors.length);

describe('vectors of a segment', () => {
  const vectors = Array.from({ length: 10 }, unit);
  const starts = Uint32Array.of(0, 3, 4, 10);
  const centre = mean(vectors);
  const matrix = VectorMatrix.of(DIMENSION, starts, vectors);
  matrix.setCentre(centre);

  test('are compared as if moved to their file’s mean and freed of the centre', () => {
    const query = unit();
    const similarities = matrix.similarities(query);
    vectors.forEach((vector, row) => {
      const file = starts.findLastIndex((start) => start <= row);
      const own = mean(vectors.slice(starts[file], starts[file + 1]));
      const moved = vector.map((value, at) => value + 0.4 * own[at]! - centre[at]!);
      expect(similarities[row]).toBeCloseTo(dot(query, moved) / Math.hypot(...moved), 2);
    });
  });

  test('come back but for rounding', () => {
    expect(dot(matrix.vector(4), vectors[4]!)).toBeGreaterThan(0.999);
  });

  test('may be missing, which says so and changes no other', () => {
    const holed = VectorMatrix.of(DIMENSION, starts, vectors.with(9, null as never));
    holed.setCentre(centre);
    const query = unit();
    expect(holed.similarities(query)[9]).toBe(-1);
    expect(holed.hasVector(9)).toBe(false);
    expect(holed.similarities(query)[0]).toBeCloseTo(matrix.similarities(query)[0]!, 5);
  });
});
