import { describe, expect, it } from 'vitest';
import { Pace } from '../../../src/server/embedder/pace.ts';

/** Answers of so many characters, so many milliseconds apart. */
function work(pace: Pace, fromMs: number, answers: number, chars: number, apartMs: number): number {
  for (let answer = 1; answer <= answers; answer++) pace.done(chars, fromMs + answer * apartMs);
  return fromMs + answers * apartMs;
}

describe('a pace', () => {
  it('is unknown before work and after the first answer, which pays for the start', () => {
    const pace = new Pace();
    expect(pace.charsPerMs(0)).toBeUndefined();
    pace.begin(0);
    pace.done(1_000, 60_000);
    pace.done(1_000, 60_001);
    expect(pace.charsPerMs(60_001)).toBeUndefined();
  });

  it('is that of the answers that follow, alone or several at once', () => {
    const pace = new Pace();
    pace.begin(0);
    const nowMs = work(pace, 0, 21, 500, 100);
    expect(pace.charsPerMs(nowMs)).toBeCloseTo(5);
    const many = new Pace();
    many.begin(0);
    for (let runs = 1; runs <= 11; runs++) for (let texts = 0; texts < 8; texts++) many.done(125, runs * 200);
    expect(many.charsPerMs(2_200)).toBeGreaterThan(4.5);
    expect(many.charsPerMs(2_200)).toBeLessThan(5.5);
  });

  it('leaves pauses out', () => {
    const pace = new Pace();
    pace.begin(0);
    const endMs = work(pace, 0, 21, 500, 100);
    pace.end(endMs);
    pace.begin(endMs + 20_000);
    expect(pace.charsPerMs(work(pace, endMs + 20_000, 10, 500, 100))).toBeCloseTo(5);
  });

  it('follows a change within seconds', () => {
    const pace = new Pace();
    pace.begin(0);
    const changedMs = work(pace, 0, 300, 500, 100);
    const pacePerMs = pace.charsPerMs(work(pace, changedMs, 150, 50, 100)) ?? 0;
    expect(pacePerMs).toBeGreaterThan(0.5);
    expect(pacePerMs).toBeLessThan(1);
  });

  it('is forgotten in half a minute', () => {
    const pace = new Pace();
    pace.begin(0);
    const endMs = work(pace, 0, 21, 500, 100);
    expect(pace.charsPerMs(endMs + 29_000)).toBeCloseTo(5);
    expect(pace.charsPerMs(endMs + 31_000)).toBeUndefined();
    pace.begin(endMs + 31_000);
    expect(pace.charsPerMs(endMs + 31_000)).toBeUndefined();
  });
});
