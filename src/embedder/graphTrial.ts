import path from 'node:path';
import { TesseraError, errorMessage, isTesseraError } from '../base/errors.ts';
import { DEVICE_LIMITS } from '../embedding/deviceLimits.ts';
import type { ModelManifest } from '../embedding/modelManifest.ts';
import { type Pooling, type RunOutput, poolToUnitVectors } from '../embedding/pooling.ts';
import type { ExecutionProvider } from '../protocol/embedder.ts';
import type { DeviceTrial } from './deviceChoice.ts';
import type { ModelFolder } from './modelFolder.ts';
import { type GraphOptions, OnnxSession } from './onnxSession.ts';
import type { TextInput } from './textInput.ts';
import type { TokenIds } from './textTokenizer.ts';

/** On one thread a transformer takes ten microseconds a token and more, a look-up far below one: this lies between, on any processor. */
const STATIC_MODEL_US_PER_TOKEN = 4;
/** Rows of the probe in a timed run that tells look-ups from networks. */
const STATIC_PROBE_ROWS = 16;
/** Timed runs; the quickest counts, the others met with something else on the machine. */
const ROUNDS = 3;
/** A graph is not taken for a network's before it was timed for so long: three look-ups are over before a neighbour has gone. */
const LEAST_TRIAL_MS = 60;

/** A model's graph on one device that has run once, so that the device is known to work. */
export class GraphTrial implements DeviceTrial {
  readonly graph: OnnxSession;
  /** Relative to the model's folder. */
  readonly graphName: string;
  /** Numbers the graph gives for one vector. */
  readonly width: number;
  readonly #probe: TextInput;
  readonly #isFinite: boolean;

  private constructor(graph: OnnxSession, graphName: string, width: number, probe: TextInput, isFinite: boolean) {
    this.graph = graph;
    this.graphName = graphName;
    this.width = width;
    this.#probe = probe;
    this.#isFinite = isFinite;
  }

  /** Rejects with `device-unavailable`, `model-invalid` or `model-unsupported`. */
  static async open(
    { folder, manifest }: ModelFolder,
    graphName: string,
    device: Pick<GraphOptions, 'provider' | 'deviceId' | 'threads'>,
    probeIds: TokenIds,
  ): Promise<GraphTrial> {
    const { provider } = device;
    const graph = await OnnxSession.open({ file: path.join(folder, graphName), ...device }, manifest);
    try {
      const probe = graph.inputOf(probeIds);
      const output = await graph.run([probe], probe.ids.length);
      const { width } = output;
      const isFinite = isFinitePooled(output, probe.ids.length, poolingOf(manifest, graph));
      return new GraphTrial(graph, graphName, width, probe, isFinite);
    } catch (error) {
      await graph.release();
      if (isTesseraError(error)) throw error;
      throw cannotBeRun(graphName, provider, errorMessage(error), error);
    }
  }

  check(): void {
    if (this.#isFinite) return;
    throw cannotBeRun(this.graphName, this.graph.options.provider, 'its vector of a plain text is not finite');
  }

  async measure(): Promise<number> {
    const { baseTokens } = DEVICE_LIMITS[this.graph.options.provider];
    return this.#tokensPerSecond(Math.max(1, Math.floor(baseTokens / this.#probe.ids.length)));
  }

  /** Whether the graph only looks vectors up; it runs on one thread then. */
  looksStatic(): Promise<boolean> {
    return isLookUp(this.graph, () => this.#tokensPerSecond(STATIC_PROBE_ROWS));
  }

  release(): Promise<void> {
    return this.graph.release();
  }

  async #tokensPerSecond(count: number): Promise<number> {
    const rows = Array.from({ length: count }, () => this.#probe);
    let leastMs = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      await this.graph.run(rows, this.#probe.ids.length);
      leastMs = Math.min(leastMs, performance.now() - startedMs);
    }
    return (count * this.#probe.ids.length * 1000) / leastMs;
  }
}

function cannotBeRun(file: string, provider: ExecutionProvider, why: string, cause?: unknown): TesseraError {
  const code = provider === 'cpu' ? 'model-invalid' : 'device-unavailable';
  const details = { file, provider };
  return new TesseraError(code, `The model’s ${file} cannot be run on ${provider} (${why}).`, { details, cause });
}

/** How a text's vector is made of what its graph gives. */
export function poolingOf(manifest: ModelManifest, graph: Pick<OnnxSession, 'ports'>): Pooling {
  return graph.ports.output.perToken ? (manifest.pooling ?? 'mean') : 'none';
}

/** Whether the vector of a run's one text is made of numbers, whose memory is used up by it: a driver may compute nonsense without a word, and another device is better than an index of it. */
function isFinitePooled(output: RunOutput, tokens: number, pooling: Pooling): boolean {
  try {
    poolToUnitVectors(output, [tokens], pooling, output.width);
    return true;
  } catch (error) {
    if (isTesseraError(error, 'embedder-failed')) return false;
    throw error;
  }
}

/**
 * Whether a graph only looks vectors up, on the processor: by the time a run takes on one thread, since no file says. The ops do not
 * tell either: look-ups have products of matrices too, and an exporter's own ops are unlike any other's. What follows from it, one
 * thread and limits for runs that are over before others have begun, is right for whatever is as quick as that on one thread; on all
 * threads of a large machine small networks are. Elsewhere a run is to fill the device, whatever it computes: never there.
 *
 * @param tokensPerSecond Of a run on the threads the graph has; a graph that is quick on one is left with that one.
 */
export async function isLookUp(
  graph: Pick<OnnxSession, 'options' | 'threads' | 'useThreads'>,
  tokensPerSecond: () => Promise<number>,
): Promise<boolean> {
  const { provider, threads } = graph.options;
  if (provider !== 'cpu') return false;
  // On all threads first: for a network of any size the graph is not loaded again.
  if (!(await isQuick(tokensPerSecond))) return false;
  if (graph.threads === 1) return true;
  await graph.useThreads(1);
  if (await isQuick(tokensPerSecond)) return true;
  await graph.useThreads(threads);
  return false;
}

async function isQuick(tokensPerSecond: () => Promise<number>): Promise<boolean> {
  const enough = 1e6 / STATIC_MODEL_US_PER_TOKEN;
  const startedMs = performance.now();
  for (;;) {
    if ((await tokensPerSecond()) > enough) return true;
    if (performance.now() - startedMs >= LEAST_TRIAL_MS) return false;
  }
}
