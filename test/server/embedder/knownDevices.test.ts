import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { type DeviceQuestion, type KnownDevice, KnownDevices } from '../../../src/embedder/knownDevices.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const WEBGPU: KnownDevice = { provider: 'webgpu', fallbackReason: null, isSure: true };
const CPU: KnownDevice = { provider: 'cpu', fallbackReason: 'The device webgpu computes nonsense.', isSure: false };

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

/** A new start, when the devices come to `choice`: what was known then. */
async function start(choice: KnownDevice, asked = question): Promise<KnownDevice | undefined> {
  let told: KnownDevice | undefined;
  const found = await devices().remembering(asked, (known) => {
    told = known;
    return Promise.resolve(choice);
  });
  expect(found).toEqual(choice);
  return told;
}

describe('the device that auto came to', () => {
  it('is known to the next start, with the reason why it is not another', async () => {
    expect(await start(CPU)).toBeUndefined();
    expect(await start(CPU)).toEqual(CPU);
  });

  it('is compared with the others again after three days, and when the clock was set back', async () => {
    await start(WEBGPU);
    nowMs += 2 * DAY_MS;
    // Known again is not found out again.
    expect(await start(WEBGPU)).toEqual(WEBGPU);
    nowMs += 2 * DAY_MS;
    expect(await start(WEBGPU)).toBeUndefined();
    nowMs -= DAY_MS;
    expect(await start(WEBGPU)).toBeUndefined();
  });

  it('is after an hour where another failed that may work again', async () => {
    await start(CPU);
    nowMs += 0.9 * HOUR_MS;
    expect(await start(CPU)).toEqual(CPU);
    nowMs += 0.2 * HOUR_MS;
    expect(await start(WEBGPU)).toBeUndefined();
  });

  it('is another one from then on, when it does not work any more', async () => {
    await start(WEBGPU);
    expect(await start(CPU)).toEqual(WEBGPU);
    expect(await start(CPU)).toEqual(CPU);
  });

  it('is not known of another graph in the same place, nor of other threads, devices or versions', async () => {
    await start(WEBGPU);
    for (const other of [{ threads: 4 }, { providers: ['cpu'] as const }, { runtimeVersion: '1.2.4' }])
      expect(await start(CPU, { ...question, ...other })).toBeUndefined();
    await writeFile(question.graphFile, 'another graph');
    expect(await start(CPU)).toBeUndefined();
  });

  it.each([[undefined], [WEBGPU]])('is the processor for an hour when the embedder left it: %o', async (known) => {
    if (known !== undefined) await start(known);
    const left: KnownDevice = { provider: 'cpu', fallbackReason: 'The embedder ended by SIGSEGV.', isSure: false };
    await devices().leave(question, 'The embedder ended by SIGSEGV.');
    expect(await start(left)).toEqual(left);
    nowMs += 2 * HOUR_MS;
    expect(await start(WEBGPU)).toBeUndefined();
  });

  it('is kept only when there is work, where there is no folder yet', async () => {
    const nowhere = path.join(folder, 'none');
    const inNowhere = () =>
      new KnownDevices(path.join(nowhere, 'tuner.json'), { wallTime: () => nowMs }, SILENT_LOGGER);
    const first = inNowhere();
    await first.remembering(question, () => Promise.resolve(WEBGPU));
    expect(existsSync(nowhere)).toBe(false);
    await first.keep();
    let told: KnownDevice | undefined;
    await inNowhere().remembering(question, (known) => Promise.resolve((told = known) ?? CPU));
    expect(told).toEqual(WEBGPU);
  });

  it('stays the processor where that was left for no other', async () => {
    const sure: KnownDevice = { provider: 'cpu', fallbackReason: null, isSure: true };
    await start(sure);
    await devices().leave(question, 'The embedder ended by SIGKILL.');
    expect(await start(sure)).toEqual(sure);
  });

  it.each([
    '',
    '{}',
    '{"provider":"abacus","fallbackReason":null,"isSure":true,"atMs":1795996800000}',
    '{"provider":"webgpu","fallbackReason":null,"atMs":1795996800000}',
    '7',
  ])('is not known by a damaged file: %j', async (saved) => {
    await start(WEBGPU);
    const file = path.join(folder, 'devices.json');
    await writeFile(file, saved === '' ? '' : JSON.stringify({ [await savedKey(file)]: JSON.parse(saved) as unknown }));
    expect(await start(CPU)).toBeUndefined();
  });
});

async function savedKey(file: string): Promise<string> {
  return Object.keys(JSON.parse(await readFile(file, 'utf8')) as object)[0] ?? '';
}
