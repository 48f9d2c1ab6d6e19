import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import { DisposableStore } from '../../../src/base/disposable.ts';
import { TesseraError } from '../../../src/base/errors.ts';
import { type LogRecord, Logger, SILENT_LOGGER } from '../../../src/base/logger.ts';
import { resolveMemoryCeilingMb } from '../../../src/process/memory.ts';
import { type ChildHandle, spawnChild } from '../../../src/process/childProcess.ts';
import { RestartPolicy } from '../../../src/process/restartPolicy.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { EmbedResult, EmbedderSettings, OpenParams } from '../../../src/protocol/embedder.ts';
import type { Scope } from '../../../src/protocol/scope.ts';
import { EmbedderClient, type EmbedderClientOptions } from '../../../src/server/embedder/embedderClient.ts';
import { createEmbedder } from '../../../src/server/embedder/createEmbedder.ts';
import { spawnEmbedder } from '../../../src/server/embedder/spawnEmbedder.ts';
import { buildEncoder } from '../../../src/synthetic/encoderModel.ts';
import { ENCODER_SIZES, type EncoderOptions } from '../../../src/synthetic/encoderShapes.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';
import { buildBagModel } from '../../../src/synthetic/smallModels.ts';
import { type FakeEmbedderOptions, fakeEmbedderProcess } from '../../fakes/embedderProcess.ts';
import { FAKE_MODEL } from '../../fakes/hashEmbedder.ts';
import { ManualClock } from '../../fakes/manualClock.ts';
import { randomText, writeModelFolder } from '../../fakes/modelFolder.ts';

const faultyEntry = fileURLToPath(new URL('../../fakes/faultyEmbedder.ts', import.meta.url));

const TINY_ENCODER: EncoderOptions = {
  ...ENCODER_SIZES.tiny,
  family: 'bert',
  seed: 21,
  weights: 'float32',
  outputs: 'tokens',
  normalized: false,
  outputType: 'float32',
  projection: 0,
};

let folder = '';
let removeFolder: () => Promise<void>;
beforeAll(async () => {
  const { model } = buildEncoder(TINY_ENCODER);
  ({ folder, remove: removeFolder } = await writeModelFolder({ graphs: { 'onnx/model.onnx': model } }));
});
afterAll(() => removeFolder());

let owned = new DisposableStore();
afterEach(() => {
  owned.dispose();
  owned = new DisposableStore();
});

interface ClientOptions {
  readonly settings?: Partial<EmbedderSettings>;
  /** Environment of an embedder with faults; without, the real one is started. */
  readonly faults?: Readonly<Record<string, string>>;
  readonly restartPolicy?: RestartPolicy;
}

function clientOptions({ settings, faults, restartPolicy }: ClientOptions = {}): EmbedderClientOptions {
  return {
    settings: {
      models: { code: folder, docs: folder },
      device: 'cpu',
      threads: 1,
      sessions: 0,
      batchSize: 0,
      memoryCeilingMb: 0,
      latencyCeilingMs: 200,
      tunerStateFile: null,
      ...settings,
    },
    spawn: () => (faults === undefined ? spawnEmbedder() : spawnChild({ modulePath: faultyEntry, env: faults })),
    clock: SYSTEM_CLOCK,
    logger: SILENT_LOGGER,
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  };
}

function startClient(options: ClientOptions = {}): EmbedderClient {
  return owned.add(new EmbedderClient(clientOptions(options)));
}

function someTexts(count: number, seed = 1): string[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => randomText(1 + random.integer(40), 100, (limit) => random.integer(limit)));
}

const bulk = (texts: readonly string[]) => ({ texts, role: 'document', scope: 'code', lane: 'bulk' }) as const;

function rows({ vectors, dimension }: EmbedResult): Float32Array[] {
  return Array.from({ length: vectors.length / dimension }, (_, row) =>
    vectors.subarray(row * dimension, (row + 1) * dimension),
  );
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** What an undisturbed embedder gives. */
async function undisturbed(texts: readonly string[]): Promise<EmbedResult> {
  return startClient().embed(bulk(texts));
}

describe('the embedder', () => {
  it('gives a unit vector for each text, in the order of the texts, over any number of calls at a time', async () => {
    const client = startClient();
    const calls = [700, 3, 0, 1, 40].map((count, seed) => someTexts(count, seed));
    const results = await Promise.all(calls.map((texts) => client.embed(bulk(texts))));
    const sentence = await client.embed({ texts: [calls[0]![5]!], role: 'document', scope: 'docs', lane: 'query' });
    results.forEach((result, call) => {
      expect(rows(result)).toHaveLength(calls[call]!.length);
      expect(result.tokenCounts).toEqual(Uint32Array.from(calls[call]!, (text) => text.split(' ').length + 2));
      for (const row of rows(result)) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
      expect(result.failures).toEqual([]);
    });
    expect(dot(rows(results[0]!)[5]!, sentence.vectors)).toBeGreaterThan(0.9999);
  });

  it('pads nothing for a model that takes texts one after another', async () => {
    const { model } = buildBagModel({ vocabulary: 100, hidden: 8, seed: 3 });
    const bag = await writeModelFolder({ graphs: { 'onnx/model.onnx': model } });
    try {
      const texts = someTexts(300, 4);
      const client = startClient({ settings: { models: { code: bag.folder, docs: bag.folder } } });
      const together = rows(await client.embed(bulk(texts)));
      const alone = await client.embed({ texts: [texts[7]!], role: 'document', scope: 'code', lane: 'query' });
      expect(dot(together[7]!, alone.vectors)).toBeGreaterThan(0.9999);
      const { realTokens, paddedTokens } = (await client.metrics())!.scopes.code;
      expect(paddedTokens).toBe(realTokens);
    } finally {
      await bag.remove();
    }
  });

  it('embeds each scope with a model of its own', async () => {
    const { model } = buildBagModel({ vocabulary: 100, hidden: 8, seed: 3 });
    const bag = await writeModelFolder({ graphs: { 'onnx/model.onnx': model } });
    try {
      const client = startClient({ settings: { models: { code: folder, docs: bag.folder } } });
      const models = await client.open();
      expect([models.code.dimension, models.docs.dimension]).toEqual([16, 8]);
      expect(models.code.id).not.toBe(models.docs.id);
      const texts = someTexts(50, 4);
      const [code, docs] = await Promise.all([
        client.embed(bulk(texts)),
        client.embed({ ...bulk(texts), scope: 'docs' }),
      ]);
      expect(dot(rows(code)[9]!, rows(await undisturbed(texts))[9]!)).toBeGreaterThan(0.9999);
      expect([code.dimension, docs.dimension]).toEqual([16, 8]);
      const { scopes } = (await client.metrics())!;
      expect([scopes.code.texts, scopes.docs.texts]).toEqual([50, 50]);
      expect(scopes.docs.paddedTokens).toBe(scopes.docs.realTokens);
    } finally {
      await bag.remove();
    }
  });

  it('keeps to a number of texts a run that a person has set, and tells it in the debug log', async () => {
    const records: LogRecord[] = [];
    const logger = new Logger({ level: 'debug', write: (record) => records.push(record) }, 'test');
    const client = owned.add(new EmbedderClient({ ...clientOptions({ settings: { batchSize: 3 } }), logger }));
    await client.embed(bulk(someTexts(30)));
    const { code } = (await client.metrics())!.scopes;
    expect([code.texts, code.runs]).toEqual([30, 10]);
    const begun = records.filter(({ message }) => message === 'batch budget to begin with');
    const budgetTokens: unknown = expect.any(Number);
    expect(begun.map(({ fields }) => fields)).toMatchObject([
      { scope: 'code', budgetTokens, converged: false, runs: 0, textsPerRun: 3 },
      { scope: 'docs', budgetTokens, converged: false, runs: 0, textsPerRun: 3 },
    ]);
  });

  it('counts tokens without special ones', async () => {
    const client = startClient();
    expect(await client.countTokens(['w5 w6 w7', '', 'w9'], 'code')).toEqual(Uint32Array.of(3, 0, 1));
  });

  it('tells what its models are before anything is embedded', async () => {
    const { code, docs } = await startClient().open();
    expect(code).toMatchObject({ dimension: 16, maxTokens: 64, device: 'cpu', fallbackReason: null });
    expect(docs).toEqual(code);
  });

  it('names the folder of a model that is missing, and tries again when asked to', async () => {
    const client = startClient({ settings: { models: { code: '/nowhere/model', docs: folder } } });
    const expected = { code: 'model-missing', details: { folder: '/nowhere/model' } };
    await expect(client.open()).rejects.toMatchObject(expected);
    await expect(client.embed(bulk(['w5']))).rejects.toMatchObject(expected);
    client.forgive();
    await expect(client.open()).rejects.toMatchObject(expected);
  });

  it('answers a query before the bulk work that came earlier', async () => {
    const client = startClient();
    await client.open();
    const order: string[] = [];
    const work = client.embed(bulk(someTexts(3000))).then(() => order.push('bulk'));
    const query = client
      .embed({ texts: ['w7'], role: 'query', scope: 'code', lane: 'query' })
      .then(() => order.push('query'));
    await Promise.all([work, query]);
    expect(order).toEqual(['query', 'bulk']);
  });

  it('stops at once when cancelled, and goes on with other work', async () => {
    const client = startClient();
    await client.open();
    const cancellation = new AbortController();
    const work = client.embed(bulk(someTexts(3000)), cancellation.signal);
    cancellation.abort();
    await expect(work).rejects.toMatchObject({ code: 'cancelled' });
    expect(rows(await client.embed(bulk(['w5'])))).toHaveLength(1);
  });

  it('settles what is pending when it is disposed', async () => {
    const client = startClient();
    const work = client.embed(bulk(someTexts(10)));
    const later = client.open().then(() => client.embed(bulk(someTexts(2000))));
    later.catch(() => undefined);
    await work;
    client.dispose();
    await expect(later).rejects.toMatchObject({ code: 'disposed' });
    await expect(client.embed(bulk(['w5']))).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('vectors of tokens', () => {
  it('are refused by a model of one vector a text', async () => {
    const asked = startClient().embedTokens({ texts: ['w5'], role: 'query', scope: 'code' });
    await expect(asked).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('come for each text as if it were alone, in its order, also in the middle of bulk work', async () => {
    const { model } = buildEncoder({ ...TINY_ENCODER, projection: 4 });
    const json = { 'config.json': { model_type: 'bert', architectures: ['HF_ColBERT'], max_position_embeddings: 64 } };
    const multiVector = await writeModelFolder({ graphs: { 'onnx/model.onnx': model }, json });
    owned.add({ dispose: () => void multiVector.remove() });
    const models = { code: multiVector.folder, docs: multiVector.folder };
    const client = startClient({ settings: { models } });
    const ask = (texts: readonly string[]) => client.embedTokens({ texts, role: 'document', scope: 'code' });
    const texts = ['w5 w6 w7', 'w8', ...someTexts(40, 4), ''];
    const work = client.embed(bulk(someTexts(2000, 5)));
    const { vectors, dimension, tokenCounts } = await ask(texts);
    expect(dimension).toBe(4);
    expect(tokenCounts.slice(0, 2)).toEqual(Uint32Array.of(5, 3));
    expect(vectors).toHaveLength(tokenCounts.reduce((sum, count) => sum + count, 0) * 4);
    let start = 0;
    for (const [index, text] of texts.entries()) {
      const end = start + tokenCounts[index]! * 4;
      const alone = await ask([text]);
      expect(dot(alone.vectors, vectors.subarray(start, end)) / tokenCounts[index]!).toBeCloseTo(1, 3);
      start = end;
    }
    expect((await work).failures).toEqual([]);
  });
});

describe('an embedder that answers without a vector', () => {
  it('has failed at that text, and nobody waits for it', async () => {
    const spawn = () => fakeEmbedderProcess({ losesLast: true });
    const client = owned.add(new EmbedderClient({ ...clientOptions(), spawn }));
    const { vectors, failures } = await client.embed(bulk(['ab', 'abc']));
    expect([...vectors]).toEqual([2, 0]);
    expect(failures.map(({ index }) => index)).toEqual([1]);
  });
});

describe('a text the model fails at', () => {
  it.each([
    ['among others', ['w5', 'w150', 'w6'], [1]],
    ['and nothing else', ['w150'], [0]],
    ['next to others like it', ['w150', 'w151', 'w152', 'w153', 'w5'], [0, 1, 2, 3]],
  ])('is given up alone, with the reason: %s', async (_, texts, failed) => {
    const { model } = buildEncoder(TINY_ENCODER);
    // The tokenizer knows more words than the model has vectors for.
    const broken = await writeModelFolder({ graphs: { 'onnx/model.onnx': model }, vocabulary: 200 });
    owned.add({ dispose: () => void broken.remove() });
    const client = startClient({ settings: { models: { code: broken.folder, docs: broken.folder } } });
    const { failures } = await client.embed(bulk(texts));
    expect(failures.map(({ index }) => index)).toEqual(failed);
    expect(failures[0]?.reason).toContain('out of data bounds');
    expect((await client.embed(bulk(['w7']))).failures).toEqual([]);
    expect(client.restarts).toBe(0);
  });
});

it('an embedder that is killed while it has nothing to do tells nothing about the memory of its last run', async () => {
  const opened: OpenParams[] = [];
  const processes: ReturnType<typeof fakeEmbedderProcess>[] = [];
  const spawn = () => {
    const child = fakeEmbedderProcess({ onOpen: (params) => opened.push(params) });
    processes.push(child);
    return child;
  };
  const restartPolicy = new RestartPolicy({ maxDeaths: 3, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
  const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), spawn }));
  await client.embed(bulk(['ab']));
  processes[0]?.kill();
  await client.embed(bulk(['abc']));
  expect(opened.map(({ lostRuns }) => lostRuns)).toEqual([[], []]);
});

it('a text that has not enough memory even alone is given up after some processes ended over it, and the embedder goes on', async () => {
  const restartPolicy = new RestartPolicy({ maxDeaths: 5, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
  const spawn = () => fakeEmbedderProcess({ surrendersAt: ({ texts }) => texts.includes('too long') });
  const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), spawn }));
  const { failures } = await client.embed(bulk(['too long']));
  expect(failures).toMatchObject([{ index: 0 }]);
  expect(client.restarts).toBe(3);
  expect([...(await client.embed(bulk(['ab']))).vectors]).toEqual([2]);
});

describe('an embedder that hangs in a run', () => {
  const restartPolicy = new RestartPolicy({ maxDeaths: 9, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });

  /** Lets time pass, with turns for messages in between, until a call has settled; how much that was. */
  async function pass(clock: ManualClock, call: Promise<unknown>): Promise<number> {
    const startMs = clock.now();
    const state = { isSettled: false };
    call.finally(() => (state.isSettled = true)).catch(() => undefined);
    while (!state.isSettled) {
      clock.advance(10_000);
      for (let turns = 0; turns < 10; turns++) await setImmediate();
    }
    return clock.now() - startMs;
  }

  it('is ended after five minutes, and what it had not answered goes to the next one', async () => {
    const clock = new ManualClock();
    let hangs = 1;
    const lost: number[] = [];
    const spawn = () =>
      fakeEmbedderProcess({ hangsAt: () => hangs-- > 0, onOpen: ({ lostRuns }) => lost.push(lostRuns.length) });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn }));
    const answer = client.embed(bulk(['ab', 'abc']));
    expect(await pass(clock, answer)).toBeGreaterThanOrEqual(300_000);
    expect([...(await answer).vectors]).toEqual([2, 3]);
    expect(client.restarts).toBe(1);
    // A hang says nothing about memory.
    expect(lost).toEqual([0, 0]);
    expect(await pass(clock, client.embed(bulk(['abcd'])))).toBeLessThan(300_000);
  });

  it('is ended also when nobody was told that the run began, and not because of who leaves', async () => {
    const clock = new ManualClock();
    let hangs = 1;
    const spawn = () => fakeEmbedderProcess({ hangsAt: () => hangs-- > 0, saysNothing: true });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn }));
    const answer = client.embed(bulk(['ab', 'abc']));
    expect(await pass(clock, answer)).toBeGreaterThanOrEqual(300_000);
    expect([...(await answer).vectors]).toEqual([2, 3]);
    hangs = 1;
    const leaving = new AbortController();
    const left = client.embed(bulk(['ab']), leaving.signal);
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    for (let minutes = 0; minutes < 60; minutes++) clock.advance(60_000);
    expect(client.restarts).toBe(1);
  });

  it('is not what one is that has nothing to do, or that has large runs to do', async () => {
    const clock = new ManualClock();
    const spawn = () => fakeEmbedderProcess({ hangsAt: ({ texts }) => texts.includes('x'.repeat(20_000)) });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn }));
    await pass(clock, client.embed(bulk(['ab'])));
    clock.advance(3_600_000);
    expect(client.restarts).toBe(0);
    const answer = client.embed(bulk(['x'.repeat(20_000)]));
    await pass(clock, answer);
    expect((await answer).failures).toHaveLength(1);
  });

  it.each([
    ['a size that was set', 64, 20_000, 3_000_000],
    ['a size that was measured', 0, 20_000, 600_000],
    ['a small size', 64, 2000, 300_000],
  ] as const)('is waited for by %s', async (_, batchSize, length, ms) => {
    const clock = new ManualClock();
    const spawn = () => fakeEmbedderProcess({ hangsAt: () => true });
    const options = clientOptions({ restartPolicy });
    const settings = { ...options.settings, batchSize };
    const client = owned.add(new EmbedderClient({ ...options, settings, clock, spawn }));
    const ended = new Promise<void>((resolve) => {
      client.onState(() => {
        if (client.restarts > 0) resolve();
      });
    });
    client.embed(bulk(['x'.repeat(length)])).catch(() => undefined);
    const passedMs = await pass(clock, ended);
    expect(passedMs).toBeGreaterThanOrEqual(ms);
    expect(passedMs).toBeLessThan(ms + 60_000);
  });

  it('while it loads is ended, also where the one before it died in a pause of its loading', async () => {
    const clock = new ManualClock();
    const children: ChildHandle[] = [];
    const loading = [
      () => Promise.reject(new TesseraError('out-of-memory', 'Memory is short.')),
      () => new Promise<void>(() => undefined),
      () => Promise.resolve(),
    ];
    const spawn = () => {
      const load = loading[children.length]!;
      const child = fakeEmbedderProcess({ loading: load });
      children.push(child);
      return child;
    };
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn }));
    const answer = client.embed(bulk(['ab']));
    clock.advance(0);
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    children[0]!.kill();
    const passedMs = await pass(clock, answer);
    expect([...(await answer).vectors]).toEqual([2]);
    expect(children).toHaveLength(3);
    expect(passedMs).toBeLessThan(360_000);
  });

  it('is not what loading is that waits for memory for long', async () => {
    const clock = new ManualClock();
    let tries = 0;
    const loading = async (): Promise<void> => {
      await new Promise<void>((resolve) => clock.after(60_000, resolve));
      if (++tries < 8) throw new TesseraError('out-of-memory', 'Memory is short.');
    };
    const client = owned.add(
      new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn: () => fakeEmbedderProcess({ loading }) }),
    );
    const answer = client.embed(bulk(['ab']));
    expect(await pass(clock, answer)).toBeGreaterThan(480_000);
    expect(client.restarts).toBe(0);
  });

  it.each([
    ['is shut down', (client: EmbedderClient) => client.dispose()],
    ['has died', (_: EmbedderClient, child: ChildHandle) => child.kill()],
  ] as const)('leaves no pause of its loading behind when it %s', async (_, end) => {
    const clock = new ManualClock();
    let child: ChildHandle | undefined;
    const loading = () => Promise.reject(new TesseraError('out-of-memory', 'Memory is short.'));
    const spawn = () => (child = fakeEmbedderProcess({ loading }));
    const oneDeath = new RestartPolicy({ maxDeaths: 0, windowMs: 1, baseDelayMs: 1, maxDelayMs: 1 });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy: oneDeath }), clock, spawn }));
    const answer = client.embed(bulk(['ab'])).catch((error: unknown) => error);
    clock.advance(0);
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    expect(clock.timers).toBe(1);
    end(client, child!);
    expect(await answer).toBeInstanceOf(TesseraError);
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    expect(clock.timers).toBe(0);
  });

  it('at one text every time gives that text up', async () => {
    const clock = new ManualClock();
    const spawn = () => fakeEmbedderProcess({ hangsAt: ({ texts }) => texts.includes('bad') });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn }));
    const answer = client.embed(bulk(['bad']));
    await pass(clock, answer);
    expect((await answer).failures).toMatchObject([{ index: 0, reason: expect.stringContaining('a hang') as string }]);
  });
});

describe('an embedder on a device that is lost in the middle of the work', () => {
  const restartPolicy = new RestartPolicy({ maxDeaths: 5, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
  const onProcessor = ({ processorOnly }: OpenParams) => processorOnly !== null;
  /** On a graphics processor that is lost for good at the second piece, and on the processor afterwards. */
  const lostDevice = (
    fault: FakeEmbedderOptions,
    opened: OpenParams[] = [],
    settings: Partial<EmbedderSettings> = {},
  ) => {
    const spawn = () =>
      fakeEmbedderProcess({
        onOpen: (params) => opened.push(params),
        model: (params) =>
          onProcessor(params) ? { fallbackReason: params.processorOnly } : { device: 'webgpu', fallbackReason: null },
        ...fault,
      });
    const options = clientOptions({ restartPolicy, settings: { device: 'webgpu', ...settings } });
    return owned.add(new EmbedderClient({ ...options, spawn }));
  };

  it('goes on with the processor and the same graph, fails no text and says why', async () => {
    const opened: OpenParams[] = [];
    const client = lostDevice(
      { breaksAt: ({ texts }, open) => (onProcessor(open) || texts.includes('ab') ? undefined : 'DXGI says removed') },
      opened,
    );
    expect((await client.embed(bulk(['ab']))).failures).toEqual([]);
    const { vectors, failures } = await client.embed(bulk(['abc', 'abcd']));
    expect([[...vectors], failures]).toEqual([[3, 4], []]);
    const { code } = await client.open();
    expect(code).toMatchObject({
      device: 'cpu',
      fallbackReason: expect.stringContaining('DXGI says removed') as string,
    });
    expect(code.fallbackReason).toContain('webgpu');
    expect(client.restarts).toBe(1);
    // What ran out of memory over there says nothing about the processor, and another graph would be another model.
    expect(opened[1]).toMatchObject({ lostRuns: [], settings: { graphFor: { code: 'webgpu', docs: 'webgpu' } } });
    expect(opened[0]?.settings.graphFor).toBeUndefined();
  });

  it('goes on with the same graph of each scope where only one of their models was on it', async () => {
    const client = lostDevice({
      breaksAt: (_, open) => (onProcessor(open) ? undefined : 'lost'),
      model: (params) => {
        const { code } = params.settings.graphFor ?? {};
        return onProcessor(params) ? { id: code === 'webgpu' ? FAKE_MODEL.id : 'other' } : { device: 'webgpu' };
      },
      docs: (params) => {
        const { docs = 'cpu' } = params.settings.graphFor ?? {};
        return { device: 'cpu', id: `docs for ${docs}` };
      },
    });
    expect([...(await client.embed(bulk(['ab']))).vectors]).toEqual([2]);
    expect((await client.open()).code.device).toBe('cpu');
  });

  it('goes on with the processor when the driver kills the process at every text, and fails none', async () => {
    const client = lostDevice({ diesOf: (_, open) => !onProcessor(open) });
    const results = await Promise.all(someTexts(20, 3).map((text) => client.embed(bulk([text]))));
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    const { code } = await client.open();
    expect(code.device).toBe('cpu');
    expect(code.fallbackReason).toContain('SIGKILL');
    expect(client.restarts).toBe(9);
  });

  it('makes smaller runs where the driver crashes at large ones, which it may do without memory', async () => {
    const told: number[][] = [];
    const client = lostDevice({
      diesOf: (_, { lostRuns }) => lostRuns.length === 0 && 'SIGSEGV',
      onOpen: ({ lostRuns }) => told.push(lostRuns.map(({ length, count }) => length * count)),
    });
    const result = await client.embed(bulk(['abcd', 'abcd', 'abcd']));
    expect(result.failures).toEqual([]);
    expect((await client.open()).code).toMatchObject({ device: 'webgpu', fallbackReason: null });
    expect(told).toEqual([[], [12]]);
  });

  it.each([[['a']], [['a', 'ab']], [['a', 'ab', 'abc']]])(
    'does so also when no more than %j wait, and sends each of them once',
    async (texts) => {
      const onCpu: string[] = [];
      const client = lostDevice({
        diesOf: (_, open) => !onProcessor(open),
        work: ({ texts }, open) => {
          if (onProcessor(open)) onCpu.push(...texts);
          return Promise.resolve();
        },
      });
      const results = await Promise.all(texts.map((text) => client.embed(bulk([text]))));
      expect(results.map(({ vectors }) => vectors[0])).toEqual(texts.map(({ length }) => length));
      expect(onCpu.filter((text) => texts.includes(text)).sort()).toEqual(texts);
      expect((await client.open()).code.device).toBe('cpu');
      expect(client.restarts).toBe(9);
    },
  );

  it('embeds what was held back also when the device is lost in another way than by three texts', async () => {
    // The process ends over one text, and tells of a lost device at the next.
    const client = lostDevice({
      diesOf: ({ texts }, open) => !onProcessor(open) && texts.includes('bad'),
      breaksAt: ({ texts }, open) => (onProcessor(open) || texts.includes('bad') ? undefined : 'lost'),
    });
    expect(await client.embed(bulk(['bad']))).toMatchObject({ vectors: Float32Array.of(3), failures: [] });
    expect((await client.open()).code.fallbackReason).toContain('lost');
    expect(client.restarts).toBe(4);
  });

  it('gives up a text at which the driver kills the process each time, when it does not at others', async () => {
    const gate = new Deferred<undefined>();
    const client = lostDevice({
      diesOf: ({ texts }, open) => !onProcessor(open) && texts.includes('bad'),
      work: ({ texts }) => (texts.includes('slow') ? gate.promise : Promise.resolve()),
    });
    const slow = client.embed(bulk(['slow']));
    const bad = client.embed(bulk(['bad']));
    const settled: string[] = [];
    void bad.then(() => settled.push('bad'));
    await vi.waitFor(() => expect(client.restarts).toBe(3));
    await vi.waitFor(() => expect(client.state.kind).toBe('running'));
    // The one that waits may still show that it was the device.
    expect(settled).toEqual([]);
    expect((await client.embed(bulk(['good']))).failures).toEqual([]);
    expect((await bad).failures).toMatchObject([{ index: 0, reason: expect.stringContaining('SIGKILL') as string }]);
    gate.resolve(undefined);
    expect((await slow).failures).toEqual([]);
    // Where nothing else waits, a plain text shows it.
    expect((await client.embed(bulk(['bad']))).failures).toHaveLength(1);
    expect((await client.open()).code.device).toBe('webgpu');
  });

  it('does not hold a text back for what the other scope has to do on the processor', async () => {
    const gate = new Deferred<undefined>();
    const client = lostDevice(
      {
        diesOf: ({ texts }, open) => !onProcessor(open) && texts.includes('bad'),
        docs: () => ({ device: 'cpu' }),
        work: ({ scope }) => (scope === 'docs' ? gate.promise : Promise.resolve()),
      },
      [],
      { models: { code: folder, docs: `${folder}-of-docs` } },
    );
    const docs = client.embed({ ...bulk(['slow']), scope: 'docs' });
    expect((await client.embed(bulk(['bad']))).failures).toHaveLength(1);
    gate.resolve(undefined);
    expect((await docs).failures).toEqual([]);
  });

  it('fails a text that is held back when no process can be started any more', async () => {
    const ended = { count: 0 };
    const client = lostDevice({
      diesOf: ({ texts }, open) => !onProcessor(open) && texts.includes('bad'),
      model: () => ({ device: 'webgpu', ...(ended.count > 2 ? { id: 'other' } : {}) }),
      onExit: () => (ended.count += 1),
    });
    await expect(client.embed(bulk(['bad']))).rejects.toMatchObject({ code: 'model-invalid' });
  });

  it('lets go of a text that is held back when nobody waits for it any more', async () => {
    const gate = new Deferred<undefined>();
    const client = lostDevice({
      diesOf: ({ texts }, open) => !onProcessor(open) && texts.includes('bad'),
      work: ({ texts }) => (texts.includes('slow') ? gate.promise : Promise.resolve()),
    });
    const slow = client.embed(bulk(['slow']));
    const cancellation = new AbortController();
    const bad = client.embed(bulk(['bad']), cancellation.signal);
    bad.catch(() => undefined);
    await vi.waitFor(() => expect(client.restarts).toBe(3));
    await vi.waitFor(() => expect(client.state.kind).toBe('running'));
    cancellation.abort();
    await expect(bad).rejects.toMatchObject({ code: 'cancelled' });
    gate.resolve(undefined);
    expect((await slow).failures).toEqual([]);
  });

  it('that fails at every text on the processor too is given up with the reason, until it is forgiven', async () => {
    const works = { now: false };
    const client = lostDevice({ breaksAt: () => (works.now ? undefined : 'no such file') });
    const failed = { code: 'embedder-failed', message: expect.stringContaining('no such file') as string };
    await expect(client.embed(bulk(['ab']))).rejects.toMatchObject(failed);
    await expect(client.embed(bulk(['ab']))).rejects.toMatchObject(failed);
    expect(client.restarts).toBe(1);
    works.now = true;
    client.forgive();
    expect([...(await client.embed(bulk(['ab']))).vectors]).toEqual([2]);
  });

  describe('by a model of docs that fails at every text on the processor too, where code has another model,', () => {
    const docs = (text: string) => ({ ...bulk([text]), scope: 'docs' }) as const;
    const failed = { code: 'embedder-failed', message: expect.stringContaining('no such file') as string };
    const start = (isBad: (scope: Scope) => boolean) =>
      lostDevice({ breaksAt: ({ scope }) => (isBad(scope) ? 'no such file' : undefined) }, [], {
        models: { code: folder, docs: `${folder}-of-docs` },
      });

    it('fails the docs alone, until it is forgiven', async () => {
      const works = { now: false };
      const client = start((scope) => scope === 'docs' && !works.now);
      const both = await Promise.allSettled([client.embed(docs('ab')), client.embed(bulk(['abc']))]);
      expect(both).toMatchObject([
        { status: 'rejected', reason: failed },
        { status: 'fulfilled', value: { failures: [] } },
      ]);
      await expect(client.embed(docs('ab'))).rejects.toMatchObject(failed);
      await expect(client.embedTokens({ texts: ['ab'], role: 'query', scope: 'docs' })).rejects.toMatchObject(failed);
      expect([...(await client.embed(bulk(['abcd']))).vectors]).toEqual([4]);
      expect(client.restarts).toBe(2);
      works.now = true;
      client.forgive();
      expect([...(await client.embed(docs('ab'))).vectors]).toEqual([2]);
    });

    it('gives all up when that of code does too', async () => {
      const client = start(() => true);
      await expect(client.embed(docs('ab'))).rejects.toMatchObject(failed);
      await expect(client.embed(bulk(['ab']))).rejects.toMatchObject(failed);
      expect(client.state.kind).toBe('failed');
    });
  });

  it('does not go on with another model', async () => {
    const client = lostDevice({
      breaksAt: (_, open) => (onProcessor(open) ? undefined : 'lost'),
      model: (params) => (onProcessor(params) ? { id: 'other' } : { device: 'webgpu' }),
    });
    await expect(client.embed(bulk(['ab']))).rejects.toMatchObject({ code: 'model-invalid' });
  });
});

describe('an embedder that dies at every text', () => {
  it('is given up after a few texts, and does not end a process or two for each', async () => {
    const restartPolicy = new RestartPolicy({ maxDeaths: 5, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
    const spawn = () => fakeEmbedderProcess({ diesOf: () => true });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), spawn }));
    const results = await Promise.allSettled(someTexts(50, 3).map((text) => client.embed(bulk([text]))));
    const rejected = results.filter(({ status }) => status === 'rejected');
    expect(rejected.length).toBeGreaterThan(40);
    for (const result of rejected) expect(result).toMatchObject({ reason: { code: 'process-exited' } });
    expect(client.restarts).toBeLessThan(15);
  });
});

describe('figures of an embedder', () => {
  const restartPolicy = new RestartPolicy({ maxDeaths: 5, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
  const deathAt = (word: string) => {
    const deaths = { left: 1 };
    return () =>
      fakeEmbedderProcess({
        residentMb: () => 100,
        diesOf: ({ texts }) => texts.includes(word) && deaths.left-- > 0,
      });
  };

  it('count what a process did that has died since', async () => {
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), spawn: deathAt('dies') }));
    await client.embed(bulk(['ab', 'abc']));
    expect((await client.metrics())?.scopes.code).toMatchObject({ runs: 1, texts: 2 });
    await client.embed(bulk(['dies']));
    await client.embed(bulk(['ab']));
    const metrics = await client.metrics();
    expect(metrics?.scopes.code).toMatchObject({ runs: 3, texts: 4 });
    // Amounts add up; what is held, and how much of the machine is used, is one process's.
    expect(metrics).toMatchObject({ threads: 1, sessions: 1, rssMb: 100, peakRssMb: 100 });
    expect(await client.metrics()).toEqual(metrics);
  });

  it('count that also when nobody asked for them in its time', async () => {
    const clock = new ManualClock();
    const spawn = deathAt('dies');
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), clock, spawn }));
    const embed = async (texts: readonly string[], stepMs: number) => {
      const state = { isDone: false };
      const call = client.embed(bulk(texts)).finally(() => (state.isDone = true));
      while (!state.isDone) {
        for (let turns = 0; turns < 10; turns++) await setImmediate();
        clock.advance(stepMs);
      }
      await call;
    };
    await embed(['ab', 'abc'], 1000);
    for (let second = 0; second < 10; second++) {
      clock.advance(1000);
      for (let turns = 0; turns < 10; turns++) await setImmediate();
    }
    await embed(['dies'], 1);
    expect((await client.metrics())?.scopes.code).toMatchObject({ runs: 2, texts: 3 });
  });
});

describe('an embedder of several sessions', () => {
  it('shares the work among as many processes and answers as one', async () => {
    const texts = someTexts(600, 3);
    const embedder = createEmbedder(clientOptions({ settings: { sessions: 2, threads: 2 } }));
    owned.add(embedder);
    const [expected, found] = await Promise.all([undisturbed(texts), embedder.embed(bulk(texts))]);
    rows(expected).forEach((row, index) => expect(dot(row, rows(found)[index]!)).toBeGreaterThan(0.9999));
    expect(found.tokenCounts).toEqual(expected.tokenCounts);
    const metrics = (await embedder.metrics())!;
    expect(metrics).toMatchObject({ sessions: 2, threads: 2 });
    expect(metrics.scopes.code.texts).toBe(600);
    expect(rows(await embedder.embed(bulk([])))).toEqual([]);
  });
});

describe('memory that several processes share', () => {
  it('is what one of them would have, set or automatic', () => {
    expect(resolveMemoryCeilingMb(1000, 1)).toBe(1000);
    expect(resolveMemoryCeilingMb(1000, 4)).toBe(250);
    const automatic = resolveMemoryCeilingMb(0, 1);
    expect(Math.abs(resolveMemoryCeilingMb(0, 4) - automatic / 4)).toBeLessThanOrEqual(1);
  });

  it('and threads are shared by as many as there are sessions', async () => {
    const opened: OpenParams[] = [];
    const spawn = () => fakeEmbedderProcess({ onOpen: (params) => opened.push(params) });
    const settings = { sessions: 3, threads: 6, memoryCeilingMb: 0 };
    const embedder = owned.add(createEmbedder({ ...clientOptions({ settings }), spawn }));
    await embedder.open();
    expect(opened.map(({ processes }) => processes)).toEqual([3, 3, 3]);
    expect(opened.map((params) => params.settings.memoryCeilingMb)).toEqual([0, 0, 0]);
  });
});

describe('an embedder that is killed', () => {
  it('again and again, at some run or other, loses nothing and mixes nothing up', async () => {
    const texts = someTexts(200, 8);
    const client = startClient({ faults: { FAULT_RUNS: '10' }, settings: { batchSize: 4 } });
    const [expected, found] = await Promise.all([undisturbed(texts), client.embed(bulk(texts))]);
    expect(client.restarts).toBeGreaterThan(0);
    expect(found.failures).toEqual([]);
    rows(expected).forEach((row, index) => expect(dot(row, rows(found)[index]!)).toBeGreaterThan(0.9999));
  });

  it('by runs above a size comes to rest below it', async () => {
    const texts = someTexts(300, 9);
    const client = startClient({ faults: { FAULT_TOKENS: '150' } });
    const [expected, found] = await Promise.all([undisturbed(texts), client.embed(bulk(texts))]);
    expect(found.failures).toEqual([]);
    rows(expected).forEach((row, index) => expect(dot(row, rows(found)[index]!)).toBeGreaterThan(0.9999));
    // From 512 tokens by halves to below 150, give or take a run that was smaller than its budget.
    expect(client.restarts).toBeGreaterThan(0);
    expect(client.restarts).toBeLessThan(8);
  });

  it('by chance starts again without a grudge against runs as large as one that has succeeded since', async () => {
    const told: number[][] = [];
    const deaths = { left: 0 };
    const spawn = () =>
      fakeEmbedderProcess({
        onOpen: ({ lostRuns }) => told.push(lostRuns.map(({ length, count }) => length * count)),
        diesOf: () => deaths.left-- > 0,
      });
    const restartPolicy = new RestartPolicy({ maxDeaths: 9, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
    const client = owned.add(new EmbedderClient({ ...clientOptions({ restartPolicy }), spawn }));
    for (const [texts, dies] of [
      [['12345678', '12345678'], true],
      [['1234567890'], true],
      [['12345678901234567890'], true],
      [['12345'], false],
      [['123'], true],
    ] as const) {
      deaths.left = dies ? 1 : 0;
      expect((await client.embed(bulk([...texts]))).failures).toEqual([]);
    }
    // 16 tokens went well after the first death, 10 after the second, 20 after the third.
    expect(told).toEqual([[], [16], [10], [20], [3]]);
  });

  it('by one text gives up that text alone, and says so', async () => {
    const texts = someTexts(60, 10);
    texts[17] = 'w5 poison w6';
    texts[41] = 'poison';
    const client = startClient({ faults: { FAULT_WORD: 'poison' } });
    const result = await client.embed(bulk(texts));
    expect(result.failures.map((failure) => failure.index)).toEqual([17, 41]);
    expect(result.failures[0]!.reason).toContain('SIGKILL');
    rows(result).forEach((row, index) => expect(Math.hypot(...row)).toBeCloseTo([17, 41].includes(index) ? 0 : 1, 5));
  });

  it('is not, when memory is short for a moment while it loads its models', async () => {
    const shortages = { left: 2 };
    const spawn = () =>
      fakeEmbedderProcess({
        onOpen: () => {
          if (shortages.left-- > 0) throw new TesseraError('out-of-memory', 'There was not enough memory to load it.');
        },
      });
    const client = owned.add(new EmbedderClient({ ...clientOptions(), spawn }));
    expect((await client.embed(bulk(['12345']))).vectors).toEqual(Float32Array.of(5));
    expect(client.restarts).toBe(0);
    expect(shortages.left).toBe(-1);
  });

  it('while it loads its models, every time, is given up', async () => {
    const restartPolicy = new RestartPolicy({ maxDeaths: 2, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 });
    const client = startClient({ faults: { FAULT_LOADING: '9' }, restartPolicy });
    await expect(client.embed(bulk(['w5']))).rejects.toMatchObject({ code: 'process-exited', details: { code: 9 } });
    expect(client.restarts).toBe(3);
  });

  it('while it opens an accelerator goes on without, and says why', async () => {
    const client = startClient({ faults: { FAULT_ACCELERATOR: 'SIGSEGV' }, settings: { device: 'webgpu' } });
    const { code } = await client.open();
    expect(code.device).toBe('cpu');
    expect(code.fallbackReason).toContain('SIGSEGV');
    expect(client.restarts).toBe(1);
  });

  it('while nothing is pending is started again by the next call', async () => {
    const client = startClient();
    await client.open();
    const died = new Promise((resolve) => client.onState((state) => state.kind === 'stopped' && resolve(undefined)));
    const { state } = client;
    if (state.kind === 'running') process.kill(state.pid!, 'SIGKILL');
    await died;
    expect(rows(await client.embed(bulk(['w5'])))).toHaveLength(1);
    expect(client.restarts).toBe(1);
  });
});
