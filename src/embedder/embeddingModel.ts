import path from 'node:path';
import { TesseraError, isTesseraError } from '../base/errors.ts';
import { outputDimension, requireProjection } from '../embedding/modelManifest.ts';
import { isOutOfMemoryError } from '../embedding/outOfMemory.ts';
import { type Pooling, type RunOutput, poolToUnitVectors, unitTokenVectors } from '../embedding/pooling.ts';
import type { EmbedderSettings, ExecutionProvider, ModelInfo, OpenParams, TextRole } from '../protocol/embedder.ts';
import { splitDeviceName } from '../protocol/deviceNames.ts';
import { chooseDevice } from './deviceChoice.ts';
import { bundledProviders } from './executionProviders.ts';
import { GraphTrial, poolingOf } from './graphTrial.ts';
import type { KnownDevice, KnownDevices } from './knownDevices.ts';
import { type ModelFolder, chooseGraph, identifyModel, readModelFolder } from './modelFolder.ts';
import { RUNTIME_VERSION } from './onnxRuntime.ts';
import type { OnnxSession } from './onnxSession.ts';
import type { TextInput } from './textInput.ts';
import { runtimeMessage } from './runtimeMessage.ts';
import { TextTokenizer } from './textTokenizer.ts';

/** Run once after loading: shows that the device works and how long vectors are. */
const PROBE_TEXT = 'function add(a, b) { return a + b; }';

/**
 * A look-up is over before other threads have begun: measured with two, runs of 512 tokens are 1.3 times as fast on one, runs of
 * 4,096 as fast, and the other processor is free for whoever reads, cuts and stores.
 */
const LOOK_UP_THREADS = 1;

export type ModelSettings = Pick<EmbedderSettings, 'device' | 'threads'> &
  Partial<Pick<OpenParams, 'processorOnly'>> & {
    /** The device whose kind of graph is loaded whatever runs it; its own when left out. */
    readonly graphFor?: ExecutionProvider | undefined;
    /** Threads of a model that only looks vectors up, where somebody has chosen them. */
    readonly lookUpThreads?: number | undefined;
    /** Keeps what `auto` comes to. */
    readonly knownDevices?: KnownDevices | undefined;
  };

/** A model ready to embed: text in, unit vectors out. */
export class EmbeddingModel {
  readonly info: ModelInfo;
  /** Whether the graph only looks vectors up: a run's overhead then weighs more than its work. */
  readonly isStatic: boolean;
  readonly #tokenizer: TextTokenizer;
  readonly #graph: OnnxSession;
  readonly #prefixes: Readonly<Record<TextRole, string>>;
  readonly #lowercase: boolean;
  readonly #strip: boolean;
  readonly #pooling: Pooling;
  /** What `info.id` would be with the graph's and the tokenizer's files as they are now. */
  readonly #identify: () => Promise<string>;
  /** Whether the next run loads the graph again. */
  #isReleased = false;

  private constructor(
    info: ModelInfo,
    folder: ModelFolder,
    tokenizer: TextTokenizer,
    graph: OnnxSession,
    isStatic: boolean,
    identify: () => Promise<string>,
  ) {
    this.info = info;
    this.#identify = identify;
    this.#tokenizer = tokenizer;
    this.#graph = graph;
    this.#prefixes = { query: folder.manifest.queryPrefix, document: folder.manifest.documentPrefix };
    this.#lowercase = folder.manifest.lowercase;
    this.#strip = folder.manifest.strip;
    this.#pooling = poolingOf(folder.manifest, graph);
    this.isStatic = isStatic;
  }

  /**
   * Loads the model in a folder on the best device that works. Rejects with `model-missing`, `model-invalid`,
   * `model-unsupported` or `out-of-memory`.
   */
  static async open(folderPath: string, settings: ModelSettings): Promise<EmbeddingModel> {
    const folder = await readModelFolder(folderPath);
    const { manifest } = folder;
    const tokenizer = new TextTokenizer(folder.tokenizer, folder.tokenizerConfig, manifest.maxTokens);
    const probe = tokenizer.encode(PROBE_TEXT);
    const processorOnly = settings.processorOnly ?? null;
    const device = processorOnly === null ? settings.device : 'cpu';
    const { deviceId } = splitDeviceName(device);
    // For `auto` the graph must not depend on what happens to win: its vectors would have another identity.
    const graphOn = (provider: ExecutionProvider): string =>
      chooseGraph(folder, settings.graphFor ?? (settings.device === 'auto' ? 'cpu' : provider));
    const open = (provider: ExecutionProvider): Promise<GraphTrial> => {
      const own = { provider, deviceId: provider === 'cpu' ? null : deviceId, threads: settings.threads };
      return GraphTrial.open(folder, graphOn(provider), own, probe);
    };
    const providers = bundledProviders();
    const choose = (known?: KnownDevice) => chooseDevice(device, providers, open, known);
    const { knownDevices, threads } = settings;
    const graphFile = path.join(folderPath, graphOn('cpu'));
    const question = { graphFile, threads, providers, runtimeVersion: RUNTIME_VERSION };
    if (settings.device === 'auto' && processorOnly !== null) await knownDevices?.leave(question, processorOnly);
    const { trial, fallbackReason } = await (device === 'auto' && knownDevices !== undefined
      ? knownDevices.remembering(question, choose)
      : choose());
    try {
      return await EmbeddingModel.#of(trial, { folder, tokenizer, settings, fallbackReason });
    } catch (error) {
      // Who tries again is to find its memory free.
      await trial.release().catch(() => undefined);
      throw error;
    }
  }

  static async #of(
    trial: GraphTrial,
    {
      folder,
      tokenizer,
      settings,
      fallbackReason,
    }: {
      readonly folder: ModelFolder;
      readonly tokenizer: TextTokenizer;
      readonly settings: ModelSettings;
      readonly fallbackReason: string | null;
    },
  ): Promise<EmbeddingModel> {
    const { manifest } = folder;
    const { graph, graphName } = trial;
    const isStatic = await trial.looksStatic();
    if (isStatic && graph.options.provider === 'cpu') await graph.useThreads(settings.lookUpThreads ?? LOOK_UP_THREADS);
    const { perToken } = graph.ports.output;
    if (perToken) requireProjection(manifest, trial.width);
    const dimension = outputDimension(manifest, trial.width);
    // Null stays null: whether it means the graph's pooling or a mean, the graph decides, and that is in the identity.
    const pooling = perToken || manifest.pooling === null ? manifest.pooling : 'none';
    const identify = (): Promise<string> => identifyModel(folder, graphName, { dimension, pooling });
    const info: ModelInfo = {
      id: await identify(),
      name: manifest.name,
      dimension,
      maxTokens: manifest.maxTokens,
      device: graph.options.provider,
      fallbackReason: settings.processorOnly ?? fallbackReason,
      multiVector: manifest.multiVector && perToken,
    };
    return new EmbeddingModel(info, folder, tokenizer, graph, isStatic, identify);
  }

  /** Whether the texts of a run lie one after another in it, without padding. */
  get isBag(): boolean {
    return this.#graph.ports.isBag;
  }

  /** Threads of a run on the processor; at least 1. */
  get threads(): number {
    return this.#graph.threads;
  }

  /** Whether a run has each token of a text once: a text's length in it is then that of its vocabulary. */
  get countsTokens(): boolean {
    return this.#graph.ports.countsTokens;
  }

  /** A text with the prefix of its role, cut to the model's length, as a run takes it. */
  encode(text: string, role: TextRole): TextInput {
    const whole = this.#prefixes[role] + text;
    return this.#graph.inputOf(this.#tokenizer.encode(this.#asRead(this.#strip ? whole.trim() : whole)));
  }

  /** Tokens of a text as it is: no prefix, no special tokens, not cut. */
  countTokens(text: string): number {
    return this.#tokenizer.count(this.#asRead(text));
  }

  #asRead(text: string): string {
    return this.#lowercase ? text.toLowerCase() : text;
  }

  /**
   * Embeds texts in one run, each padded to `length` tokens: unit vectors, row-major. Rejects with `out-of-memory` when
   * a smaller run might do, with `model-invalid` when the graph had to be loaded again and is another one, else with `embedder-failed`: also when one text's
   * vector is not finite, the others' may be.
   */
  run(texts: readonly TextInput[], length: number): Promise<Float32Array> {
    return this.#run(texts, length, (output, tokenCounts) =>
      poolToUnitVectors(output, tokenCounts, this.#pooling, this.info.dimension),
    );
  }

  /** The same without pooling: a unit vector for each token, row by row, padding left out. For multi-vector models. */
  runTokens(texts: readonly TextInput[], length: number): Promise<Float32Array> {
    return this.#run(texts, length, (output, tokenCounts) =>
      unitTokenVectors(output, tokenCounts, this.info.dimension),
    );
  }

  async #run(
    texts: readonly TextInput[],
    length: number,
    vectorsOf: (output: RunOutput, tokenCounts: readonly number[]) => Float32Array,
  ): Promise<Float32Array> {
    // Lengths are rounded up in steps where that spares a device work; a table of positions may end before the last step.
    const longest = texts.reduce((most, { ids }) => Math.max(most, ids.length), 0);
    const padded = Math.max(longest, Math.min(length, this.info.maxTokens));
    try {
      if (this.#isReleased) await this.#requireUnchanged();
      const output = await this.#graph.run(texts, padded);
      this.#isReleased = false;
      return vectorsOf(
        output,
        texts.map(({ ids }) => ids.length),
      );
    } catch (error) {
      if (isTesseraError(error)) throw error;
      const code = isOutOfMemoryError(error) ? 'out-of-memory' : 'embedder-failed';
      const details = { texts: texts.length, length };
      throw new TesseraError(code, `A run of ${texts.length} × ${length} tokens failed (${runtimeMessage(error)}).`, {
        details,
        cause: error,
      });
    }
  }

  /** Gives back the memory the runtime keeps; the next run loads the graph again. */
  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#graph.release();
  }

  async #requireUnchanged(): Promise<void> {
    const { id, name } = this.info;
    if ((await this.#identify()) === id) return;
    throw new TesseraError(
      'model-invalid',
      `The files of the model ${name} have changed since it was opened; reload the window, or restart the command.`,
      { details: { model: name } },
    );
  }
}
