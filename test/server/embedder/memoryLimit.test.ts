import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { EmbedResult, EmbedderSettings } from '../../../src/protocol/embedder.ts';
import { EmbedderClient } from '../../../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../../../src/server/embedder/spawnEmbedder.ts';
import { buildEncoder } from '../../../src/synthetic/encoderModel.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';
import { randomText, writeModelFolder } from '../../fakes/modelFolder.ts';

const VOCABULARY = 500;
const MAX_TOKENS = 512;

let folder = '';
let removeFolder: () => Promise<void>;
beforeAll(async () => {
  // Small, but with scores of 16 heads: a text of 512 tokens needs some 50 MB while it is computed.
  const { model } = buildEncoder({
    layers: 1,
    hidden: 64,
    heads: 16,
    intermediate: 128,
    vocabulary: VOCABULARY,
    maxPositions: MAX_TOKENS,
    family: 'bert',
    seed: 31,
    weights: 'float32',
    outputs: 'tokens',
    normalized: false,
    outputType: 'float32',
    projection: 0,
  });
  const json = { 'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: MAX_TOKENS } };
  ({ folder, remove: removeFolder } = await writeModelFolder({
    graphs: { 'onnx/model.onnx': model },
    json,
    vocabulary: VOCABULARY,
  }));
});
afterAll(() => removeFolder());

function startClient(settings: Partial<EmbedderSettings>): EmbedderClient {
  return new EmbedderClient({
    settings: {
      models: { code: folder, docs: folder },
      device: 'cpu',
      threads: 1,
      sessions: 0,
      batchSize: 0,
      memoryCeilingMb: 0,
      latencyCeilingMs: 10_000,
      tunerStateFile: null,
      ...settings,
    },
    spawn: () => spawnEmbedder(),
    clock: SYSTEM_CLOCK,
    logger: SILENT_LOGGER,
  });
}

/** Lets a running process have only so much more memory than it has now. */
function limitMemory(pid: number, moreMb: number): void {
  const sizeKb = Number(/VmSize:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  execFileSync('prlimit', ['--pid', String(pid), `--as=${(sizeKb + moreMb * 1024) * 1024}`]);
}

function rowsOf({ vectors, dimension }: EmbedResult): Float32Array[] {
  return Array.from({ length: vectors.length / dimension }, (_, row) =>
    vectors.subarray(row * dimension, (row + 1) * dimension),
  );
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

// The limit is Linux's to set on a process that runs already.
describe.runIf(process.platform === 'linux')('an embedder without enough memory for its runs', () => {
  it('makes smaller ones, loses nothing, and remembers', async () => {
    const random = new SeededRandom(2);
    const texts = Array.from({ length: 48 }, () =>
      randomText(400 + random.integer(110), VOCABULARY, (limit) => random.integer(limit)),
    );
    const params = { texts, role: 'document', scope: 'code', lane: 'bulk' } as const;

    const free = startClient({ batchSize: 4 });
    const expected = await free.embed(params);
    free.dispose();

    const client = startClient({ batchSize: 48 });
    await client.open();
    if (client.state.kind === 'running') limitMemory(client.state.pid!, 400);
    const found = await client.embed(params);
    const metrics = await client.metrics();
    client.dispose();

    expect(found.failures).toEqual([]);
    rowsOf(expected).forEach((row, index) => expect(dot(row, rowsOf(found)[index]!)).toBeGreaterThan(0.9999));
    const { backoffs, tuner } = metrics!.scopes.code;
    expect(backoffs).toBeGreaterThan(0);
    expect(tuner.memoryCeilingTokens).toBeLessThan(48 * MAX_TOKENS);
  });
});

describe('a ceiling for memory', () => {
  it('is kept by giving back what the runtime holds', async () => {
    const random = new SeededRandom(3);
    const texts = Array.from({ length: 80 }, () =>
      randomText(100 + random.integer(400), VOCABULARY, (limit) => random.integer(limit)),
    );
    const params = { texts, role: 'document', scope: 'code', lane: 'bulk' } as const;
    const free = startClient({ batchSize: 16 });
    await free.embed(params);
    const unlimited = (await free.metrics())!;
    free.dispose();

    const client = startClient({ batchSize: 16, memoryCeilingMb: 250 });
    const found = await client.embed(params);
    const limited = (await client.metrics())!;
    client.dispose();
    expect(found.failures).toEqual([]);
    expect(limited.peakRssMb).toBeLessThan(unlimited.peakRssMb * 0.75);
  });
});
