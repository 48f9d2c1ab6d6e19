import { describe, expect, it } from 'vitest';
import { HangWatch } from '../../../src/server/embedder/hangWatch.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const MINUTE = 60_000;
const fixed = (tokens: number) => ({ tokens, isFixed: true });

function start() {
  const clock = new ManualClock();
  let hangs = 0;
  const watch = new HangWatch(clock, () => hangs++);
  /** Lets runs end after so many milliseconds each. */
  const run = (tokens: number, ms: number, hasSucceeded = true) => {
    watch.begin(fixed(tokens));
    clock.advance(ms);
    watch.end(hasSucceeded);
  };
  /** Minutes after which a run that does not end is a hang. */
  const minutesUntilHang = (tokens: number): number => {
    const before = hangs;
    watch.begin(fixed(tokens));
    let minutes = 0;
    for (; hangs === before; minutes++) clock.advance(MINUTE);
    watch.end();
    return minutes;
  };
  return { run, minutesUntilHang, watch };
}

describe('a run of a size that a person has set', () => {
  it('is waited for at length before anything is known of the pace', () => {
    expect(start().minutesUntilHang(32_768)).toBe(80);
  });

  it('is waited for no longer than a hundred times as long as those before it', () => {
    const { run, minutesUntilHang, watch } = start();
    run(32_768, 12_000);
    expect(minutesUntilHang(32_768)).toBe(20);
    expect(minutesUntilHang(65_536)).toBe(40);
    watch.forget();
    expect(minutesUntilHang(32_768)).toBe(80);
  });

  it('is waited for five minutes at the least, however fast the others were', () => {
    const { run, minutesUntilHang } = start();
    run(32_768, 10);
    expect(minutesUntilHang(32_768)).toBe(5);
  });

  it('is not judged by small runs once there was a large one, nor by one whose end was told late, nor by what failed', () => {
    const { run, minutesUntilHang } = start();
    run(32, 100);
    run(32_768, 12_000);
    run(32, MINUTE);
    run(65_536, 1, false);
    // Its beginning was told late.
    run(40_000, 0);
    expect(minutesUntilHang(32_768)).toBe(20);
  });
});
