import { expect, test } from 'vitest';
import { Highest } from '../../../src/search/highest.ts';

function highestOf(limit: number, values: readonly number[]): number[] {
  const highest = new Highest(limit);
  for (const value of values) highest.take(value);
  return values.slice(0, limit).map((_, place) => highest.at(place));
}

test.each([
  [[3, 1, 2]],
  [[1, 2, 3, 4, 5, 6]],
  [[6, 5, 4, 3, 2, 1]],
  [[0, 0, 1, 0, 1]],
  [[-0.5, -0.1, -0.3, -0.2]],
  [[0.2]],
])('gives what sorting gives: %j', (values) => {
  const sorted = [...values].sort((left, right) => right - left);
  expect(highestOf(4, values)).toEqual(sorted.slice(0, 4));
});

test('where there are not as many, the rest counts as nothing', () => {
  const highest = new Highest(3);
  highest.take(-1);
  expect([highest.at(0), highest.at(1), highest.at(2)]).toEqual([-1, 0, 0]);
});

test('sums up what is above zero', () => {
  const highest = new Highest(3);
  for (const value of [0.5, -0.25, 0.25, -0.5]) highest.take(value);
  expect(highest.sumAboveZero).toBe(0.75);
});
