import { describe, expect, it } from 'vitest';
import { maxSim } from '../../../src/search/maxSim.ts';

const tokens = (...vectors: readonly (readonly number[])[]) => Float32Array.from(vectors.flat());

describe('the likeness of tokens', () => {
  it('is the mean of the best match of each token of the query', () => {
    const query = tokens([1, 0], [0, 1]);
    expect(maxSim(query, tokens([1, 0], [0, 1], [-1, 0]), 2)).toBe(1);
    expect(maxSim(query, tokens([1, 0]), 2)).toBe(0.5);
    expect(maxSim(query, tokens([0.6, 0.8]), 2)).toBeCloseTo(0.7);
    expect(maxSim(query, tokens([-1, 0], [0, -1]), 2)).toBe(0);
    expect(maxSim(tokens([1, 0]), tokens([-1, 0]), 2)).toBe(-1);
  });

  it('does not depend on the order of the text’s tokens', () => {
    const query = tokens([0.6, 0.8], [0.8, 0.6]);
    expect(maxSim(query, tokens([1, 0], [0, 1]), 2)).toBe(maxSim(query, tokens([0, 1], [1, 0]), 2));
  });

  it('is nothing where there is nothing to compare', () => {
    expect(maxSim(tokens(), tokens([1, 0]), 2)).toBe(0);
    expect(maxSim(tokens([1, 0]), tokens(), 2)).toBe(0);
  });
});
