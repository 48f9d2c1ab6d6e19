import type { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readGraphPorts } from '../../../src/embedder/graphPorts.ts';
import { type ModelFacts, resolveManifest } from '../../../src/embedding/modelManifest.ts';

const tensor = (
  name: string,
  type: 'int64' | 'float32',
  shape: readonly (number | string)[],
): InferenceSession.ValueMetadata => ({ name, isTensor: true, type, shape });

const INPUTS = [tensor('input_ids', 'int64', ['batch', 'sequence'])];
const perText = (name: string, width = 8) => tensor(name, 'float32', ['batch', width]);
const perToken = (name: string, width = 8) => tensor(name, 'float32', ['batch', 'sequence', width]);
const EVERYTHING = [perToken('last_hidden_state'), perToken('token_embeddings'), perText('sentence_embedding')];
const TOKENS = [perToken('last_hidden_state')];

const outputOf = (facts: ModelFacts, outputs: readonly InferenceSession.ValueMetadata[]) =>
  readGraphPorts(INPUTS, outputs, resolveManifest(facts, 'model'), 'model.onnx').output.name;
const refusalOf = (facts: ModelFacts, outputs: readonly InferenceSession.ValueMetadata[]): unknown => {
  try {
    return outputOf(facts, outputs);
  } catch (error) {
    return error;
  }
};

const modules = (...types: readonly string[]) =>
  types.map((type, index) => ({ idx: index, name: `${index}`, type: `sentence_transformers.models.${type}` }));
const MEAN = { pooling_mode_cls_token: false, pooling_mode_mean_tokens: true };

describe('the output vectors are read from', () => {
  it('is the graph’s own vector of a text, also where sentence-transformers’ files name a pooling', () => {
    const files = { pooling: MEAN, modules: modules('Transformer', 'Pooling', 'Dense', 'Normalize') };
    expect(outputOf(files, EVERYTHING)).toBe('sentence_embedding');
    expect(outputOf({ pooling: MEAN }, EVERYTHING)).toBe('sentence_embedding');
  });

  it('is the graph’s own vector of a text before a decoder’s last token', () => {
    expect(outputOf({ config: { model_type: 'qwen3' } }, EVERYTHING)).toBe('sentence_embedding');
    expect(outputOf({ config: { model_type: 'gemma3_text' } }, EVERYTHING)).toBe('sentence_embedding');
  });

  it('has the tokens’ vectors when our own manifest asks for a pooling of them', () => {
    const facts = { tessera: { pooling: 'cls' }, modules: modules('Transformer', 'Pooling', 'Dense') };
    expect(outputOf(facts, EVERYTHING)).toBe('token_embeddings');
  });

  it('has the tokens’ vectors when a pooling is declared and the only other output is BERT’s own head', () => {
    expect(outputOf({ pooling: MEAN }, [perText('pooler_output'), ...TOKENS])).toBe('last_hidden_state');
  });
});

describe('a graph without a vector for each text', () => {
  it.each<[string, ModelFacts, RegExp]>([
    ['a Dense layer', { modules: modules('Transformer', 'Pooling', 'Dense', 'Normalize'), pooling: MEAN }, /Dense/],
    ['a LayerNorm', { modules: modules('Transformer', 'Pooling', 'LayerNorm'), pooling: MEAN }, /LayerNorm/],
    ['weights of words', { modules: modules('Transformer', 'WordWeights', 'Pooling'), pooling: MEAN }, /WordWeights/],
    [
      'poolings put side by side',
      { pooling: { ...MEAN, pooling_mode_cls_token: true } },
      /cls and mean.*1_Pooling\/config\.json/,
    ],
    ['a pooling that is not done here', { pooling: { pooling_mode_max_tokens: true } }, /max/],
    ['a pooling nobody knows', { pooling: { pooling_mode: 'median' } }, /median/],
    ['a pooling nobody knew before', { pooling: { pooling_mode_median_tokens: true } }, /median/],
  ])('is refused when the model needs %s, which is named', (_, facts, named) => {
    expect(refusalOf(facts, TOKENS)).toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(named) as string,
    });
    expect(outputOf(facts, EVERYTHING)).toBe('sentence_embedding');
  });

  it.each<[string, ModelFacts]>([
    ['pooling and normalising', { modules: modules('Transformer', 'Pooling', 'Normalize'), pooling: MEAN }],
    ['nothing but a look-up', { modules: modules('StaticEmbedding', 'Normalize') }],
    ['dropout, which does nothing outside of training', { modules: modules('Transformer', 'Pooling', 'Dropout') }],
    ['layers our own manifest says to go without', { tessera: { pooling: 'mean' }, modules: modules('BERT', 'Dense') }],
  ])('is taken when the model needs %s', (_, facts) => {
    expect(outputOf(facts, TOKENS)).toBe('last_hidden_state');
  });
});

describe('a graph of a language model', () => {
  it.each([
    ['each token', [perToken('logits', 32_000), tensor('present.0.key', 'float32', ['batch', 2, 'past', 4])]],
    ['each text', [perText('logits', 2)]],
  ])('whose only output is scores for %s is refused', (_, outputs) => {
    for (const facts of [
      {},
      { pooling: MEAN },
      { tessera: { pooling: 'mean' } },
      { config: { model_type: 'llama' } },
    ]) {
      expect(refusalOf(facts, outputs)).toMatchObject({
        code: 'model-unsupported',
        message: expect.stringMatching(/logits/) as string,
      });
    }
  });

  it('that also gives its hidden states is read from those', () => {
    expect(outputOf({}, [perToken('logits', 32_000), perToken('hidden_states')])).toBe('hidden_states');
  });
});

describe('a graph that takes texts one after another', () => {
  const portsOf = (...names: readonly string[]) =>
    readGraphPorts(
      ['input_ids', 'offsets', ...names].map((name) => tensor(name, 'int64', ['tokens'])),
      [perText('embeddings')],
      resolveManifest({}, 'model'),
      'model.onnx',
    );

  it('may want a mask and types, and is refused where it wants what only padded rows have', () => {
    expect(portsOf('attention_mask', 'token_type_ids').isBag).toBe(true);
    expect(() => portsOf('position_ids')).toThrow(/model\.onnx .* position_ids/);
  });
});
