import { expect, test } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import { ActivePreview } from '../../../src/host/palette/activePreview.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const LONG_MS = 1_000;

/** Opens items as slowly as a test says; `front` is what was opened last. */
function slowEditor() {
  const clock = new ManualClock();
  const opening = new Map<string, Deferred<void>>();
  const asked: string[] = [];
  let front = '';
  const preview = new ActivePreview<string>(clock, async (item) => {
    asked.push(item);
    const slow = opening.get(item);
    if (slow !== undefined) await slow.promise;
    front = item;
  });
  return {
    clock,
    preview,
    asked,
    front: () => front,
    slowDown: (item: string) => {
      const deferred = new Deferred<void>();
      opening.set(item, deferred);
      return () => deferred.resolve();
    },
  };
}

test('what takes longer to open than the item after it does not stay in front of it', async () => {
  const { clock, preview, asked, front, slowDown } = slowEditor();
  const opened = slowDown('slow');
  preview.follow('slow');
  clock.advance(LONG_MS);
  await expect.poll(() => asked).toEqual(['slow']);
  preview.follow('active');
  clock.advance(LONG_MS);
  opened();
  await preview.shown;
  expect(front()).toBe('active');
  expect(asked).toEqual(['slow', 'active']);
});

test('items passed while another one is being opened are not opened any more', async () => {
  const { clock, preview, asked, slowDown } = slowEditor();
  const opened = slowDown('slow');
  for (const item of ['slow', 'passed', 'passed too', 'active']) {
    preview.follow(item);
    clock.advance(LONG_MS);
    await expect.poll(() => asked).toEqual(['slow']);
  }
  opened();
  await preview.shown;
  expect(asked).toEqual(['slow', 'active']);
});

test('an item a held key passes is not opened', async () => {
  const { clock, preview, asked } = slowEditor();
  preview.follow('passed');
  clock.advance(1);
  preview.follow('active');
  clock.advance(LONG_MS);
  await preview.shown;
  expect(asked).toEqual(['active']);
});

test('nothing is opened after the picker is gone, or when no item is active', async () => {
  const { clock, preview, asked } = slowEditor();
  preview.follow('given up');
  preview.follow(undefined);
  clock.advance(LONG_MS);
  preview.follow('too late');
  clock.advance(LONG_MS);
  preview.dispose();
  await preview.shown;
  preview.follow('later');
  preview.dispose();
  clock.advance(LONG_MS);
  await preview.shown;
  expect(asked).toEqual([]);
});
