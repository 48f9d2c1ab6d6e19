import { describe, expect, it } from 'vitest';
import { type Taker, shareOut } from '../../../src/server/embedder/shareOut.ts';

const CHARS = 500;

function taker(charsPerMs: number | undefined, heldTexts = 0, laneTexts = heldTexts): Taker {
  return { charsPerMs, heldChars: heldTexts * CHARS, laneChars: laneTexts * CHARS };
}

const waiting = (texts: number) => ({ texts, chars: texts * CHARS });
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

describe('texts that wait', () => {
  it('are shared equally among equals, who are not given more than they need to be busy', () => {
    const [one = 0, other = 0] = shareOut([taker(1), taker(1)], waiting(10_000));
    expect(one).toBe(other);
    expect(one).toBeGreaterThanOrEqual(64);
    expect(one).toBeLessThanOrEqual(256);
    expect(shareOut([taker(1, one), taker(1, one)], waiting(10_000))).toEqual([0, 0]);
  });

  it('are all given while there are few, to whoever is done first', () => {
    expect(sum(shareOut([taker(1), taker(1)], waiting(40)))).toBe(40);
    expect(shareOut([taker(1), taker(1, 60)], waiting(10))).toEqual([10, 0]);
  });

  it('are shared by speed, so that all end together', () => {
    const [slow = 0, fast = 0] = shareOut([taker(1), taker(3)], waiting(10_000));
    expect(fast / slow).toBeGreaterThan(2.5);
    expect(fast / slow).toBeLessThan(3.5);
  });

  it('are not given to somebody so slow that the others are done sooner', () => {
    expect(shareOut([taker(0.01), taker(1, 80)], waiting(40))).toEqual([0, 40]);
    expect(shareOut([taker(0.001), taker(1, 1_000)], waiting(40))).toEqual([0, 0]);
  });

  it('are given to strangers a few at a time', () => {
    expect(shareOut([taker(undefined), taker(undefined)], waiting(10_000))).toEqual([32, 32]);
  });

  it('make half a second of work for a device that does more in it than fits a window', () => {
    const [count = 0] = shareOut([taker(5_000)], waiting(100_000));
    expect(count * CHARS).toBeGreaterThan(0.9 * 500 * 5_000);
  });

  it('of one lane leave room for those of another', () => {
    expect(sum(shareOut([taker(1, 200, 0), taker(1, 200, 0)], waiting(40)))).toBe(40);
  });

  it.each([0, 1, 7, 33])('are never more than there are (%i)', (texts) => {
    expect(sum(shareOut([taker(2), taker(undefined), taker(1)], waiting(texts)))).toBe(texts);
  });

  it('without a character are given all the same', () => {
    expect(sum(shareOut([taker(1)], { texts: 5, chars: 0 }))).toBe(5);
  });
});
