import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TesseraError } from '../../base/errors.ts';
import { limitsFor } from '../../embedding/deviceLimits.ts';
import type { BudgetLimits } from '../../embedding/tunerTypes.ts';
import { EmbeddingModel } from '../../embedder/embeddingModel.ts';
import { type TextInput, wholeText } from '../../embedder/textInput.ts';
import { buildEncoder } from '../../synthetic/encoderModel.ts';
import type { DeviceName, ExecutionProvider } from '../../protocol/embedder.ts';
import { ENCODER_SIZES, type EncoderSize } from '../../synthetic/encoderShapes.ts';
import { SeededRandom } from '../../synthetic/random.ts';

const SYNTHETIC = 'synthetic:';
const VOCABULARY = 30_000;

/** A model to be timed: the product's own way of running it, fed with ids instead of texts. */
export interface BenchModel {
  readonly name: string;
  readonly device: string;
  readonly limits: BudgetLimits;
  readonly isStatic: boolean;
  /** Whether it takes the texts of a run one after another: nothing is padded then, whatever a policy plans. */
  readonly isBag: boolean;
  /** Threads of a run; at least 1. */
  readonly threads: number;
  readonly maxTokens: number;
  /** Length of a text in a run, in tokens; null for synthetic models, which read no texts. */
  readonly lengthOf: ((text: string) => number) | null;
  /** Known for synthetic encoders only. */
  readonly encoder: { readonly size: EncoderSize; readonly precision: 'float32' | 'int8' } | null;
  /** Runs texts of these lengths, padded to `length`. */
  run(lengths: readonly number[], length: number): Promise<void>;
  /** Gives the engine's memory back; the next run loads again. */
  release(): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Opens a folder's model, or builds and opens a synthetic one, which is for the processor unless another device is named. `threads` as a person
 * chooses them; 0: as many as pay. `graphFor` names the device whose kind of graph is loaded, where that is not `device`.
 */
export async function openBenchModel(
  model: string,
  threads: number,
  device: DeviceName = 'auto',
  graphFor?: ExecutionProvider,
): Promise<BenchModel> {
  const lookUpThreads = threads === 0 ? undefined : threads;
  if (!isSynthetic(model))
    return wrap(await EmbeddingModel.open(model, { device, threads, lookUpThreads, graphFor }), null);
  const synthetic = await writeSyntheticModel(model);
  try {
    const own = device === 'auto' ? 'cpu' : device;
    return wrap(await EmbeddingModel.open(synthetic.folder, { device: own, threads }), synthetic);
  } catch (error) {
    await synthetic.remove();
    throw error;
  }
}

/** Whether this names a synthetic model rather than a folder. */
export function isSynthetic(model: string): boolean {
  return model.startsWith(SYNTHETIC);
}

/** A synthetic model's folder: texts of n words have n tokens. */
export interface SyntheticFolder {
  readonly name: string;
  readonly folder: string;
  readonly size: EncoderSize;
  readonly precision: 'float32' | 'int8';
  readonly remove: () => Promise<void>;
}

/** Builds `synthetic:SIZE` or `synthetic:SIZE:int8` into a temporary folder. */
export async function writeSyntheticModel(model: string): Promise<SyntheticFolder> {
  const [sizeName = '', precision = 'float32'] = model.slice(SYNTHETIC.length).split(':');
  const size = Object.entries(ENCODER_SIZES).find(([name]) => name === sizeName)?.[1];
  if (size === undefined || (precision !== 'float32' && precision !== 'int8')) {
    const sizes = Object.keys(ENCODER_SIZES).join(', ');
    throw new TesseraError(
      'invalid-argument',
      `There is no model ${model}; name ${SYNTHETIC}SIZE or ${SYNTHETIC}SIZE:int8, with a size of ${sizes}.`,
    );
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'tessera-bench-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFiles(folder, size, precision);
  } catch (error) {
    await remove();
    throw error;
  }
  return { name: model, folder, size, precision, remove };
}

function wrap(model: EmbeddingModel, synthetic: SyntheticFolder | null): BenchModel {
  const random = new SeededRandom(1);
  // Frequent words are frequent: ids crowd at the low end as in real texts.
  const ids = Int32Array.from({ length: 65_536 }, () => 10 + Math.floor(VOCABULARY * 0.9 * random.uniform() ** 3));
  let next = 0;
  const places = Int32Array.from({ length: model.info.maxTokens }, (_, place) => place);
  const once = new Int32Array(model.info.maxTokens).fill(1);
  const take = (length: number): TextInput => {
    next = (next + 977) % (ids.length - length);
    const own = ids.subarray(next, next + length);
    return model.countsTokens
      ? { ids: own, counts: once.subarray(0, length), firsts: places.subarray(0, length) }
      : wholeText(own);
  };
  return {
    name: synthetic?.name ?? model.info.name,
    device: model.info.device,
    limits: limitsFor({ isStatic: model.isStatic, countsTokens: model.countsTokens, device: model.info.device }),
    isStatic: model.isStatic,
    isBag: model.isBag,
    threads: model.threads,
    maxTokens: model.info.maxTokens,
    lengthOf: synthetic === null ? (text) => model.encode(text, 'document').ids.length : null,
    encoder: synthetic === null ? null : { size: synthetic.size, precision: synthetic.precision },
    run: async (lengths, length) => {
      await model.run(lengths.map(take), length);
    },
    release: () => model.release(),
    dispose: async () => {
      await model.release();
      await synthetic?.remove();
    },
  };
}

async function writeFiles(folder: string, size: EncoderSize, weights: 'float32' | 'int8'): Promise<void> {
  const { model } = buildEncoder({
    ...size,
    family: 'bert',
    seed: 1,
    weights,
    outputs: 'tokens',
    normalized: false,
    outputType: 'float32',
    projection: 0,
  });
  await mkdir(path.join(folder, 'onnx'));
  await writeFile(path.join(folder, 'onnx', 'model.onnx'), model);
  const json = {
    'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: size.maxPositions },
    'tokenizer.json': WORD_TOKENIZER,
    'tokenizer_config.json': { model_max_length: size.maxPositions },
  };
  for (const [name, value] of Object.entries(json)) await writeFile(path.join(folder, name), JSON.stringify(value));
}

/** Knows no words: a synthetic model is fed with ids. */
const WORD_TOKENIZER = {
  version: '1.0',
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' },
};
