import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { chooseGraph, identifyModel, readModelFolder } from '../../../src/embedder/modelFolder.ts';
import type { Pooling } from '../../../src/embedding/pooling.ts';
import { type ModelFolderFiles, writeModelFolder } from '../../fakes/modelFolder.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function makeFolder(files: Partial<ModelFolderFiles>): Promise<string> {
  const { folder, remove } = await writeModelFolder({ graphs: {}, ...files });
  cleanups.push(remove);
  return folder;
}

const graph = (text: string) => new TextEncoder().encode(text);

describe('a model’s folder', () => {
  it.each<[string, Partial<ModelFolderFiles>, string, RegExp]>([
    [
      'no tokenizer',
      { json: { 'tokenizer.json': undefined }, graphs: { 'onnx/model.onnx': graph('x') } },
      'model-missing',
      /tokenizer\.json/,
    ],
    ['no graph', {}, 'model-missing', /onnx\/model\.onnx/],
    [
      'a config that is no JSON',
      { json: { 'config.json': '{' }, graphs: { 'onnx/model.onnx': graph('x') } },
      'model-invalid',
      /config\.json/,
    ],
  ])('with %s is refused in a sentence that names the file', async (_, files, code, message) => {
    const folder = await makeFolder(files);
    await expect(readModelFolder(folder)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it('that cannot be listed is not taken for an empty one', async () => {
    const folder = await makeFolder({});
    await symlink('onnx', path.join(folder, 'onnx'));
    await expect(readModelFolder(folder)).rejects.toMatchObject({ code: 'model-invalid' });
  });

  it('that is not there is named', async () => {
    await expect(readModelFolder('/nowhere/at/all')).rejects.toMatchObject({
      code: 'model-missing',
      details: { folder: '/nowhere/at/all' },
    });
  });
});

describe('the graph for a device', () => {
  const graphs = {
    'onnx/model.onnx': graph('a'),
    'onnx/model_fp16.onnx': graph('b'),
    'onnx/model_quantized.onnx': graph('c'),
  };

  it('is the quantised one on a processor, the half-precision one on a graphics processor', async () => {
    const model = await readModelFolder(await makeFolder({ graphs }));
    expect(chooseGraph(model, 'cpu')).toBe('onnx/model_quantized.onnx');
    expect(chooseGraph(model, 'cuda')).toBe('onnx/model_fp16.onnx');
  });

  it('is the one the manifest names, or a complaint when that is missing', async () => {
    const named = await readModelFolder(
      await makeFolder({ graphs, json: { 'tessera.json': { onnxFile: 'onnx/model.onnx' } } }),
    );
    expect(chooseGraph(named, 'cpu')).toBe('onnx/model.onnx');
    const missing = await readModelFolder(
      await makeFolder({ graphs, json: { 'tessera.json': { onnxFile: 'onnx/gone.onnx' } } }),
    );
    expect(() => chooseGraph(missing, 'cpu')).toThrow(expect.objectContaining({ code: 'model-missing' }) as Error);
  });

  it('may lie beside the config, and have any name when it is the only one', async () => {
    const model = await readModelFolder(await makeFolder({ graphs: { 'special.onnx': graph('a') } }));
    expect(chooseGraph(model, 'cpu')).toBe('special.onnx');
  });
});

describe('a model’s identity', () => {
  it('changes with its weights, its tokenizer, its prefixes, how its inputs are filled, its pooling and its dimension, and with nothing else', async () => {
    const identify = async (files: Partial<ModelFolderFiles>, dimension = 8, pooling: Pooling | null = null) => {
      const model = await readModelFolder(
        await makeFolder({ graphs: { 'onnx/model.onnx': graph('weights') }, ...files }),
      );
      return identifyModel(model, 'onnx/model.onnx', { dimension, pooling });
    };
    const json = { 'tessera.json': { name: 'm' } };
    const id = await identify({ json });
    expect(id).toMatch(/^m-[0-9a-f]{16}$/);
    expect(await identify({ json })).toBe(id);
    expect(await identify({ json: { 'tessera.json': { name: 'm', license: 'MIT' } } })).toBe(id);
    const others = await Promise.all([
      identify({ json, graphs: { 'onnx/model.onnx': graph('other weights') } }),
      identify({ json, vocabulary: 50 }),
      identify({ json: { 'tessera.json': { name: 'm', queryPrefix: 'q' } } }),
      identify({ json: { ...json, 'config.json': { pad_token_id: 3 } } }),
      identify({ json: { ...json, 'config.json': { model_type: 'roberta', pad_token_id: 3 } } }),
      identify({ json }, 4),
      identify({ json }, 8, 'none'),
    ]);
    expect(new Set([id, ...others]).size).toBe(8);
  });

  it('includes weights kept beside the graph', async () => {
    const folder = await makeFolder({ graphs: { 'onnx/model.onnx': graph('weights') } });
    const model = await readModelFolder(folder);
    const without = await identifyModel(model, 'onnx/model.onnx', { dimension: 8, pooling: null });
    await writeFile(path.join(folder, 'onnx/model.onnx_data'), 'more weights');
    expect(await identifyModel(model, 'onnx/model.onnx', { dimension: 8, pooling: null })).not.toBe(without);
  });
});
