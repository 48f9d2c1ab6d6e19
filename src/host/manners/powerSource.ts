import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the machine's power comes from, as far as it tells. */
export type PowerSource = 'mains' | 'battery' | 'unknown';

const POWER_SUPPLIES = '/sys/class/power_supply';

/** Reads what Linux says of its power supplies; other systems have no such folder and stay `unknown`. Never rejects. */
export async function readPowerSource(folder = POWER_SUPPLIES): Promise<PowerSource> {
  try {
    const supplies = await Promise.all((await readdir(folder)).map((name) => readSupply(join(folder, name))));
    const mains = supplies.filter(({ type }) => type === 'Mains' || type === 'USB');
    if (mains.some(({ online }) => online === '1')) return 'mains';
    // A wireless mouse has a battery too.
    const batteries = supplies.filter(({ type, scope }) => type === 'Battery' && scope !== 'Device');
    if (batteries.length === 0) return 'unknown';
    if (batteries.some(({ status }) => status === 'Discharging')) return 'battery';
    // What asks the hardware may fail for a moment, as after sleep, where what is known of it can be read.
    return batteries.some(({ status }) => status === '') ? 'unknown' : 'mains';
  } catch {
    return 'unknown';
  }
}

async function readSupply(folder: string) {
  const [type, online, status, scope] = await Promise.all(
    ['type', 'online', 'status', 'scope'].map((name) =>
      readFile(join(folder, name), 'utf8').then(
        (text) => text.trim(),
        () => '',
      ),
    ),
  );
  return { type, online, status, scope };
}
