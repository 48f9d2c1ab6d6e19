import { expect, it } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import { AtRest } from '../../../src/server/indexer/atRest.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

function begin(work: () => Promise<void> = () => Promise.resolve()) {
  const clock = new ManualClock();
  const counted = { times: 0 };
  const atRest = new AtRest(clock, 1_000, () => {
    counted.times += 1;
    return work();
  });
  return { clock, counted, atRest };
}

it('work waits until nothing has been noted for a while', () => {
  const { clock, counted, atRest } = begin();
  for (let noted = 0; noted < 5; noted++) {
    atRest.note();
    clock.advance(999);
  }
  expect(counted.times).toBe(0);
  clock.advance(1);
  expect(counted.times).toBe(1);
  clock.advance(10_000);
  expect(counted.times).toBe(1);
});

it('what is noted during the work is worked off after it, never beside it', async () => {
  const held = new Deferred<void>();
  const { clock, counted, atRest } = begin(() => held.promise);
  atRest.note();
  clock.advance(1_000);
  atRest.note();
  clock.advance(1_000);
  expect(counted.times).toBe(1);
  held.resolve();
  await atRest.working;
  clock.advance(1_000);
  expect(counted.times).toBe(2);
});

it('what is forgotten is not worked off, and what is noted later is', () => {
  const { clock, counted, atRest } = begin();
  atRest.note();
  atRest.forget();
  clock.advance(5_000);
  expect(counted.times).toBe(0);
  atRest.note();
  clock.advance(1_000);
  expect(counted.times).toBe(1);
});

it('nothing begins after the end', () => {
  const { clock, counted, atRest } = begin();
  atRest.note();
  atRest.dispose();
  atRest.note();
  clock.advance(5_000);
  expect(counted.times).toBe(0);
});
