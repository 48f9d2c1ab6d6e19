import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { type KnownDevice, KnownDevices } from '../../../src/embedder/knownDevices.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const WEBGPU: KnownDevice = { provider: 'webgpu', fallbackReason: null };
const CPU: KnownDevice = { provider: 'cpu', fallbackReason: 'The device webgpu computes nonsense.' };

let folder = '';
let graph = '';
let nowMs = 0;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tessera-devices-'));
  graph = path.join(folder, 'model.onnx');
  await writeFile(graph, 'a graph');
  nowMs = Date.UTC(2026, 10, 30);
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

/** A new start: what is known of the graph then, when the devices come to `choice`. */
async function start(choice: KnownDevice, threads = 2): Promise<KnownDevice | undefined> {
  const devices = new KnownDevices(path.join(folder, 'tuner.json'), { wallTime: () => nowMs }, SILENT_LOGGER);
  let told: KnownDevice | undefined;
  const found = await devices.remembering(graph, threads, (known) => {
    told = known;
    return Promise.resolve(known ?? choice);
  });
  expect(found).toEqual(told ?? choice);
  return told;
}

describe('the device that auto came to', () => {
  it('is known to the next start, with the reason why it is not another', async () => {
    expect(await start(CPU)).toBeUndefined();
    expect(await start(WEBGPU)).toEqual(CPU);
  });

  it('is compared with the others again after two weeks, and when the clock was set back', async () => {
    await start(WEBGPU);
    nowMs += 13 * DAY_MS;
    expect(await start(CPU)).toEqual(WEBGPU);
    nowMs += 2 * DAY_MS;
    expect(await start(CPU)).toBeUndefined();
    nowMs -= DAY_MS;
    expect(await start(WEBGPU)).toBeUndefined();
  });

  it('is not known of another graph in the same place, nor of other threads', async () => {
    await start(WEBGPU);
    expect(await start(CPU, 4)).toBeUndefined();
    await writeFile(graph, 'another graph');
    expect(await start(CPU)).toBeUndefined();
  });

  it('is another one from then on, when it does not work any more', async () => {
    await start(WEBGPU);
    const devices = new KnownDevices(path.join(folder, 'tuner.json'), { wallTime: () => nowMs }, SILENT_LOGGER);
    await devices.remembering(graph, 2, () => Promise.resolve(CPU));
    expect(await start(WEBGPU)).toEqual(CPU);
  });

  it.each(['', '{}', '{"provider":"abacus","fallbackReason":null,"atMs":1}', '7'])(
    'is not known by a damaged file: %j',
    async (saved) => {
      await start(WEBGPU);
      const file = path.join(folder, 'devices.json');
      await writeFile(
        file,
        saved === '' ? '' : JSON.stringify({ [await savedKey(file)]: JSON.parse(saved) as unknown }),
      );
      expect(await start(CPU)).toBeUndefined();
    },
  );
});

async function savedKey(file: string): Promise<string> {
  return Object.keys(JSON.parse(await readFile(file, 'utf8')) as object)[0] ?? '';
}
