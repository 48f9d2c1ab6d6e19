import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { TypingRest } from '../../../src/server/indexer/typingRest.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const never = new AbortController().signal;

describe('work while somebody types', () => {
  let clock: ManualClock;
  let rest: TypingRest;

  beforeEach(() => {
    clock = new ManualClock();
    rest = new TypingRest(clock);
  });

  /** Share of `seconds` with a key each second in which work may begin. */
  function shareWhileTyping(seconds: number): number {
    let open = 0;
    const stepMs = 10;
    for (let at = 0; at < seconds * 1_000; at += stepMs) {
      if (at % 1_000 === 0) rest.noteKey();
      if (rest.restMs === 0) open += stepMs;
      clock.advance(stepMs);
    }
    return open / (seconds * 1_000);
  }

  it('begins at once when nobody types', async () => {
    expect(rest.restMs).toBe(0);
    await rest.pass(never);
  });

  it('waits until two seconds after the last key it was told of', () => {
    rest.noteKey();
    clock.advance(1_000);
    rest.noteKey();
    clock.advance(1_000);
    expect(rest.restMs).toBeGreaterThan(0);
    clock.advance(1_000);
    expect(rest.restMs).toBe(0);
  });

  it('begins a tenth of the time when somebody never stops', () => {
    expect(shareWhileTyping(100)).toBeCloseTo(0.1, 2);
  });

  it('lets those who wait through when the rest is over, also when it became longer meanwhile', async () => {
    rest.noteKey();
    let isThrough = false;
    void rest.pass(never).then(() => (isThrough = true));
    clock.advance(1_500);
    rest.noteKey();
    clock.advance(700);
    await nextTurn();
    expect(isThrough).toBe(false);
    clock.advance(100);
    await nextTurn();
    expect(isThrough).toBe(true);
  });

  it('stops waiting when the work is cancelled', async () => {
    rest.noteKey();
    const stop = new AbortController();
    const passing = rest.pass(stop.signal);
    stop.abort();
    await expect(passing).rejects.toMatchObject({ code: 'cancelled' });
  });
});
