import { describe, expect, it } from 'vitest';
import { FiguresKeeper } from '../../../src/embedder/figuresKeeper.ts';
import { ScopeMeter } from '../../../src/embedding/scopeMeter.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const RUN = { scope: 'code', length: 8, count: 2, realTokens: 16, elapsedMs: 1, rssMb: 100 } as const;

function fixture() {
  const clock = new ManualClock();
  const saves: number[] = [];
  const meters = { code: new ScopeMeter(), docs: new ScopeMeter() };
  const keeper = new FiguresKeeper(meters, { sample: () => undefined }, clock, () => saves.push(clock.now()));
  return { clock, saves, keeper };
}

describe('what the tuners learned', () => {
  it('is saved when nothing is left to do, if there was anything', () => {
    const { keeper, saves } = fixture();
    keeper.idle();
    expect(saves).toEqual([]);
    keeper.ran(RUN);
    keeper.idle();
    expect(saves).toHaveLength(1);
  });

  it('is saved once a second where there is nothing left to do again and again', () => {
    const { clock, keeper, saves } = fixture();
    for (let tick = 0; tick < 25; tick++) {
      keeper.ran(RUN);
      keeper.idle();
      clock.advance(100);
    }
    expect(saves).toEqual([0, 1000, 2000]);
  });

  it('of a run out of memory is saved at once', () => {
    const { keeper, saves } = fixture();
    keeper.ran(RUN);
    keeper.idle();
    keeper.backedOff('code');
    expect(saves).toHaveLength(2);
  });
});
