import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { externalDataFiles } from '../../../src/embedder/externalData.ts';
import type { ProcessorFacts } from '../../../src/embedder/graphNames.ts';
import { chooseGraph, identifyModel, readModelFolder } from '../../../src/embedder/modelFolder.ts';
import type { Pooling } from '../../../src/embedding/pooling.ts';
import { ProtobufWriter } from '../../../src/synthetic/protobuf.ts';
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

/** A graph whose weights are `bytes 0 to 8` of another file, by its path from the graph's folder; `textBytes` of a text come first. */
function graphWithDataIn(location: string, textBytes = 0): Uint8Array {
  const entry = (key: string, value: string) => new ProtobufWriter().string(1, key).string(2, value);
  const tensor = new ProtobufWriter();
  tensor.integer(1, 2).integer(2, 1).string(8, 'weights');
  tensor.message(13, entry('location', location)).message(13, entry('offset', '0')).message(13, entry('length', '8'));
  tensor.integer(14, 1);
  return new ProtobufWriter()
    .bytes(6, new Uint8Array(textBytes))
    .message(7, new ProtobufWriter().message(5, tensor))
    .finish();
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

  it('is read with the pooling that its list of modules names', async () => {
    const modules = ['Transformer', 'Dropout', 'Pooling'].map((type, idx) => ({ idx, path: `${idx}_${type}`, type }));
    const folder = await makeFolder({
      graphs: { 'onnx/model.onnx': graph('weights') },
      json: { 'modules.json': modules, '2_Pooling/config.json': { pooling_mode: 'cls' } },
    });
    expect((await readModelFolder(folder)).manifest.pooling).toBe('cls');
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

  describe('among those of sentence-transformers’ own names', () => {
    const names = [
      'model',
      'model_O3',
      'model_qint8_arm64',
      'model_qint8_avx512',
      'model_qint8_avx512_vnni',
      'model_quint8_avx2',
    ];
    const choose = async (processor: ProcessorFacts, left: readonly string[], device: 'cpu' | 'cuda' = 'cpu') => {
      const model = await readModelFolder(
        await makeFolder({ graphs: Object.fromEntries(left.map((name) => [`onnx/${name}.onnx`, graph(name)])) }),
      );
      return chooseGraph(model, device, processor);
    };
    const x64 = (...flags: readonly string[]): ProcessorFacts => ({ architecture: 'x64', flags: new Set(flags) });

    it.each<[string, ProcessorFacts, string]>([
      ['an ARM processor', { architecture: 'arm64', flags: new Set() }, 'model_qint8_arm64'],
      ['an x64 processor of which nothing is known', x64(), 'model'],
      ['one with AVX-512, whose 16-bit sums signed weights would overflow', x64('avx2', 'avx512f'), 'model'],
      ['one with AVX-512 VNNI', x64('avx2', 'avx512f', 'avx512_vnni'), 'model_qint8_avx512_vnni'],
      ['one with AVX-VNNI only', x64('avx2', 'avx_vnni'), 'model_qint8_avx512_vnni'],
      ['any other', { architecture: 'riscv64', flags: new Set() }, 'model'],
    ])('is the one for %s', async (_, processor, expected) => {
      expect(await choose(processor, names)).toBe(`onnx/${expected}.onnx`);
    });

    it('is the next best where that is missing, and never a processor’s on a graphics processor', async () => {
      const without = (name: string) => names.filter((other) => other !== name);
      const vnni = x64('avx512_vnni');
      expect(await choose(vnni, without('model_qint8_avx512_vnni'))).toBe('onnx/model_qint8_avx512.onnx');
      expect(await choose(vnni, names, 'cuda')).toBe('onnx/model.onnx');
    });

    it('is not one of those where there is one for any processor, as before', async () => {
      expect(await choose(x64('avx512_vnni'), [...names, 'model_quantized'])).toBe('onnx/model_quantized.onnx');
    });
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
      identify({ json: { ...json, 'sentence_bert_config.json': { do_lower_case: true } } }),
      identify({ json: { ...json, 'modules.json': [{ type: 'sentence_transformers.models.Transformer' }] } }),
      identify({ json }, 4),
      identify({ json }, 8, 'none'),
    ]);
    expect(new Set([id, ...others]).size).toBe(10);
  });

  it.each([
    'onnx/model.onnx_data',
    'onnx/model.onnx.data',
    'onnx/weights/encoder.bin',
    'onnx/embeddings.word_embeddings.weight',
  ])('includes weights kept beside the graph, in %s', async (file) => {
    const bytes = graphWithDataIn(path.posix.relative('onnx', file));
    const folder = await makeFolder({ graphs: { 'onnx/model.onnx': bytes, [file]: graph('weights') } });
    const identify = async () =>
      identifyModel(await readModelFolder(folder), 'onnx/model.onnx', { dimension: 8, pooling: null });
    const id = await identify();
    await writeFile(path.join(folder, 'onnx/model_fp16.onnx_data'), 'another graph’s');
    expect(await identify()).toBe(id);
    await writeFile(path.join(folder, file), 'others');
    expect(await identify()).not.toBe(id);
  });

  it('includes weights kept beside the graph wherever in that their name stands', async () => {
    // Files are read a mebibyte at a time: the name begins a few bytes before the second, in it, and just behind.
    for (const before of [60, 45, 30, 15, 0]) {
      const bytes = graphWithDataIn('model.onnx.data', (1 << 20) - before);
      const folder = await makeFolder({ graphs: { 'model.onnx': bytes, 'model.onnx.data': graph('weights') } });
      expect(await externalDataFiles(path.join(folder, 'model.onnx'))).toEqual(['model.onnx.data']);
    }
  });
});
