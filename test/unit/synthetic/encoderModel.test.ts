import type * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { InferenceSession, Tensor } from '../../../src/embedder/onnxRuntime.ts';
import { buildEncoder } from '../../../src/synthetic/encoderModel.ts';
import {
  ENCODER_FAMILIES,
  ENCODER_SIZES,
  type EncoderFamily,
  type EncoderOptions,
} from '../../../src/synthetic/encoderShapes.ts';
import {
  buildBagModel,
  buildMatrixProducts,
  buildPaddedStaticModel,
  randomMatrix,
} from '../../../src/synthetic/smallModels.ts';
import { referenceTokens } from './referenceEncoder.ts';

const TINY: EncoderOptions = {
  ...ENCODER_SIZES.tiny,
  family: 'bert',
  seed: 7,
  weights: 'float32',
  outputs: 'tokens',
  normalized: false,
  outputType: 'float32',
  projection: 0,
};
const TEXTS = [
  [11, 12, 13, 14, 15, 16],
  [21, 22, 23],
];

async function run(model: Uint8Array, family: EncoderFamily): Promise<ort.InferenceSession.OnnxValueMapType> {
  const session = await InferenceSession.create(model);
  const length = Math.max(...TEXTS.map((text) => text.length));
  const padding = family === 'roberta' ? 1 : 0;
  const tensor = (value: (text: number[], place: number) => number): ort.Tensor => {
    const values = TEXTS.flatMap((text) => Array.from({ length }, (_, place) => BigInt(value(text, place))));
    return new Tensor('int64', BigInt64Array.from(values), [TEXTS.length, length]);
  };
  const inputs: Record<string, ort.Tensor> = {
    input_ids: tensor((text, place) => text[place] ?? padding),
    attention_mask: tensor((text, place) => (place < text.length ? 1 : 0)),
    token_type_ids: tensor(() => 0),
    position_ids: tensor((_, place) => place),
  };
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, inputs[name]!]));
  return session.run(feeds);
}

function tokensOf(output: ort.Tensor, text: number): number[][] {
  const [, length = 0, size = 0] = output.dims;
  const values = output.data as Float32Array;
  return TEXTS[text]!.map((_, place) => {
    const start = (text * length + place) * size;
    return [...values.subarray(start, start + size)];
  });
}

function largestDifference(a: number[][], b: number[][]): number {
  return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i]![j]!))));
}

describe('a synthetic encoder', () => {
  it.each(Object.keys(ENCODER_FAMILIES) as EncoderFamily[])(
    'of the %s family computes what a plain reference does, padded or not',
    async (family) => {
      const options = { ...TINY, family };
      const { model, weights } = buildEncoder(options);
      const output = (await run(model, family))['last_hidden_state']!;
      for (const [index, text] of TEXTS.entries())
        expect(largestDifference(tokensOf(output, index), referenceTokens(text, weights, options))).toBeLessThan(1e-4);
    },
  );

  it('with a projection gives token vectors of its size', async () => {
    const options = { ...TINY, projection: 6 };
    const { model, weights } = buildEncoder(options);
    const output = (await run(model, 'bert'))['last_hidden_state']!;
    expect(output.dims).toEqual([2, 6, 6]);
    expect(largestDifference(tokensOf(output, 1), referenceTokens(TEXTS[1]!, weights, options))).toBeLessThan(1e-4);
  });

  it('pools under the mask and normalises', async () => {
    const options: EncoderOptions = { ...TINY, outputs: 'both', normalized: true };
    const { model, weights } = buildEncoder(options);
    const pooled = (await run(model, 'bert'))['sentence_embedding']!.data as Float32Array;
    const tokens = referenceTokens(TEXTS[1]!, weights, options);
    const mean = tokens[0]!.map((_, column) => tokens.reduce((sum, token) => sum + token[column]! / tokens.length, 0));
    const norm = Math.hypot(...mean);
    const expected = mean.map((value) => value / norm);
    expect(largestDifference([[...pooled.subarray(options.hidden)]], [expected])).toBeLessThan(1e-4);
  });

  it('with int8 weights stays near the float32 one', async () => {
    const reference = (await run(buildEncoder(TINY).model, 'bert'))['last_hidden_state']!;
    const quantized = (await run(buildEncoder({ ...TINY, weights: 'int8' }).model, 'bert'))['last_hidden_state']!;
    const [a, b] = [reference.data as Float32Array, quantized.data as Float32Array];
    const cosine = a.reduce((sum, value, index) => sum + value * b[index]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
    expect(cosine).toBeGreaterThan(0.99);
    expect(cosine).toBeLessThan(0.999999);
  });

  it('writes half precision and int8 outputs', async () => {
    const half = await run(buildEncoder({ ...TINY, outputType: 'float16' }).model, 'bert');
    expect(half['last_hidden_state']!.type).toBe('float16');
    const bytes = await run(
      buildEncoder({ ...TINY, outputs: 'pooled', normalized: true, outputType: 'int8' }).model,
      'bert',
    );
    const data = bytes['sentence_embedding']!.data as Int8Array;
    expect(Math.hypot(...data.subarray(0, TINY.hidden))).toBeCloseTo(127, -1);
  });

  it('is the same for the same seed and another for another', () => {
    expect(buildEncoder(TINY).model).toEqual(buildEncoder(TINY).model);
    expect(buildEncoder(TINY).model).not.toEqual(buildEncoder({ ...TINY, seed: 8 }).model);
  });
});

describe('a synthetic static model', () => {
  const options = { vocabulary: 50, hidden: 8, seed: 3 };

  it.each(['padded', 'bag'] as const)('in %s form gives the mean of its tokens', async (form) => {
    const { model, weights } = form === 'padded' ? buildPaddedStaticModel(options) : buildBagModel(options);
    const session = await InferenceSession.create(model);
    const int64 = (values: number[], dims: number[]) =>
      new Tensor(
        'int64',
        BigInt64Array.from(values, (value) => BigInt(value)),
        dims,
      );
    const feeds =
      form === 'padded'
        ? { input_ids: int64([4, 5, 6, 7, 0, 0], [2, 3]), attention_mask: int64([1, 1, 1, 1, 0, 0], [2, 3]) }
        : { input_ids: int64([4, 5, 6, 7], [4]), offsets: int64([0, 3], [2]) };
    const { embeddings } = await session.run(feeds);
    const table = weights.get('embeddings.word')!.values;
    const expected = [0, 1].map((text) =>
      Array.from({ length: 8 }, (_, column) =>
        text === 1
          ? table[7 * 8 + column]!
          : (table[4 * 8 + column]! + table[5 * 8 + column]! + table[6 * 8 + column]!) / 3,
      ),
    );
    const values = [...(embeddings!.data as Float32Array)];
    expect(largestDifference([values.slice(0, 8), values.slice(8)], expected)).toBeLessThan(1e-5);
  });
});

describe('synthetic matrix products', () => {
  it.each(['float32', 'int8'] as const)(
    'in %s give one row each, whatever the rows of their input',
    async (precision) => {
      const session = await InferenceSession.create(
        buildMatrixProducts({ inner: 12, columns: 5, products: 2, precision, seed: 1 }),
      );
      const { output } = await session.run({ input: new Tensor('float32', randomMatrix(3, 12, 2), [3, 12]) });
      expect(output!.dims).toEqual([2, 5]);
      const values = [...(output!.data as Float32Array)];
      expect(values.every((value) => value !== 0)).toBe(true);
      expect(values.slice(0, 5)).not.toEqual(values.slice(5));
    },
  );
});
