import type { InferenceSession } from 'onnxruntime-node';
import { TesseraError } from '../base/errors.ts';
import type { ModelManifest } from '../embedding/modelManifest.ts';

export type IntegerType = 'int64' | 'int32';

type IntegerInput = 'ids' | 'mask' | 'types' | 'positions' | 'offsets' | 'counts' | 'firsts';

/** What an input of the graph is fed with. */
export type InputPort =
  | {
      readonly kind: IntegerInput;
      readonly name: string;
      readonly type: IntegerType;
    }
  | { readonly kind: 'floatMask'; readonly name: string }
  /** Keys and values of earlier tokens, of which there are none: `[batch, heads, 0, size]`. */
  | {
      readonly kind: 'past';
      readonly name: string;
      readonly type: 'float32' | 'float16';
      readonly heads: number;
      readonly size: number;
    }
  | { readonly kind: 'useCache'; readonly name: string };

/** The output vectors are read from. */
export interface OutputPort {
  readonly name: string;
  /** Whether it has a vector for each token (rank 3) or for each text (rank 2). */
  readonly perToken: boolean;
}

export interface GraphPorts {
  readonly inputs: readonly InputPort[];
  readonly output: OutputPort;
  /** All texts' ids one after another with offsets, as `EmbeddingBag` takes them, instead of padded rows. */
  readonly isBag: boolean;
  /** Each token of a text once, with its count or first place, instead of all of them in order. */
  readonly countsTokens: boolean;
}

const INTEGER_INPUTS: Readonly<Record<string, IntegerInput>> = {
  input_ids: 'ids',
  attention_mask: 'mask',
  token_type_ids: 'types',
  position_ids: 'positions',
  offsets: 'offsets',
  token_counts: 'counts',
  first_positions: 'firsts',
};

/** What can be said of texts that lie one after another. */
const BAG_INPUTS: readonly InputPort['kind'][] = ['ids', 'mask', 'types', 'offsets', 'counts', 'firsts'];

/** One vector a text, best first; then one a token. `pooler_output` is BERT's own head and no embedding. */
const POOLED_OUTPUTS = ['sentence_embedding', 'embeddings', 'text_embeds', 'dense_vecs'];
const TOKEN_OUTPUTS = ['token_embeddings', 'last_hidden_state', 'hidden_states'];
/** Scores of words or classes: numbers of the right shape, and no vectors of anything. */
const SCORES = /logits$/i;

/** What a model's files say of how its graph's output is to be used. */
export type PoolingWish = Pick<ModelManifest, 'pooling' | 'poolingIsOwn' | 'beyondPooling'>;

/**
 * What a graph wants and gives, from its declared inputs and outputs.
 *
 * @throws TesseraError `model-unsupported` for an input nobody can fill, or when texts' vectors can't be made of what the graph gives;
 *   `model-invalid` when there is no usable output.
 */
export function readGraphPorts(
  inputs: readonly InferenceSession.ValueMetadata[],
  outputs: readonly InferenceSession.ValueMetadata[],
  wish: PoolingWish,
  file: string,
): GraphPorts {
  const ports = inputs.map((input) => inputPort(input, file));
  if (!ports.some((port) => port.kind === 'ids')) {
    throw unsupported(file, 'has no input named input_ids; export it as a text embedding model');
  }
  const isBag = ports.some((port) => port.kind === 'offsets');
  const unfit = isBag ? ports.find(({ kind }) => !BAG_INPUTS.includes(kind)) : undefined;
  if (unfit !== undefined)
    throw unsupported(file, `takes texts one after another and wants an input ${unfit.name}, which is for padded rows`);
  return {
    inputs: ports,
    output: outputPort(outputs, wish, file),
    isBag,
    countsTokens: ports.some((port) => port.kind === 'counts' || port.kind === 'firsts'),
  };
}

function inputPort(input: InferenceSession.ValueMetadata, file: string): InputPort {
  const { name } = input;
  if (!input.isTensor) throw unsupported(file, `wants an input ${name} that is not a tensor`);
  const { type, shape } = input;
  const kind = INTEGER_INPUTS[name];
  if (kind !== undefined && (type === 'int64' || type === 'int32')) return { kind, name, type };
  if (kind === 'mask' && type === 'float32') return { kind: 'floatMask', name };
  if (name === 'use_cache_branch' && type === 'bool') return { kind: 'useCache', name };
  const [, heads, , size] = shape;
  if (
    /^past_key_values\b|^past\b/.test(name) &&
    (type === 'float32' || type === 'float16') &&
    typeof heads === 'number' &&
    typeof size === 'number'
  ) {
    return { kind: 'past', name, type, heads, size };
  }
  throw unsupported(file, `wants an input ${name} (${type}) that is not known; export it as a text embedding model`);
}

function outputPort(
  outputs: readonly InferenceSession.ValueMetadata[],
  { pooling, poolingIsOwn, beyondPooling }: PoolingWish,
  file: string,
): OutputPort {
  const ranks = new Map(
    outputs.flatMap((output) => (output.isTensor ? [[output.name, output.shape.length] as const] : [])),
  );
  const named = (names: readonly string[], rank: number) => names.find((name) => ranks.get(name) === rank);
  const ofRank = (rank: number) =>
    [...ranks].find(([name, found]) => found === rank && name !== 'pooler_output' && !SCORES.test(name))?.[0];
  const surelyPooled = named(POOLED_OUTPUTS, 2);
  const pooled = surelyPooled ?? ofRank(2);
  const tokens = named(TOKEN_OUTPUTS, 3) ?? ofRank(3);
  // Other files tell how to pool outside of a graph; where the graph does it, everything behind the pooling is in it too.
  if (surelyPooled !== undefined && !poolingIsOwn) return { name: surelyPooled, perToken: false };
  if (beyondPooling !== null) {
    throw unsupported(
      file,
      `has no output sentence_embedding, which is needed because the model ${beyondPooling}; export it with all modules of sentence-transformers`,
    );
  }
  const wantsTokens = pooling !== null && pooling !== 'none';
  if (wantsTokens && tokens !== undefined) return { name: tokens, perToken: true };
  if (pooled !== undefined && !wantsTokens) return { name: pooled, perToken: false };
  if (tokens !== undefined && pooling === null) return { name: tokens, perToken: true };
  const scores = [...ranks.keys()].find((name) => SCORES.test(name));
  if (tokens === undefined && pooled === undefined && scores !== undefined) {
    throw unsupported(file, `gives scores (${scores}) and no vectors; export the model for feature extraction`);
  }
  const found = [...ranks.keys()].join(', ');
  throw new TesseraError(
    'model-invalid',
    `The model’s ${file} has no output ${wantsTokens ? 'with a vector for each token, which its pooling needs' : 'with a vector for each text, which pooling "none" needs'} (found ${found}); correct "pooling" in tessera.json.`,
    { details: { file, found } },
  );
}

function unsupported(file: string, what: string): TesseraError {
  return new TesseraError('model-unsupported', `The model’s ${file} ${what}.`, { details: { file } });
}
