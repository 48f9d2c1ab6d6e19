import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPowerSource } from '../../../src/host/manners/powerSource.ts';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'tessera-power-'))));
afterEach(() => rm(folder, { recursive: true }));

async function supply(name: string, facts: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, name));
  for (const [file, text] of Object.entries(facts)) await writeFile(join(folder, name, file), `${text}\n`);
}

test('an adapter that is plugged in is mains, whatever the battery says', async () => {
  await supply('AC', { type: 'Mains', online: '1' });
  await supply('BAT0', { type: 'Battery', status: 'Discharging' });
  expect(await readPowerSource(folder)).toBe('mains');
});

test('a discharging battery is battery', async () => {
  await supply('AC', { type: 'Mains', online: '0' });
  await supply('BAT0', { type: 'Battery', status: 'Discharging' });
  expect(await readPowerSource(folder)).toBe('battery');
});

test('a battery that does not say what it does is unknown', async () => {
  await supply('AC', { type: 'Mains' });
  await supply('BAT0', { type: 'Battery' });
  expect(await readPowerSource(folder)).toBe('unknown');
  await supply('BAT1', { type: 'Battery', status: 'Discharging' });
  expect(await readPowerSource(folder)).toBe('battery');
});

test('a battery that is full or charged is mains', async () => {
  await supply('BAT0', { type: 'Battery', status: 'Full' });
  await supply('BAT1', { type: 'Battery', status: 'Charging' });
  expect(await readPowerSource(folder)).toBe('mains');
});

test('the battery of a mouse is not the machine’s', async () => {
  await supply('hidpp_battery_0', { type: 'Battery', status: 'Discharging', scope: 'Device' });
  expect(await readPowerSource(folder)).toBe('unknown');
});

test('a machine that tells nothing is unknown', async () => {
  expect(await readPowerSource(join(folder, 'missing'))).toBe('unknown');
});
