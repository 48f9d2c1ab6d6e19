import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EmbeddingModel } from '../../../src/embedder/embeddingModel.ts';
import { buildEncoder } from '../../../src/synthetic/encoderModel.ts';
import {
  ENCODER_FAMILIES,
  ENCODER_SIZES,
  type EncoderFamily,
  type EncoderOptions,
} from '../../../src/synthetic/encoderShapes.ts';
import { OnnxGraph } from '../../../src/synthetic/onnxGraph.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';
import { buildBagModel, buildPaddedStaticModel } from '../../../src/synthetic/smallModels.ts';
import { type ModelFolderFiles, randomText, wordTokenizer, writeModelFolder } from '../../fakes/modelFolder.ts';
import { referenceTokens } from '../../unit/synthetic/referenceEncoder.ts';

const TINY: EncoderOptions = {
  ...ENCODER_SIZES.tiny,
  family: 'bert',
  seed: 11,
  weights: 'float32',
  outputs: 'tokens',
  normalized: false,
  outputType: 'float32',
  projection: 0,
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function open(files: ModelFolderFiles): Promise<EmbeddingModel> {
  const { folder, remove } = await writeModelFolder(files);
  const model = await EmbeddingModel.open(folder, { device: 'cpu', threads: 1 });
  cleanups.push(() => model.release(), remove);
  return model;
}

/** Embeds texts in one run, or each in its own. */
async function embed(
  model: EmbeddingModel,
  texts: readonly string[],
  how: 'together' | 'one by one',
): Promise<number[][]> {
  const inputs = texts.map((text) => model.encode(text, 'document'));
  const runs = how === 'together' ? [inputs] : inputs.map((one) => [one]);
  const rows: number[][] = [];
  for (const run of runs) {
    const vectors = await model.run(run, Math.max(...run.map((one) => one.ids.length)));
    run.forEach((_, row) =>
      rows.push([...vectors.subarray(row * model.info.dimension, (row + 1) * model.info.dimension)]),
    );
  }
  return rows;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const unit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));
const largestDifference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

function pooled(tokens: readonly number[][], pooling: 'mean' | 'cls' | 'lastToken'): number[] {
  if (pooling === 'cls') return unit(tokens[0]!);
  if (pooling === 'lastToken') return unit(tokens.at(-1)!);
  return unit(tokens[0]!.map((_, i) => tokens.reduce((sum, token) => sum + token[i]!, 0)));
}

const random = new SeededRandom(5);
const TEXTS = [7, 2, 12, 1, 30].map((words) => randomText(words, 100, (limit) => random.integer(limit)));

/** How each family says what it is, in the files people find beside its weights. */
const FAMILY_FILES: Readonly<
  Record<EncoderFamily, { readonly pooling: 'mean' | 'cls' | 'lastToken'; readonly json: Record<string, unknown> }>
> = {
  bert: {
    pooling: 'mean',
    json: { 'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: 64 } },
  },
  distilbert: {
    pooling: 'mean',
    json: { 'config.json': { model_type: 'distilbert', pad_token_id: 0, max_position_embeddings: 64 } },
  },
  roberta: {
    pooling: 'cls',
    json: {
      'config.json': { model_type: 'roberta', pad_token_id: 1, max_position_embeddings: 66 },
      '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
    },
  },
  'jina-bert': {
    pooling: 'mean',
    json: { 'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: 64 } },
  },
  'nomic-bert': {
    pooling: 'mean',
    json: {
      'config.json': { model_type: 'nomic_bert', n_positions: 64 },
      '1_Pooling/config.json': { pooling_mode_mean_tokens: true },
    },
  },
  modernbert: {
    pooling: 'cls',
    json: {
      'config.json': { model_type: 'modernbert', pad_token_id: 0, max_position_embeddings: 64 },
      'tessera.json': { pooling: 'cls' },
    },
  },
  decoder: { pooling: 'lastToken', json: { 'config.json': { model_type: 'qwen3', max_position_embeddings: 64 } } },
};

describe('a model of the family', () => {
  it.each(Object.keys(ENCODER_FAMILIES) as EncoderFamily[])(
    '%s embeds as a plain reference does, batched or not',
    async (family) => {
      const options = { ...TINY, family };
      const { model: graph, weights } = buildEncoder(options);
      const { pooling, json } = FAMILY_FILES[family];
      const model = await open({ graphs: { 'onnx/model.onnx': graph }, json });
      const expected = TEXTS.map((text) =>
        pooled(referenceTokens([...model.encode(text, 'document').ids], weights, options), pooling),
      );
      const together = await embed(model, TEXTS, 'together');
      const apart = await embed(model, TEXTS, 'one by one');
      for (const [index, vector] of expected.entries()) {
        expect(largestDifference(apart[index]!, vector)).toBeLessThan(1e-4);
        expect(dot(together[index]!, apart[index]!)).toBeGreaterThanOrEqual(0.9999);
      }
    },
  );
});

describe('a model that lowercases', () => {
  it.each([true, false])('by itself, whatever its tokenizer does: %s', async (lowercases) => {
    const tokenizer = { ...wordTokenizer(100), normalizer: null };
    const json = { 'tokenizer.json': tokenizer, 'sentence_bert_config.json': { do_lower_case: lowercases } };
    const model = await open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model }, json });
    const lower = model.encode('w7 w8', 'document').ids;
    expect(model.countTokens('W7 W8')).toBe(2);
    if (lowercases) expect(model.encode('W7 W8', 'document').ids).toEqual(lower);
    else expect(model.encode('W7 W8', 'document').ids).not.toEqual(lower);
  });
});

describe('blanks around a text', () => {
  it.each([
    ['sentence_transformers.models.Transformer', true],
    ['sentence_transformers.models.StaticEmbedding', false],
  ])('are left out as %s does it: %s', async (type, strips) => {
    // Takes the whole text for a word.
    const tokenizer = { ...wordTokenizer(100), normalizer: null, pre_tokenizer: null };
    const json = { 'tokenizer.json': tokenizer, 'modules.json': [{ type }] };
    const model = await open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model }, json });
    const bare = model.encode('w7', 'document').ids;
    const inBlanks = model.encode('\n  w7 \t', 'document').ids;
    if (strips) expect(inBlanks).toEqual(bare);
    else expect(inBlanks).not.toEqual(bare);
  });
});

describe('texts run together', () => {
  it('get what they would get alone, in their order, whatever their lengths', async () => {
    const { model: graph } = buildEncoder({ ...TINY, outputs: 'tokens' });
    const model = await open({ graphs: { 'onnx/model.onnx': graph } });
    const integers = new SeededRandom(99);
    for (let round = 0; round < 25; round++) {
      const texts = Array.from({ length: 1 + integers.integer(12) }, () =>
        randomText(1 + integers.integer(40), 100, (limit) => integers.integer(limit)),
      );
      const together = await embed(model, texts, 'together');
      const apart = await embed(model, texts, 'one by one');
      together.forEach((vector, index) => expect(dot(vector, apart[index]!)).toBeGreaterThanOrEqual(0.9999));
    }
  });

  it('get their own vectors in runs that overlap', async () => {
    const model = await open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model } });
    const inputs = TEXTS.map((text) => model.encode(text, 'document'));
    const alone: Float32Array[] = [];
    for (const input of inputs) alone.push(await model.run([input], 30));
    expect(await Promise.all(inputs.map((input) => model.run([input], 30)))).toEqual(alone);
  });

  it('of one length are the same as alone to float rounding', async () => {
    const { model: graph } = buildEncoder(TINY);
    const model = await open({ graphs: { 'onnx/model.onnx': graph } });
    const integers = new SeededRandom(4);
    const texts = Array.from({ length: 16 }, () => randomText(20, 100, (limit) => integers.integer(limit)));
    const together = await embed(model, texts, 'together');
    const apart = await embed(model, texts, 'one by one');
    together.forEach((vector, index) => expect(largestDifference(vector, apart[index]!)).toBeLessThan(2e-6));
  });
});

describe('a static model', () => {
  const meanOfWords = (ids: Int32Array, table: Float32Array, size: number) =>
    unit(Array.from({ length: size }, (_, i) => ids.reduce((sum, id) => sum + table[id * size + i]!, 0)));

  it.each([
    ['with padded rows', buildPaddedStaticModel],
    ['with one bag of ids and offsets', buildBagModel],
  ])('%s gives the mean of its words’ vectors', async (_, build) => {
    const { model: graph, weights } = build({ vocabulary: 100, hidden: 8, seed: 3 });
    const model = await open({ graphs: { 'onnx/model.onnx': graph } });
    const table = weights.get('embeddings.word')!.values;
    const together = await embed(model, TEXTS, 'together');
    TEXTS.forEach((text, index) =>
      expect(
        largestDifference(together[index]!, meanOfWords(model.encode(text, 'document').ids, table, 8)),
      ).toBeLessThan(1e-5),
    );
  });
});

describe('a graph that wants each token once', () => {
  it('gets its count and where it is first, and nothing of the padding', async () => {
    const graph = new OnnxGraph();
    const shape = ['batch', 'sequence'];
    const ids = graph.cast(graph.input('input_ids', 'int32', shape), 'float32');
    const counts = graph.cast(graph.input('token_counts', 'int32', shape), 'float32');
    const firsts = graph.cast(graph.input('first_positions', 'int64', shape), 'float32');
    const axes = graph.integers([1]);
    const sums = [ids, firsts].map((numbers) =>
      graph.op('ReduceSum', [graph.op('Mul', [numbers, counts]), axes], { keepdims: { int: 1 } }),
    );
    const places = graph.op('ReduceSum', [counts, axes], { keepdims: { int: 1 } });
    const output = graph.op('Concat', [...sums, places], { axis: { int: 1 } });
    graph.output('sentence_embedding', output, 'float32', ['batch', 3]);
    const model = await open({ graphs: { 'onnx/model.onnx': graph.encode() } });
    // With [CLS] 2 and [SEP] 3 around them.
    const repeating = model.encode('w10 w20 w10 w10', 'document');
    expect(repeating).toEqual({
      ids: Int32Array.of(2, 10, 20, 3),
      counts: Int32Array.of(1, 3, 1, 1),
      firsts: Int32Array.of(0, 1, 2, 5),
    });
    const vectors = await embed(model, ['w10 w20 w10 w10', 'w30 w31 w32 w33 w34'], 'together');
    // Ids by their counts, first places by them (1 × 3, 2 and 5), and tokens.
    expect(largestDifference(vectors[0]!, unit([2 + 30 + 20 + 3, 3 + 2 + 5, 6]))).toBeLessThan(1e-6);
    expect(largestDifference(vectors[1]!, unit([2 + 160 + 3, 15 + 6, 7]))).toBeLessThan(1e-6);
  });
});

describe('the threads of a model', () => {
  it.each([
    ['are one when it only looks vectors up', {}, 1],
    ['are as many as were chosen when it only looks vectors up', { lookUpThreads: 3 }, 3],
  ])('%s', async (_, chosen, threads) => {
    const { model: graph } = buildBagModel({ vocabulary: 100, hidden: 8, seed: 3 });
    const { folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': graph } });
    const model = await EmbeddingModel.open(folder, { device: 'cpu', threads: 2, ...chosen });
    cleanups.push(() => model.release(), remove);
    // Its bags tell so, on a machine as busy as can be.
    expect(model).toMatchObject({ isStatic: true, threads });
  });
});

describe('an output', () => {
  it.each(['float16', 'int8'] as const)('of type %s is read as numbers', async (outputType) => {
    const exact = await open({
      graphs: { 'onnx/model.onnx': buildEncoder({ ...TINY, outputs: 'pooled', normalized: true }).model },
    });
    const rough = await open({
      graphs: { 'onnx/model.onnx': buildEncoder({ ...TINY, outputs: 'pooled', normalized: true, outputType }).model },
    });
    const expected = await embed(exact, TEXTS, 'together');
    const found = await embed(rough, TEXTS, 'together');
    found.forEach((vector, index) => expect(dot(vector, expected[index]!)).toBeGreaterThan(0.999));
  });

  it('of unsigned bytes counts from its zero point', async () => {
    const graph = new OnnxGraph();
    const ids = graph.input('input_ids', 'int64', ['batch', 'sequence']);
    const first = graph.op('Slice', [ids, graph.integers([0]), graph.integers([2]), graph.integers([1])]);
    graph.output('sentence_embedding', graph.cast(first, 'uint8'), 'uint8', ['batch', 2]);
    const model = await open({
      graphs: { 'onnx/model.onnx': graph.encode() },
      json: { 'tessera.json': { outputZeroPoint: 5 } },
    });
    // The ids are 2 ([CLS]) and 9: −3 and 4 from the zero point.
    expect((await embed(model, ['w9'], 'together'))[0]!.map((value) => Math.round(value * 1000))).toEqual([-600, 800]);
  });

  it('that is pooled by the graph is preferred, unless the manifest names a pooling', async () => {
    const options: EncoderOptions = { ...TINY, outputs: 'both', normalized: true };
    const { model: graph, weights } = buildEncoder(options);
    const byGraph = await open({ graphs: { 'onnx/model.onnx': graph } });
    const byManifest = await open({
      graphs: { 'onnx/model.onnx': graph },
      json: { 'tessera.json': { pooling: 'cls' } },
    });
    const tokens = referenceTokens([...byGraph.encode(TEXTS[0]!, 'document').ids], weights, options);
    expect(largestDifference((await embed(byGraph, [TEXTS[0]!], 'together'))[0]!, pooled(tokens, 'mean'))).toBeLessThan(
      1e-4,
    );
    expect(
      largestDifference((await embed(byManifest, [TEXTS[0]!], 'together'))[0]!, pooled(tokens, 'cls')),
    ).toBeLessThan(1e-4);
  });

  it('that the graph has made of a text with all its modules counts, whatever pooling sentence-transformers’ files name', async () => {
    // As LaBSE has it: a layer behind the pooling, which the tokens' vectors know nothing of.
    const graph = new OnnxGraph();
    const ids = graph.cast(graph.input('input_ids', 'int64', ['batch', 'sequence']), 'float32');
    const tokens = graph.op('Unsqueeze', [ids, graph.integers([2])]);
    graph.output('token_embeddings', graph.op('Concat', [tokens, tokens], { axis: { int: 2 } }), 'float32', [
      'batch',
      'sequence',
      2,
    ]);
    const sum = graph.op('ReduceSum', [ids, graph.integers([1])], { keepdims: { int: 1 } });
    const dense = graph.op('MatMul', [sum, graph.float([3, -4], [1, 2])]);
    graph.output('sentence_embedding', dense, 'float32', ['batch', 2]);
    const graphs = { 'onnx/model.onnx': graph.encode() };
    const files = { '1_Pooling/config.json': { pooling_mode_mean_tokens: true } };
    const model = await open({ graphs, json: files });
    const rounded = (await embed(model, ['w9'], 'together'))[0]!.map((value) => Math.round(value * 1000));
    expect(rounded).toEqual([600, -800]);
    // An index with vectors of the tokens' mean must not go on with these.
    const ofTokens = await open({ graphs, json: { ...files, 'tessera.json': { pooling: 'mean' } } });
    expect(model.info.id.split('-').at(-1)).not.toBe(ofTokens.info.id.split('-').at(-1));
  });

  it('is cut to a Matryoshka dimension and brought to unit length again', async () => {
    const graphs = { 'onnx/model.onnx': buildEncoder(TINY).model };
    const whole = await open({ graphs });
    const cut = await open({ graphs, json: { 'tessera.json': { dimension: 6, matryoshkaDimensions: [6, 12] } } });
    const [expected] = await embed(whole, [TEXTS[0]!], 'together');
    const [found] = await embed(cut, [TEXTS[0]!], 'together');
    expect(cut.info.dimension).toBe(6);
    expect(largestDifference(found!, unit(expected!.slice(0, 6)))).toBeLessThan(1e-5);
    expect(cut.info.id).not.toBe(whole.info.id);
  });

  it('with a vector for each token is recognised as multi-vector where the model means it', async () => {
    const { model: graph } = buildEncoder({ ...TINY, projection: 6 });
    const json = { 'config.json': { model_type: 'bert', architectures: ['HF_ColBERT'], max_position_embeddings: 64 } };
    const model = await open({ graphs: { 'onnx/model.onnx': graph }, json });
    expect(model.info).toMatchObject({ multiVector: true, dimension: 6 });
  });

  it('without a multi-vector model’s projection is refused', async () => {
    const json = {
      'config_sentence_transformers.json': { similarity_fn_name: 'MaxSim' },
      'modules.json': [
        { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
        { idx: 1, name: '1', path: '1_Dense', type: 'pylate.models.Dense.Dense' },
      ],
      '1_Dense/config.json': { in_features: 16, out_features: 6 },
    };
    const whole = await open({ graphs: { 'onnx/model.onnx': buildEncoder({ ...TINY, projection: 6 }).model }, json });
    expect(whole.info).toMatchObject({ multiVector: true, dimension: 6 });
    await expect(open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model }, json })).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/16.*1_Dense.*6/) as string,
    });
  });

  it('gives the unit vector of each token, whatever is in the same run', async () => {
    const options = { ...TINY, projection: 6 };
    const { model: graph, weights } = buildEncoder(options);
    const json = { 'config.json': { model_type: 'bert', architectures: ['HF_ColBERT'], max_position_embeddings: 64 } };
    const model = await open({ graphs: { 'onnx/model.onnx': graph }, json });
    const inputs = TEXTS.map((text) => model.encode(text, 'document'));
    const vectors = await model.runTokens(inputs, Math.max(...inputs.map(({ ids }) => ids.length)));
    const expected = inputs.flatMap(({ ids }) => referenceTokens([...ids], weights, options).map(unit));
    expect(vectors).toHaveLength(expected.length * 6);
    expected.forEach((token, row) => {
      expect(largestDifference([...vectors.subarray(row * 6, (row + 1) * 6)], token)).toBeLessThan(1e-4);
    });
  });
});

describe('a graph that has to be loaded again', () => {
  const graphOf = (seed: number) => buildEncoder({ ...TINY, seed }).model;

  it('gives the same vectors, also when its file was written anew with what it had', async () => {
    const { folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': graphOf(1) } });
    const model = await EmbeddingModel.open(folder, { device: 'cpu', threads: 1 });
    cleanups.push(() => model.release(), remove);
    const before = await embed(model, TEXTS, 'together');
    await model.release();
    await writeFile(path.join(folder, 'onnx/model.onnx'), graphOf(1));
    expect(await embed(model, TEXTS, 'together')).toEqual(before);
  });

  it('is refused when it has become another one', async () => {
    const { folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': graphOf(1) } });
    const model = await EmbeddingModel.open(folder, { device: 'cpu', threads: 1 });
    cleanups.push(() => model.release(), remove);
    await writeFile(path.join(folder, 'onnx/model.onnx'), graphOf(2));
    await model.release();
    await expect(embed(model, TEXTS, 'together')).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('have changed since it was opened') as string,
    });
  });
});

describe('a graph’s inputs', () => {
  it('of 32-bit ids, and of keys and values nobody has yet, are filled', async () => {
    const graph = new OnnxGraph();
    const ids = graph.input('input_ids', 'int32', ['batch', 'sequence']);
    const mask = graph.input('attention_mask', 'int32', ['batch', 'sequence']);
    const past = graph.input('past_key_values.0.key', 'float32', ['batch', 2, 'past', 4]);
    const masked = graph.cast(graph.op('Mul', [ids, mask]), 'float32');
    const sum = graph.op('ReduceSum', [masked, graph.integers([1])], { keepdims: { int: 1 } });
    const none = graph.op('ReduceSum', [past, graph.integers([1, 2, 3])], { keepdims: { int: 0 } });
    const column = graph.op('Add', [sum, graph.op('Unsqueeze', [none, graph.integers([1])])]);
    const one = graph.op('Div', [column, column]);
    graph.output('sentence_embedding', graph.op('Concat', [column, one], { axis: { int: 1 } }), 'float32', [
      'batch',
      2,
    ]);
    const model = await open({ graphs: { 'onnx/model.onnx': graph.encode() } });
    // 2 + 10 + 3, and 2 + 20 + 21 + 3 with a row that is longer beside it.
    const vectors = await embed(model, ['w10', 'w20 w21'], 'together');
    expect(vectors.map(([sumOfIds, scale]) => Math.round(sumOfIds! / scale!))).toEqual([15, 46]);
  });

  it('that nobody knows how to fill are named', async () => {
    const graph = new OnnxGraph();
    const ids = graph.input('input_ids', 'int64', ['batch', 'sequence']);
    graph.input('pixel_values', 'float32', ['batch', 3]);
    graph.output('sentence_embedding', graph.cast(ids, 'float32'), 'float32', ['batch', 'sequence']);
    await expect(open({ graphs: { 'onnx/model.onnx': graph.encode() } })).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('pixel_values') as string,
    });
  });
});

describe('a text', () => {
  it('longer than the model reads is cut, its special tokens kept', async () => {
    const model = await open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model } });
    const input = model.encode(
      randomText(500, 100, () => 7),
      'document',
    );
    expect(input.ids).toHaveLength(64);
    expect([input.ids[0], input.ids[63]]).toEqual([2, 3]);
    expect(await model.run([input], 64)).toHaveLength(16);
  });

  it('of nothing still has a vector', async () => {
    const model = await open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model } });
    expect(Math.hypot(...(await embed(model, [''], 'together'))[0]!)).toBeCloseTo(1);
  });

  it('gets the prefix of its role', async () => {
    const model = await open({
      graphs: { 'onnx/model.onnx': buildEncoder(TINY).model },
      json: { 'config_sentence_transformers.json': { prompts: { query: 'w4 ', document: 'w5 ' } } },
    });
    expect([...model.encode('w9', 'query').ids]).toEqual([2, 4, 9, 3]);
    expect([...model.encode('w9', 'document').ids]).toEqual([2, 5, 9, 3]);
    expect(model.countTokens('w9 w10')).toBe(2);
  });

  it('of a ColBERT model begins with the token PyLate puts behind the first, whatever its tokenizer does to text', async () => {
    const tokenizer = wordTokenizer(100) as { added_tokens: object[]; model: { vocab: Record<string, number> } };
    const added = { special: false, normalized: true, single_word: false, lstrip: false, rstrip: false };
    ['[Q] ', '[D] '].forEach((content, index) => {
      tokenizer.added_tokens.push({ ...added, id: 100 + index, content });
    });
    const model = await open({
      graphs: { 'onnx/model.onnx': buildEncoder({ ...TINY, vocabulary: 102 }).model },
      json: {
        'tokenizer.json': tokenizer,
        'config_sentence_transformers.json': {
          prompts: { query: '', document: '' },
          similarity_fn_name: 'MaxSim',
          query_prefix: '[Q] ',
          document_prefix: '[D] ',
        },
      },
    });
    expect([...model.encode('w9 w10', 'query').ids]).toEqual([2, 100, 9, 10, 3]);
    expect([...model.encode('w9 w10', 'document').ids]).toEqual([2, 101, 9, 10, 3]);
  });
});

describe('a run', () => {
  it('planned in steps of a length is padded to no more than the model has positions for', async () => {
    const json = { 'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: 60 } };
    const model = await open({
      graphs: { 'onnx/model.onnx': buildEncoder({ ...TINY, maxPositions: 60 }).model },
      json,
    });
    const input = model.encode(
      randomText(500, 100, () => 7),
      'document',
    );
    expect(input.ids).toHaveLength(60);
    expect(await model.run([input], 64)).toEqual(await model.run([input], 60));
  });

  it('with a text whose vector is not finite fails, and the others’ runs do not', async () => {
    // Divides by the place a text's first word has behind w10, so that w10 itself has no vector.
    const graph = new OnnxGraph();
    const ids = graph.cast(graph.input('input_ids', 'int64', ['batch', 'sequence']), 'float32');
    const first = graph.op('Slice', [ids, graph.integers([1]), graph.integers([2]), graph.integers([1])]);
    const inverse = graph.op('Div', [graph.scalar(1), graph.op('Sub', [first, graph.scalar(10)])]);
    graph.output('sentence_embedding', graph.op('Concat', [inverse, first], { axis: { int: 1 } }), 'float32', [
      'batch',
      2,
    ]);
    const model = await open({ graphs: { 'onnx/model.onnx': graph.encode() } });
    const [good, bad] = ['w11', 'w10'].map((text) => model.encode(text, 'document'));
    await expect(model.run([good!, bad!], 3)).rejects.toMatchObject({ code: 'embedder-failed' });
    await expect(model.run([bad!], 3)).rejects.toMatchObject({ code: 'embedder-failed' });
    expect(Math.hypot(...(await model.run([good!], 3)))).toBeCloseTo(1);
  });
});

describe('a model whose vector of a plain text is not finite', () => {
  it('is not opened, so that no index is made of it', async () => {
    const graph = new OnnxGraph();
    const ids = graph.cast(graph.input('input_ids', 'int64', ['batch', 'sequence']), 'float32');
    const zeros = graph.op('Sub', [ids, ids]);
    graph.output('sentence_embedding', graph.op('Div', [zeros, zeros]), 'float32', ['batch', 'sequence']);
    await expect(open({ graphs: { 'onnx/model.onnx': graph.encode() } })).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringContaining('not finite') as string,
    });
  });
});

describe('a device', () => {
  it('that is not there falls back to the processor and says why', async () => {
    const { folder, remove } = await writeModelFolder({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model } });
    const missing = process.platform === 'win32' ? 'coreml' : 'dml';
    const model = await EmbeddingModel.open(folder, { device: missing, threads: 1 });
    cleanups.push(() => model.release(), remove);
    expect(model.info.device).toBe('cpu');
    expect(model.info.fallbackReason).toContain(missing);
  });
});

describe('a released model', () => {
  it('loads itself again for the next run', async () => {
    const model = await open({ graphs: { 'onnx/model.onnx': buildEncoder(TINY).model } });
    const before = await embed(model, TEXTS, 'together');
    await model.release();
    expect(await embed(model, TEXTS, 'together')).toEqual(before);
  });
});
