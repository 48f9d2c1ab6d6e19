import { availableParallelism } from 'node:os';
import { TesseraError } from '../base/errors.ts';
import { isOutOfMemoryError } from '../embedding/outOfMemory.ts';
import type { RunOutput } from '../embedding/pooling.ts';
import type { ModelManifest } from '../embedding/modelManifest.ts';
import type { ExecutionProvider } from '../protocol/embedder.ts';
import { type GraphPorts, readGraphPorts } from './graphPorts.ts';
import { InputMemory, buildFeeds } from './inputTensors.ts';
import { InferenceSession, type SessionOptions } from './onnxRuntime.ts';
import { readOutput } from './outputVectors.ts';
import { runtimeMessage } from './runtimeMessage.ts';
import { TokenCounter, type TextInput, wholeText } from './textInput.ts';
import type { TokenIds } from './textTokenizer.ts';

export interface GraphOptions {
  /** Absolute path of the ONNX file. */
  readonly file: string;
  readonly provider: ExecutionProvider;
  /** Number of the provider's device; null leaves it to the runtime, which takes the first. */
  readonly deviceId: number | null;
  /** Threads of one run; 0 takes one for each processor the process may use. */
  readonly threads: number;
}

/** An ONNX graph on one device. `run` computes on the calling thread. */
export class OnnxSession {
  #options: GraphOptions;
  readonly ports: GraphPorts;
  readonly #manifest: ModelManifest;
  readonly #counter = new TokenCounter();
  #session: InferenceSession | undefined;
  /** Not there while a run reads it. */
  #memory: InputMemory | undefined;

  private constructor(options: GraphOptions, manifest: ModelManifest, session: InferenceSession, ports: GraphPorts) {
    this.#options = options;
    this.ports = ports;
    this.#manifest = manifest;
    this.#session = session;
  }

  get options(): GraphOptions {
    return this.#options;
  }

  /** Threads of one run, at least 1. */
  get threads(): number {
    return threadsOf(this.#options);
  }

  /**
   * Loads a graph. Rejects with `device-unavailable` when the provider can't be had, `model-invalid` when the file
   * can't be read, or `model-unsupported` when its inputs can't be filled.
   */
  static async open(options: GraphOptions, manifest: ModelManifest): Promise<OnnxSession> {
    const session = await createSession(options);
    const ports = readGraphPorts(session.inputMetadata, session.outputMetadata, manifest, options.file);
    return new OnnxSession(options, manifest, session, ports);
  }

  /** What the graph is fed with of a text. */
  inputOf(ids: TokenIds): TextInput {
    return this.ports.countsTokens ? this.#counter.count(ids) : wholeText(ids);
  }

  /** Computes one run; every row is padded to `length`. Rejects with whatever the runtime throws. */
  async run(texts: readonly TextInput[], length: number): Promise<RunOutput> {
    const { padTokenId, firstPosition, outputZeroPoint } = this.#manifest;
    const session = (this.#session ??= await createSession(this.#options));
    const memory = this.#memory ?? new InputMemory();
    this.#memory = undefined;
    const feeds = buildFeeds(this.ports, texts, { length, padTokenId, firstPosition }, memory);
    const { name } = this.ports.output;
    const outputs = await session.run(feeds, [name]);
    this.#memory = memory;
    const tensor = outputs[name];
    if (tensor === undefined) throw new TesseraError('model-invalid', `The model gave no output ${name}.`);
    return readOutput(tensor, name, outputZeroPoint);
  }

  /** Loads the graph again, to run on so many threads. Rejects as `open` does. */
  async useThreads(threads: number): Promise<void> {
    if (threads === this.#options.threads) return;
    await this.release();
    this.#options = { ...this.#options, threads };
    this.#session = await createSession(this.#options);
  }

  /** Gives back the memory the runtime keeps between runs; the next run loads the graph again. */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#memory = undefined;
    await session?.release();
  }
}

function threadsOf({ threads }: Pick<GraphOptions, 'threads'>): number {
  return threads === 0 ? defaultThreads() : threads;
}

/** Threads used when nobody says otherwise. */
export function defaultThreads(): number {
  return availableParallelism();
}

/**
 * Threads of a run wait for each other's parts many times. By default they spin for that, which on a busy machine takes
 * the processor from whom they wait for: measured there (load 8 on 2 cores, MiniLM shape, interleaved), spinning for 20 µs
 * at most and cutting work into finer blocks takes half the time of the defaults, with nothing lost on short runs.
 */
const THREADING = { dynamic_block_base: '4', intra_op: { spin_duration_us: '20' } } as const;

/** How a session is made; what each option is worth is measured by `bench/sessionOptions.ts`. */
export function sessionOptions(options: Omit<GraphOptions, 'file'>): SessionOptions {
  const { provider, deviceId } = options;
  return {
    executionProviders: [deviceId === null ? provider : { name: provider, deviceId }],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threadsOf(options),
    interOpNumThreads: 1,
    enableCpuMemArena: true,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { set_denormal_as_zero: '1', ...THREADING } },
  };
}

async function createSession(options: GraphOptions): Promise<InferenceSession> {
  const { file, provider, deviceId } = options;
  try {
    return await InferenceSession.create(file, sessionOptions(options));
  } catch (error) {
    const details = { file, provider };
    if (isOutOfMemoryError(error)) {
      throw new TesseraError('out-of-memory', `There was not enough memory to load ${file}.`, {
        details,
        cause: error,
      });
    }
    if (provider === 'cpu') {
      throw new TesseraError('model-invalid', `The model file ${file} cannot be loaded (${runtimeMessage(error)}).`, {
        details,
        cause: error,
      });
    }
    const name = deviceId === null ? provider : `${provider}:${deviceId}`;
    throw new TesseraError('device-unavailable', `The device ${name} cannot be used (${runtimeMessage(error)}).`, {
      details,
      cause: error,
    });
  }
}
