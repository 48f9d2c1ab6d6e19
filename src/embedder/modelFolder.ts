import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { TesseraError, errorMessage } from '../base/errors.ts';
import { type ModelManifest, resolveManifest } from '../embedding/modelManifest.ts';
import { poolingFile, projectionFile } from '../embedding/sentenceModules.ts';
import { isOutOfMemoryError } from '../embedding/outOfMemory.ts';
import type { Pooling } from '../embedding/pooling.ts';
import type { ExecutionProvider } from '../protocol/embedder.ts';
import { externalDataFiles } from './externalData.ts';
import { fingerprintFacts, fingerprintFile } from './fileFingerprint.ts';
import { type ProcessorFacts, preferredGraphs, thisProcessor } from './graphNames.ts';

/** A model's folder as read: facts, tokenizer, and where the graphs are. Nothing is loaded yet. */
export interface ModelFolder {
  readonly folder: string;
  readonly manifest: ModelManifest;
  /** Parsed `tokenizer.json`. */
  readonly tokenizer: object;
  /** Parsed `tokenizer_config.json`; an empty object when there is none. */
  readonly tokenizerConfig: object;
  /** ONNX files there are, relative to the folder, with `/`. */
  readonly graphs: readonly string[];
}

/**
 * Reads a model's folder in Hugging Face's layout.
 *
 * @throws TesseraError `model-missing` or `model-invalid`, naming the file and what to do.
 */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  if (!(await isDirectory(folder))) {
    throw new TesseraError(
      'model-missing',
      `There is no model folder at ${folder}; set the model to a folder with tokenizer.json and onnx/model.onnx.`,
      {
        details: { folder },
      },
    );
  }
  const read = (name: string) => readJson(folder, name);
  const [tessera, config, tokenizer, tokenizerConfig, modules, sentenceTransformers, sentenceBert] = await Promise.all(
    [
      'tessera.json',
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'modules.json',
      'config_sentence_transformers.json',
      'sentence_bert_config.json',
    ].map(read),
  );
  if (typeof tokenizer !== 'object' || tokenizer === null) {
    throw missingFile(folder, 'tokenizer.json', 'export it with the model (a “fast” tokenizer)');
  }
  const projection = projectionFile(modules);
  const dense = projection === undefined ? undefined : await read(projection);
  const pooling = await read(poolingFile(modules));
  const facts = { tessera, config, tokenizerConfig, modules, dense, pooling, sentenceTransformers, sentenceBert };
  const manifest = resolveManifest(facts, path.basename(folder));
  const graphs = await listGraphs(folder);
  if (graphs.length === 0) throw missingFile(folder, 'onnx/model.onnx', 'export the model to ONNX');
  return {
    folder,
    manifest,
    tokenizer,
    tokenizerConfig: typeof tokenizerConfig === 'object' && tokenizerConfig !== null ? tokenizerConfig : {},
    graphs,
  };
}

/**
 * The graph for a device, relative to the folder.
 *
 * @throws TesseraError `model-missing` when the manifest names a file that is not there.
 */
export function chooseGraph(
  { folder, manifest, graphs }: ModelFolder,
  device: ExecutionProvider,
  processor: ProcessorFacts = thisProcessor(),
): string {
  if (manifest.onnxFile !== null) {
    if (graphs.includes(manifest.onnxFile)) return manifest.onnxFile;
    throw missingFile(folder, manifest.onnxFile, 'correct "onnxFile" in tessera.json');
  }
  for (const name of preferredGraphs(device, processor)) {
    const found = graphs.find((graph) => path.posix.basename(graph) === `${name}.onnx`);
    if (found !== undefined) return found;
  }
  const [first] = graphs;
  if (first === undefined) throw missingFile(folder, 'onnx/model.onnx', 'export the model to ONNX');
  return first;
}

/** How vectors are made of a graph's output, as far as it is part of a model's identity. */
export interface VectorUse {
  /** Of the vectors made. */
  readonly dimension: number;
  /** `none` where the graph's own vector of a text is taken in spite of what the manifest says; else what that says. */
  readonly pooling: Pooling | null;
}

/** Stable identity of a model's vectors: its weights, its tokenizer and how they are used. */
export async function identifyModel(
  model: ModelFolder,
  graph: string,
  { dimension, pooling }: VectorUse,
): Promise<string> {
  const { manifest, folder } = model;
  const data = await externalDataFiles(path.join(folder, graph));
  const files = [graph, 'tokenizer.json', ...data.map((name) => path.posix.join(path.posix.dirname(graph), name))];
  const hashes: (string | undefined)[] = [];
  // One after another: some exports keep each of hundreds of tensors in a file of its own.
  for (const file of files) hashes.push(await ifThere(folder, file, () => fingerprintFile(path.join(folder, file))));
  const { maxTokens, queryPrefix, documentPrefix, outputZeroPoint, padTokenId, firstPosition } = manifest;
  const ofInputs = [maxTokens, queryPrefix, documentPrefix, padTokenId, firstPosition];
  // At the end, and only where it is so: the identity of all other models stays what it was.
  const ofTexts = (['lowercase', 'strip'] as const).filter((change) => manifest[change]);
  const facts = [hashes, dimension, pooling, outputZeroPoint, ...ofInputs, ...ofTexts];
  return `${manifest.name.replace(/[^\w.-]+/g, '-')}-${fingerprintFacts(facts)}`;
}

async function listGraphs(folder: string): Promise<string[]> {
  const inside = async (sub: string): Promise<string[]> => {
    const names = await ifThere(folder, sub, () => readdir(path.join(folder, sub)));
    if (names === undefined) return [];
    return names.filter((name) => name.endsWith('.onnx')).map((name) => path.posix.join(sub, name));
  };
  return [...(await inside('onnx')), ...(await inside('.'))].sort();
}

/** The parsed file, or undefined when there is none. */
async function readJson(folder: string, name: string): Promise<unknown> {
  const text = await ifThere(folder, name, () => readFile(path.join(folder, name), 'utf8'));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(folder, name, error);
  }
}

/** What `read` gives, or undefined when the file is not there. Any other failure is told: memory may be short. */
async function ifThere<T>(folder: string, file: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw unreadable(folder, file, error);
  }
}

function unreadable(folder: string, file: string, cause: unknown): TesseraError {
  if (isOutOfMemoryError(cause)) {
    return new TesseraError('out-of-memory', `There was not enough memory to read ${file} in ${folder}.`, {
      details: { folder, file },
      cause,
    });
  }
  return new TesseraError(
    'model-invalid',
    `The model’s ${file} in ${folder} cannot be read (${errorMessage(cause)}); get the model again.`,
    {
      details: { folder, file },
      cause,
    },
  );
}

function missingFile(folder: string, file: string, remedy: string): TesseraError {
  return new TesseraError('model-missing', `The model folder ${folder} has no ${file}; ${remedy}.`, {
    details: { folder, file },
  });
}

async function isDirectory(folder: string): Promise<boolean> {
  const stats = await ifThere(folder, '.', () => stat(folder));
  return stats?.isDirectory() === true;
}
