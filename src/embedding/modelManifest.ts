import { TesseraError } from '../base/errors.ts';
import type { TextRole } from '../protocol/embedder.ts';
import { isRecord, numberAt, stringAt } from './jsonFacts.ts';
import { POOLINGS, type Pooling } from './pooling.ts';
import { type Projection, readProjection, readRecipe, stripsTexts } from './sentenceModules.ts';

/** How a model is used: what Tessera knows about it besides its weights. */
export interface ModelManifest {
  readonly name: string;
  readonly version: string;
  /** Length of the vectors made; null takes all the model gives. */
  readonly dimension: number | null;
  /** Lengths a vector may be cut to; empty when the model was not trained for cutting. */
  readonly matryoshkaDimensions: readonly number[];
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  /** Null: `none` when the graph gives one vector a text, else the family's custom. */
  readonly pooling: Pooling | null;
  /** Whether tessera.json itself asks for `pooling`; otherwise a vector the graph has made of the whole text is better. */
  readonly poolingIsOwn: boolean;
  /** What the model does besides pooling, as the end of "the model …": only a graph's own vector of a text will do. Null: nothing. */
  readonly beyondPooling: string | null;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Whether texts and what is put before them are lowercased before they are tokenised, whatever the tokenizer does. */
  readonly lowercase: boolean;
  /** Whether blanks around a text, with what is put before it, are left out. */
  readonly strip: boolean;
  /** Relative to the model's folder; null lets the device choose among those there. */
  readonly onnxFile: string | null;
  readonly license: string | null;
  /** Whether the model is meant to give a vector for each token. */
  readonly multiVector: boolean;
  /** The layer behind a multi-vector model's tokens, which its graph has to include; null where none is told of. */
  readonly projection: Projection | null;
  /** What stands for 0 in an output of unsigned bytes. */
  readonly outputZeroPoint: number;
  /** Fills rows up to the longest. */
  readonly padTokenId: number;
  /** Number of the first position; RoBERTa counts from its padding id on. */
  readonly firstPosition: number;
}

/** The parsed JSON files of a model's folder; undefined where there is none. */
export interface ModelFacts {
  /** Our own manifest; it wins over everything else. */
  readonly tessera?: unknown;
  readonly config?: unknown;
  readonly tokenizerConfig?: unknown;
  /** sentence-transformers: list of modules. */
  readonly modules?: unknown;
  /** sentence-transformers: `config.json` of the last Dense module. */
  readonly dense?: unknown;
  /** sentence-transformers: `config.json` of the Pooling module. */
  readonly pooling?: unknown;
  /** sentence-transformers: `config_sentence_transformers.json`, with the prompts. */
  readonly sentenceTransformers?: unknown;
  /** sentence-transformers: `sentence_bert_config.json`. */
  readonly sentenceBert?: unknown;
}

/** Used when no file tells a limit: what most small encoders were trained with. */
const DEFAULT_MAX_TOKENS = 512;
/** Families whose position table starts behind the padding id (fairseq's custom). */
const OFFSET_POSITIONS = ['roberta', 'xlm-roberta', 'camembert', 'mpnet', 'longformer', 'xlm-roberta-xl'];
/** Decoders: the last token has seen the whole text. EmbeddingGemma (`gemma3_text`) looks both ways and takes the mean. */
const DECODERS = /^(?:qwen|llama|mistral|gemma(?!3)|phi|gpt|opt|bloom|starcoder|granite|smollm|falcon|olmo)/;
/** No embedding of this many tokens makes sense; tokenizers without a limit say 1e30. */
const MAX_BELIEVABLE_TOKENS = 1 << 20;

/**
 * Puts a model's facts together: our manifest first, then sentence-transformers' files, then the family's customs.
 *
 * @throws TesseraError `model-invalid`, in a sentence that names the file.
 */
export function resolveManifest(facts: ModelFacts, folderName: string): ModelManifest {
  const own = facts.tessera ?? {};
  if (!isRecord(own)) throw invalid('tessera.json', 'is not a JSON object');
  const config = isRecord(facts.config) ? facts.config : {};
  const family = stringAt(config, 'model_type') ?? '';
  const padTokenId = numberAt(own, 'padTokenId') ?? numberAt(config, 'pad_token_id') ?? 0;
  const asked = ownPooling(own);
  const multiVector = own['multiVector'] === true || looksMultiVector(facts, config);
  const queryPrefix = stringAt(own, 'queryPrefix') ?? savedPrefix(facts.sentenceTransformers, 'query', ['query']);
  const documentPrefix =
    stringAt(own, 'documentPrefix') ??
    savedPrefix(facts.sentenceTransformers, 'document', ['document', 'passage', 'corpus']);
  const recipe = readRecipe(facts.pooling, facts.modules, queryPrefix !== '' || documentPrefix !== '');
  const firstPosition = OFFSET_POSITIONS.includes(family) ? padTokenId + 1 : 0;
  const manifest: ModelManifest = {
    name: stringAt(own, 'name') ?? folderName,
    version: stringAt(own, 'version') ?? '',
    dimension: numberAt(own, 'dimension') ?? null,
    matryoshkaDimensions: integersAt(own, 'matryoshkaDimensions'),
    maxTokens: numberAt(own, 'maxTokens') ?? longestInput(facts, config, firstPosition),
    pooling: asked ?? recipe.pooling ?? (DECODERS.test(family) ? 'lastToken' : null),
    poolingIsOwn: asked !== undefined,
    // What comes behind a multi-vector model's tokens makes no vector of a text, and is part of its exports.
    beyondPooling: asked !== undefined || multiVector ? null : recipe.beyondPooling,
    queryPrefix,
    documentPrefix,
    lowercase: isRecord(facts.sentenceBert) && facts.sentenceBert['do_lower_case'] === true,
    strip: stripsTexts(facts.modules),
    onnxFile: stringAt(own, 'onnxFile') ?? null,
    license: stringAt(own, 'license') ?? null,
    multiVector,
    projection: multiVector ? readProjection(facts.modules, facts.dense) : null,
    outputZeroPoint: numberAt(own, 'outputZeroPoint') ?? 128,
    padTokenId,
    firstPosition,
  };
  return checked(manifest);
}

function checked(manifest: ModelManifest): ModelManifest {
  const { maxTokens, dimension, matryoshkaDimensions } = manifest;
  if (!Number.isInteger(maxTokens) || maxTokens < 1)
    throw invalid('tessera.json', '"maxTokens" must be a whole number above 0');
  if (dimension !== null && (!Number.isInteger(dimension) || dimension < 1)) {
    throw invalid('tessera.json', '"dimension" must be a whole number above 0');
  }
  return { ...manifest, matryoshkaDimensions: [...matryoshkaDimensions].sort((a, b) => a - b) };
}

/**
 * Sees to it that a graph's vectors of tokens, of `width` numbers, went through the model's projection.
 *
 * @throws TesseraError `model-unsupported` otherwise: such vectors look right and find nothing.
 */
export function requireProjection({ projection }: ModelManifest, width: number): void {
  if (projection === null || projection.width === width) return;
  const { file, width: expected } = projection;
  throw new TesseraError(
    'model-unsupported',
    `The model’s graph gives ${width} numbers a token, its ${file} ${expected}; export it with that layer.`,
    { details: { file, width, expected } },
  );
}

/**
 * The length vectors are cut to, given what the graph gives.
 *
 * @throws TesseraError `model-invalid` when the manifest asks for a length the model was not trained for.
 */
export function outputDimension(manifest: ModelManifest, width: number): number {
  const { dimension, matryoshkaDimensions } = manifest;
  if (dimension === null || dimension === width) return width;
  if (dimension > width) throw invalid('tessera.json', `asks for ${dimension} dimensions, the model gives ${width}`);
  if (!matryoshkaDimensions.includes(dimension)) {
    throw invalid(
      'tessera.json',
      `asks for ${dimension} of ${width} dimensions without listing them under "matryoshkaDimensions"`,
    );
  }
  return dimension;
}

function ownPooling(own: Readonly<Record<string, unknown>>): Pooling | undefined {
  const value = own['pooling'];
  if (value === undefined) return undefined;
  const pooling = POOLINGS.find((known) => known === value);
  if (pooling === undefined)
    throw invalid('tessera.json', `has an unknown "pooling"; known are ${POOLINGS.join(', ')}`);
  return pooling;
}

function longestInput(facts: ModelFacts, config: Readonly<Record<string, unknown>>, firstPosition: number): number {
  const positions = numberAt(config, 'max_position_embeddings') ?? numberAt(config, 'n_positions');
  const limits = [
    numberAt(facts.sentenceBert, 'max_seq_length'),
    numberAt(facts.tokenizerConfig, 'model_max_length'),
    positions === undefined ? undefined : positions - firstPosition,
  ].filter((limit) => limit !== undefined && limit > 0 && limit <= MAX_BELIEVABLE_TOKENS);
  return limits.length === 0 ? DEFAULT_MAX_TOKENS : Math.min(...limits.map(Number));
}

/**
 * What `config_sentence_transformers.json` puts before a text, as `encode_query` and `encode_document` do it: the first prompt there
 * is of these names, else the default one. PyLate's token for the role stands before both.
 */
function savedPrefix(file: unknown, role: TextRole, names: readonly string[]): string {
  const prompts = isRecord(file) ? file['prompts'] : undefined;
  const fallback = stringAt(file, 'default_prompt_name');
  const [prompt = ''] = [...names, ...(fallback === undefined ? [] : [fallback])].flatMap(
    (name) => stringAt(prompts, name) ?? [],
  );
  return (stringAt(file, `${role}_prefix`) ?? '') + prompt;
}

function looksMultiVector(facts: ModelFacts, config: Readonly<Record<string, unknown>>): boolean {
  const architectures = Array.isArray(config['architectures']) ? config['architectures'] : [];
  if (architectures.some((name) => typeof name === 'string' && /colbert/i.test(name))) return true;
  return /maxsim/i.test(stringAt(facts.sentenceTransformers, 'similarity_fn_name') ?? '');
}

function integersAt(record: Readonly<Record<string, unknown>>, key: string): readonly number[] {
  const value = record[key];
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item): item is number => Number.isInteger(item) && Number(item) > 0)) {
    throw invalid('tessera.json', `"${key}" must be a list of whole numbers above 0`);
  }
  return value;
}

function invalid(file: string, what: string): TesseraError {
  return new TesseraError('model-invalid', `The model’s ${file} ${what}.`, { details: { file } });
}
