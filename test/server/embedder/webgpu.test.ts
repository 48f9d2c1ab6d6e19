import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { EmbeddingModel } from '../../../src/embedder/embeddingModel.ts';
import { KnownDevices } from '../../../src/embedder/knownDevices.ts';
import { type ChildHandle, spawnChild } from '../../../src/process/childProcess.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { EmbedResult, EmbedderSettings } from '../../../src/protocol/embedder.ts';
import { createEmbedder } from '../../../src/server/embedder/createEmbedder.ts';
import type { Embedder } from '../../../src/server/embedder/embedder.ts';
import { embedderEntry } from '../../../src/server/embedder/spawnEmbedder.ts';
import { buildEncoder } from '../../../src/synthetic/encoderModel.ts';
import { ENCODER_SIZES, type EncoderFamily, type EncoderSize } from '../../../src/synthetic/encoderShapes.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';
import { randomText, writeModelFolder } from '../../fakes/modelFolder.ts';
import { HAS_SOFTWARE_GPU, unpackSoftwareGpu } from '../../fakes/softwareGpu.ts';

const random = new SeededRandom(5);
const TEXTS = [3, 9, 1, 30, 17, 9, 61, 12].map((words) => randomText(words, 100, (limit) => random.integer(limit)));

let gpu: Readonly<Record<string, string>> = {};
let removeGpu = (): Promise<void> => Promise.resolve();
let learned = '';
const owned: { dispose(): void | Promise<void> }[] = [];
beforeAll(async () => {
  if (HAS_SOFTWARE_GPU) ({ environment: gpu, remove: removeGpu } = await unpackSoftwareGpu());
  learned = await mkdtemp(path.join(tmpdir(), 'tessera-webgpu-'));
});
afterEach(async () => {
  for (const one of owned.splice(0)) await one.dispose();
});
afterAll(async () => {
  await removeGpu();
  await rm(learned, { recursive: true, force: true, maxRetries: 5 });
});

async function encoderFolder(
  family: EncoderFamily,
  config: object = {},
  size: Partial<EncoderSize> = {},
): Promise<string> {
  const { model } = buildEncoder({
    ...ENCODER_SIZES.tiny,
    ...size,
    family,
    seed: 7,
    weights: 'float32',
    outputs: 'tokens',
    normalized: false,
    outputType: 'float32',
    projection: 0,
  });
  const json = { 'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: 64, ...config } };
  const { folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': model }, json });
  owned.push({ dispose: remove });
  return folder;
}

interface Started {
  readonly embedder: Embedder;
  readonly processes: ChildHandle[];
  /** Lines its processes wrote. */
  readonly output: string[];
}

function start(folder: string, settings: Partial<EmbedderSettings>, environment = gpu): Started {
  const processes: ChildHandle[] = [];
  const output: string[] = [];
  const embedder = createEmbedder({
    settings: {
      models: { code: folder, docs: folder },
      device: 'cpu',
      threads: 1,
      sessions: 0,
      batchSize: 0,
      memoryCeilingMb: 0,
      latencyCeilingMs: 100,
      tunerStateFile: null,
      ...settings,
    },
    spawn: () => {
      const child = spawnChild({ modulePath: embedderEntry(), env: environment });
      processes.push(child);
      child.onOutput((line) => output.push(line));
      return child;
    },
    clock: SYSTEM_CLOCK,
    logger: SILENT_LOGGER,
  });
  // Before the folders, which its processes read.
  owned.unshift(embedder);
  return { embedder, processes, output };
}

const embed = ({ embedder }: Started, texts: readonly string[] = TEXTS): Promise<EmbedResult> =>
  embedder.embed({ texts, role: 'document', scope: 'code', lane: 'bulk' });

function worstCosine(a: EmbedResult, b: EmbedResult): number {
  expect(a.vectors).toHaveLength(b.vectors.length);
  let worst = 1;
  for (let start = 0; start < a.vectors.length; start += a.dimension) {
    let dot = 0;
    for (let i = start; i < start + a.dimension; i++) dot += a.vectors[i]! * b.vectors[i]!;
    worst = Math.min(worst, dot);
  }
  return worst;
}

describe.runIf(HAS_SOFTWARE_GPU)('on WebGPU', () => {
  it.each<[EncoderFamily, object]>([
    ['bert', {}],
    ['jina-bert', {}],
    ['modernbert', {}],
    ['decoder', { model_type: 'qwen3' }],
  ])('the vectors of %s are those of the processor', async (family, config) => {
    const folder = await encoderFolder(family, config);
    const onGpu = start(folder, { device: 'webgpu' });
    expect((await onGpu.embedder.open()).code).toMatchObject({ device: 'webgpu', fallbackReason: null });
    expect(worstCosine(await embed(onGpu), await embed(start(folder, {})))).toBeGreaterThan(0.9999);
    expect((await onGpu.embedder.metrics())?.scopes.code).toMatchObject({ device: 'webgpu', texts: TEXTS.length });
  });

  it('work is done beside the processor, and goes on when the process on either is killed', async () => {
    const folder = await encoderFolder('bert');
    const texts = Array.from({ length: 300 }, () => randomText(1 + random.integer(60), 100, (n) => random.integer(n)));
    const both = start(folder, { device: 'webgpu', devices: ['webgpu', 'cpu'] });
    await both.embedder.open();
    expect(both.processes).toHaveLength(2);
    const pending = embed(both, texts);
    for (const { pid } of [...both.processes]) process.kill(pid!, 'SIGKILL');
    const [found, expected] = await Promise.all([pending, embed(start(folder, {}), texts)]);
    expect(found.failures).toEqual([]);
    expect(worstCosine(found, expected)).toBeGreaterThan(0.9999);
    expect(both.embedder.restarts).toBe(2);
    const { devices = [] } = (await both.embedder.metrics())!;
    expect(devices.map(({ device }) => device)).toEqual(['webgpu', 'cpu']);
    const done = devices.map(({ scopes }) => scopes.code.texts);
    expect(Math.min(...done)).toBeGreaterThan(0);
  });

  it('a device that is slower than the processor is found out once', async () => {
    // Slow enough not to be taken for a look-up, for which no device is tried.
    const folder = await encoderFolder('bert', {}, { layers: 3, hidden: 192, intermediate: 768 });
    const auto = { device: 'auto', tunerStateFile: path.join(learned, 'tuner.json') } as const;
    const telling = { ...gpu, VK_LOADER_DEBUG: 'all' };
    const [first, second] = [start(folder, auto, telling), start(folder, auto, telling)];
    expect((await first.embedder.open()).code).toMatchObject({ device: 'cpu', fallbackReason: null });
    expect(first.output.join('')).toContain('swiftshader');
    const saved = await readFile(path.join(learned, 'devices.json'), 'utf8');
    expect(Object.values(JSON.parse(saved) as object)).toMatchObject([{ provider: 'cpu', fallbackReason: null }]);
    expect(worstCosine(await embed(second), await embed(first))).toBeGreaterThan(0.9999);
    expect(second.output).toEqual([]);
  });

  it('a device that the embedder left is not tried for the hour after', async () => {
    const folder = await encoderFolder('bert');
    const file = path.join(learned, 'left', 'tuner.json');
    const knownDevices = new KnownDevices(file, SYSTEM_CLOCK, SILENT_LOGGER);
    const model = await EmbeddingModel.open(folder, {
      device: 'auto',
      threads: 1,
      processorOnly: 'The embedder ended by SIGSEGV while it opened the device auto.',
      knownDevices,
    });
    await model.release();
    await knownDevices.keep();
    const next = start(folder, { device: 'auto', tunerStateFile: file }, { ...gpu, VK_LOADER_DEBUG: 'all' });
    expect((await next.embedder.open()).code).toMatchObject({
      device: 'cpu',
      fallbackReason: expect.stringContaining('SIGSEGV') as string,
    });
    expect(next.output).toEqual([]);
  });

  it('without a driver the processor does the work, and the reason is a sentence', async () => {
    const folder = await encoderFolder('bert');
    const nowhere = { VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' };
    const fallen = start(folder, { device: 'webgpu' }, { ...gpu, ...nowhere });
    const { code } = await fallen.embedder.open();
    expect(code.device).toBe('cpu');
    expect(code.fallbackReason).toBe(
      'The device webgpu cannot be used (Failed to get a WebGPU adapter: No supported adapters).',
    );
  });
});
