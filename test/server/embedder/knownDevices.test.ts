import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import {
  type DeviceLog,
  type DeviceQuestion,
  type KnownDevice,
  KnownDevices,
} from '../../../src/embedder/knownDevices.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const WEBGPU: KnownDevice = { provider: 'webgpu', fallbackReason: null };
const CPU: KnownDevice = { provider: 'cpu', fallbackReason: 'The device webgpu ended the embedder.' };

let folder = '';
let question: DeviceQuestion;
let nowMs = 0;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tessera-devices-'));
  const graphFile = path.join(folder, 'model.onnx');
  question = { graphFile, threads: 2, providers: ['cpu', 'webgpu'], runtimeVersion: '1.2.3' };
  await writeFile(graphFile, 'a graph');
  nowMs = Date.UTC(2026, 10, 30);
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const devices = () => new KnownDevices(path.join(folder, 'tuner.json'), { wallTime: () => nowMs }, SILENT_LOGGER);

/** A new start, when the devices come to `choice`: what it was told. */
async function start(choice: KnownDevice, { isSure = true, asked = question } = {}): Promise<DeviceLog> {
  let told: DeviceLog | undefined;
  const found = await devices().remembering(asked, (log) => {
    told = log;
    return Promise.resolve({ ...choice, isSure });
  });
  expect(found).toEqual({ ...choice, isSure });
  return told!;
}

describe('the device that auto came to', () => {
  it('is known to the next start, with the reason why it is not another', async () => {
    expect((await start(CPU)).known).toBeUndefined();
    expect((await start(CPU)).known).toEqual(CPU);
  });

  it('is compared with the others again after three days, and when the clock was set back', async () => {
    await start(WEBGPU);
    nowMs += 2 * DAY_MS;
    expect((await start(WEBGPU)).known).toEqual(WEBGPU);
    nowMs += 2 * DAY_MS;
    expect((await start(WEBGPU)).known).toBeUndefined();
    nowMs -= DAY_MS;
    expect((await start(WEBGPU)).known).toBeUndefined();
  });

  it('is not known of another graph in the same place, nor of other threads, devices or versions', async () => {
    await start(WEBGPU);
    for (const other of [{ threads: 4 }, { providers: ['cpu'] as const }, { runtimeVersion: '1.2.4' }])
      expect((await start(CPU, { asked: { ...question, ...other } })).known).toBeUndefined();
    await writeFile(question.graphFile, 'another graph');
    expect((await start(CPU)).known).toBeUndefined();
  });

  it('stays known where it fails once, and is not known where it is not sure', async () => {
    await start(WEBGPU, { isSure: false });
    expect((await start(WEBGPU)).known).toBeUndefined();
    expect((await start(CPU)).known).toEqual(WEBGPU);
    expect((await start(WEBGPU)).known).toEqual(WEBGPU);
  });

  it('can be forgotten', async () => {
    await start(WEBGPU);
    await devices().forget(question);
    expect((await start(CPU)).known).toBeUndefined();
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
      expect(await start(CPU)).toMatchObject({ known: undefined, suspects: [] });
    },
  );
});

describe('a device that the process ends over', () => {
  /** A start that ends while a device is tried. */
  const endAt = async (provider: 'webgpu' | 'cuda') => {
    const ended = new Error('the process is gone');
    const choosing = devices().remembering(question, async (log): Promise<KnownDevice & { isSure: boolean }> => {
      await log.begin(provider);
      throw ended;
    });
    await expect(choosing).rejects.toBe(ended);
  };

  it('is suspected when that happened twice', async () => {
    await endAt('webgpu');
    expect((await start(CPU, { isSure: false })).suspects).toEqual([]);
    await endAt('webgpu');
    await devices().forget(question);
    expect((await start(CPU)).suspects).toEqual(['webgpu']);
    expect(await start(CPU)).toMatchObject({ known: CPU, suspects: ['webgpu'] });
  });

  it('is not, when it came to an end at last, nor after three days', async () => {
    await endAt('webgpu');
    await devices().remembering(question, async (log) => {
      await log.begin('webgpu');
      await log.end('webgpu');
      return { ...CPU, isSure: false };
    });
    await endAt('webgpu');
    expect((await start(CPU, { isSure: false })).suspects).toEqual([]);
    await endAt('webgpu');
    nowMs += 4 * DAY_MS;
    expect((await start(CPU)).suspects).toEqual([]);
  });
});

async function savedKey(file: string): Promise<string> {
  return Object.keys(JSON.parse(await readFile(file, 'utf8')) as object)[0] ?? '';
}
