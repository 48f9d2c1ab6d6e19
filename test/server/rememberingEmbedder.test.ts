import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../src/base/logger.ts';
import { RememberingEmbedder } from '../../src/server/rememberingEmbedder.ts';
import { HashEmbedder } from '../fakes/hashEmbedder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'tessera-remember-'));
  await mkdir(path.join(root, 'model/onnx'), { recursive: true });
  await writeFile(path.join(root, 'model/onnx/model.onnx'), 'weights');
  await writeFile(path.join(root, 'embedder.js'), '');
});

afterEach(() => rm(root, { recursive: true, force: true }));

const REQUEST = { texts: ['text'], role: 'document', scope: 'code', lane: 'bulk' } as const;
const file = () => path.join(root, 'models.json');

/** An embedder of one process, with how often its models were loaded. */
function start(modelId = 'hash', at = file()) {
  const inner = new HashEmbedder(modelId);
  const load = inner.open.bind(inner);
  const loads = { count: 0 };
  inner.open = () => {
    loads.count += 1;
    return load();
  };
  const model = path.join(root, 'model');
  const embedder = new RememberingEmbedder({
    embedder: inner,
    settings: { models: { code: model, docs: model }, device: 'cpu' },
    entry: path.join(root, 'embedder.js'),
    file: at,
    logger: SILENT_LOGGER,
  });
  return { embedder, loads };
}

it('models are known from the last process without being loaded, until something is embedded', async () => {
  const first = start();
  const models = await first.embedder.open();
  expect(first.loads.count).toBe(1);
  const second = start();
  expect(await second.embedder.open()).toEqual(models);
  expect(second.loads.count).toBe(0);
  expect((await second.embedder.embed(REQUEST)).failures).toEqual([]);
  expect(second.loads.count).toBe(1);
});

it.each(['model/onnx/model.onnx', 'model/tokenizer.json', 'embedder.js'])(
  'models are loaded again when %s has changed',
  async (name) => {
    await start().embedder.open();
    await writeFile(path.join(root, name), 'something else');
    const { embedder, loads } = start();
    await embedder.open();
    expect(loads.count).toBe(1);
  },
);

it('a model that turns out to be another embeds nothing, and is not believed again', async () => {
  await start().embedder.open();
  const other = start('another');
  expect((await other.embedder.open()).code.id).toBe('hash');
  await expect(other.embedder.embed(REQUEST)).rejects.toMatchObject({ code: 'model-invalid' });
  expect((await start('another').embedder.open()).code.id).toBe('another');
});

it('a model whose vectors have another length than was remembered embeds nothing', async () => {
  await start().embedder.open();
  await writeFile(file(), (await readFile(file(), 'utf8')).replaceAll('"dimension":16', '"dimension":8'));
  const { embedder } = start();
  expect((await embedder.open()).code.dimension).toBe(8);
  await expect(embedder.embed(REQUEST)).rejects.toMatchObject({ code: 'model-invalid' });
});

it('a device that is another than was remembered is told from the first embedding on, by the next process too', async () => {
  await start().embedder.open();
  const lost = 'The GPU is lost.';
  const kept = await readFile(file(), 'utf8');
  await writeFile(file(), kept.replaceAll('"fallbackReason":null', `"fallbackReason":"${lost}"`));
  const { embedder } = start();
  expect((await embedder.open()).code.fallbackReason).toBe(lost);
  await embedder.embed(REQUEST);
  expect((await embedder.open()).code.fallbackReason).toBeNull();
  expect(await readFile(file(), 'utf8')).toBe(kept);
});

it('what cannot be read is as if it was not there', async () => {
  await writeFile(file(), '{"format":1,"known":{"');
  const { embedder, loads } = start();
  await embedder.open();
  expect(loads.count).toBe(1);
  expect(await readFile(file(), 'utf8')).toContain('hash');
});

it('nothing is made for it where no index is, but it is kept once there is one', async () => {
  const at = path.join(root, 'index/models.json');
  const { embedder } = start('hash', at);
  await embedder.open();
  await expect(readFile(at)).rejects.toMatchObject({ code: 'ENOENT' });
  await mkdir(path.join(root, 'index'));
  await embedder.embed(REQUEST);
  expect(await readFile(at, 'utf8')).toContain('hash');
});
