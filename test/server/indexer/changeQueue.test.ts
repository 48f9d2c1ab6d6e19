import { expect, it } from 'vitest';
import { ChangeQueue } from '../../../src/server/changeQueue.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

/** Runs `callback` after so many turns of the microtask queue. */
async function afterTurns(turns: number, callback: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  callback();
}

it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a change told %i turns after the work on the last one is not lost',
  async (turns) => {
    const worked: string[] = [];
    let telling: Promise<void> | undefined;
    const queue: ChangeQueue = new ChangeQueue({
      clock: new ManualClock(),
      mayWork: () => Promise.resolve(),
      work: ({ paths }) => {
        worked.push(...paths);
        telling ??= afterTurns(turns, () => queue.add({ everything: false, paths: ['second'] }));
        return Promise.resolve();
      },
      onFailure: () => undefined,
      signal: () => new AbortController().signal,
    });
    queue.add({ everything: false, paths: ['first'] });
    await queue.draining;
    await telling;
    await queue.draining;
    expect(worked).toEqual(['first', 'second']);
  },
);
