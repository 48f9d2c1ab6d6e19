import { describe, expect, it } from 'vitest';
import { type ModelFacts, outputDimension, resolveManifest } from '../../../src/embedding/modelManifest.ts';

const resolve = (facts: ModelFacts) => resolveManifest(facts, 'folder-name');

describe('what is known of a model', () => {
  it('is sensible when there is nothing but weights and a tokenizer', () => {
    expect(resolve({})).toMatchObject({
      name: 'folder-name',
      dimension: null,
      maxTokens: 512,
      pooling: null,
      queryPrefix: '',
      documentPrefix: '',
      padTokenId: 0,
      firstPosition: 0,
      multiVector: false,
    });
  });

  it('comes from sentence-transformers’ files when they are there', () => {
    const manifest = resolve({
      config: { model_type: 'bert', max_position_embeddings: 512, pad_token_id: 3 },
      tokenizerConfig: { model_max_length: 400 },
      sentenceBert: { max_seq_length: 256 },
      pooling: { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
      sentenceTransformers: { prompts: { query: 'query: ', passage: 'passage: ' } },
    });
    expect(manifest).toMatchObject({
      maxTokens: 256,
      pooling: 'cls',
      queryPrefix: 'query: ',
      documentPrefix: 'passage: ',
      padTokenId: 3,
    });
  });

  it('is what our own manifest says above all else', () => {
    const manifest = resolve({
      tessera: {
        name: 'own',
        version: '2',
        dimension: 64,
        matryoshkaDimensions: [128, 64],
        maxTokens: 100,
        pooling: 'lastToken',
        queryPrefix: 'Q ',
        onnxFile: 'onnx/small.onnx',
        license: 'MIT',
      },
      config: { max_position_embeddings: 512 },
      pooling: { pooling_mode_mean_tokens: true },
      sentenceTransformers: { prompts: { query: 'other', document: 'D ' } },
    });
    expect(manifest).toMatchObject({
      name: 'own',
      dimension: 64,
      matryoshkaDimensions: [64, 128],
      maxTokens: 100,
      pooling: 'lastToken',
      queryPrefix: 'Q ',
      documentPrefix: 'D ',
      onnxFile: 'onnx/small.onnx',
      license: 'MIT',
    });
  });

  it('includes the default prompt, where there is none for a query or a document', () => {
    const prefixes = (sentenceTransformers: unknown, tessera: unknown = {}) => {
      const { queryPrefix, documentPrefix } = resolve({ sentenceTransformers, tessera });
      return [queryPrefix, documentPrefix];
    };
    const prompts = { query: 'q: ', any: 'any: ' };
    expect(prefixes({ prompts, default_prompt_name: 'any' })).toEqual(['q: ', 'any: ']);
    expect(prefixes({ prompts, default_prompt_name: 'any' }, { documentPrefix: '' })).toEqual(['q: ', '']);
    expect(prefixes({ prompts: { ...prompts, document: '' }, default_prompt_name: 'any' })).toEqual(['q: ', '']);
    expect(prefixes({ prompts, default_prompt_name: null })).toEqual(['q: ', '']);
    expect(prefixes({ prompts, default_prompt_name: 'gone' })).toEqual(['q: ', '']);
  });

  it('includes the prefixes PyLate writes for its ColBERT models, before the prompts', () => {
    const sentenceTransformers = {
      prompts: { query: 'q: ', document: '' },
      query_prefix: '[Q] ',
      document_prefix: '[D] ',
    };
    expect(resolve({ sentenceTransformers })).toMatchObject({ queryPrefix: '[Q] q: ', documentPrefix: '[D] ' });
    expect(resolve({ sentenceTransformers, tessera: { queryPrefix: 'own ' } }).queryPrefix).toBe('own ');
  });

  it('counts RoBERTa’s positions from behind its padding id', () => {
    const manifest = resolve({ config: { model_type: 'roberta', max_position_embeddings: 514, pad_token_id: 1 } });
    expect(manifest).toMatchObject({ maxTokens: 512, firstPosition: 2, padTokenId: 1 });
  });

  it('takes a decoder’s last token', () => {
    expect(resolve({ config: { model_type: 'qwen3' } }).pooling).toBe('lastToken');
  });

  it('does not take EmbeddingGemma for a decoder: its tokens see the whole text', () => {
    expect(resolve({ config: { model_type: 'gemma3_text' } }).pooling).toBeNull();
    expect(resolve({ config: { model_type: 'gemma2' } }).pooling).toBe('lastToken');
  });

  it.each([
    ['mean', 'mean'],
    ['cls', 'cls'],
    ['lasttoken', 'lastToken'],
    [['cls'], 'cls'],
    ['mean_sqrt_len_tokens', 'mean'],
  ])('reads the pooling %j as newer versions of sentence-transformers write it', (mode, expected) => {
    expect(resolve({ pooling: { pooling_mode: mode } }).pooling).toBe(expected);
  });

  it('has a pooling that leaves prompts out only where a mean would include some', () => {
    const beyond = (mode: string, sentenceTransformers: unknown) =>
      resolve({ pooling: { pooling_mode: mode, include_prompt: false }, sentenceTransformers }).beyondPooling;
    const prompts = { prompts: { query: 'find: ' } };
    expect(beyond('mean', prompts)).toBe('leaves its prompts out of the mean (1_Pooling/config.json)');
    expect(beyond('mean', {})).toBeNull();
    expect(beyond('cls', prompts)).toBeNull();
  });

  it('ignores a tokenizer that claims to have no limit', () => {
    const manifest = resolve({
      tokenizerConfig: { model_max_length: 1e30 },
      config: { max_position_embeddings: 8192 },
    });
    expect(manifest.maxTokens).toBe(8192);
  });

  it('includes whether a vector for each token is meant', () => {
    expect(resolve({ sentenceTransformers: { similarity_fn_name: 'MaxSim' } }).multiVector).toBe(true);
  });

  it.each<[string, ModelFacts, string]>([
    ['a pooling nobody knows', { tessera: { pooling: 'max' } }, 'model-invalid'],
    ['no room for a token', { tessera: { maxTokens: 0 } }, 'model-invalid'],
    ['half a dimension', { tessera: { dimension: 12.5 } }, 'model-invalid'],
    ['dimensions that are no list', { tessera: { matryoshkaDimensions: 64 } }, 'model-invalid'],
    ['a manifest that is no object', { tessera: [] }, 'model-invalid'],
  ])('is refused for %s', (_, facts, code) => {
    expect(() => resolve(facts)).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('the dimension of the vectors', () => {
  it('is all the model gives, or one it may be cut to', () => {
    expect(outputDimension(resolve({}), 384)).toBe(384);
    expect(outputDimension(resolve({ tessera: { dimension: 64, matryoshkaDimensions: [64] } }), 384)).toBe(64);
  });

  it.each([
    ['longer than the model’s', { dimension: 512, matryoshkaDimensions: [512] }],
    ['one it was not trained to be cut to', { dimension: 100, matryoshkaDimensions: [64] }],
  ])('is refused when it is %s', (_, tessera) => {
    expect(() => outputDimension(resolve({ tessera }), 384)).toThrow(
      expect.objectContaining({ code: 'model-invalid' }) as Error,
    );
  });
});
