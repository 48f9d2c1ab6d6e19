import { expect, test } from 'vitest';
import { topScores } from '../../../src/search/topScores.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

test('gives the highest scores, best first, whatever the order they come in', () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 50; round++) {
    const scores = Float32Array.from({ length: 1 + Math.floor(random.uniform() * 300) }, () =>
      Math.floor(random.uniform() * 40),
    );
    const limit = 1 + Math.floor(random.uniform() * 30);
    const expected = [...scores.keys()]
      .filter((number) => scores[number]! > 5 && number % 3 !== 0)
      .sort((left, right) => scores[right]! - scores[left]! || left - right)
      .slice(0, limit);
    expect(topScores(scores, limit, 5, (number) => number % 3 !== 0)).toEqual(expected);
  }
});
