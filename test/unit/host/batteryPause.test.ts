import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { BatteryPause } from '../../../src/host/manners/batteryPause.ts';
import type { PowerSource } from '../../../src/host/manners/powerSource.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const settings = vi.hoisted(() => ({
  isWanted: true,
  listeners: [] as ((change: { affectsConfiguration: () => boolean }) => void)[],
}));
vi.mock('vscode', () => ({
  workspace: {
    getConfiguration: () => ({ get: () => settings.isWanted }),
    onDidChangeConfiguration: (listener: (typeof settings.listeners)[number]) => {
      settings.listeners.push(listener);
      return { dispose: () => (settings.listeners = []) };
    },
  },
}));
afterEach(() => {
  settings.isWanted = true;
  settings.listeners = [];
});

/** Lets it look as often as there are answers; after that nothing is known. */
async function look(...answers: readonly PowerSource[]) {
  const clock = new ManualClock();
  const told: boolean[] = [];
  let looks = 0;
  const workspace = { setOnBattery: (isOnBattery: boolean) => told.push(isOnBattery) };
  const readSource = () => Promise.resolve(answers[looks++] ?? 'unknown');
  const pause = new BatteryPause(workspace, clock, SILENT_LOGGER, readSource);
  const goOn = async (times: number) => {
    for (let look = 0; look < times; look++) {
      clock.advance(30_000);
      await setImmediate();
    }
  };
  pause.start();
  await setImmediate();
  await goOn(answers.length - 1);
  return { pause, told, goOn, looks: () => looks };
}

describe('the pause on battery', () => {
  it.each<readonly [PowerSource[], boolean[]]>([
    [['battery'], [true]],
    [
      ['battery', 'battery', 'mains', 'battery'],
      [true, false, true],
    ],
    // One look may fail, and two.
    [['battery', 'unknown', 'unknown', 'battery'], [true]],
    [['battery', 'unknown', 'battery', 'unknown', 'unknown'], [true]],
    [['unknown', 'battery'], [true]],
    // Three are believed, and it goes on looking.
    [
      ['battery', 'unknown', 'unknown', 'unknown', 'battery'],
      [true, false, true],
    ],
  ])('follows %j', async (answers, expected) => {
    const { told, pause } = await look(...answers);
    expect(told).toEqual(expected);
    pause.dispose();
  });

  it('stops looking where nothing is known', async () => {
    const { told, looks, goOn } = await look('unknown');
    await goOn(10);
    expect([told, looks()]).toEqual([[], 3]);
  });

  it('ends when it is no longer wanted', async () => {
    const { told } = await look('battery');
    settings.isWanted = false;
    for (const listener of settings.listeners) listener({ affectsConfiguration: () => true });
    expect(told).toEqual([true, false]);
  });

  it('looks no more when it is disposed, also in the middle of a look', async () => {
    const clock = new ManualClock();
    const told: boolean[] = [];
    const answers: ((source: PowerSource) => void)[] = [];
    const pause = new BatteryPause(
      { setOnBattery: (isOnBattery) => told.push(isOnBattery) },
      clock,
      SILENT_LOGGER,
      () => new Promise((resolve) => answers.push(resolve)),
    );
    pause.start();
    pause.dispose();
    answers[0]?.('battery');
    await setImmediate();
    clock.advance(300_000);
    expect([told, answers.length]).toEqual([[], 1]);
  });
});
