import path from 'node:path';
import { TesseraError, isTesseraError } from '../base/errors.ts';
import { DEVICE_LIMITS } from '../embedding/deviceLimits.ts';
import type { ModelManifest } from '../embedding/modelManifest.ts';
import { isOutOfMemoryError } from '../embedding/outOfMemory.ts';
import { type Pooling, type RunOutput, poolToUnitVectors } from '../embedding/pooling.ts';
import type { ExecutionProvider } from '../protocol/embedder.ts';
import type { DeviceTrial } from './deviceChoice.ts';
import type { GraphPorts } from './graphPorts.ts';
import type { ModelFolder } from './modelFolder.ts';
import { type GraphOptions, OnnxSession } from './onnxSession.ts';
import { runtimeMessage } from './runtimeMessage.ts';
import type { TextInput } from './textInput.ts';
import type { TokenIds } from './textTokenizer.ts';

/** On one thread a transformer takes ten microseconds a token and more, a look-up far below one: this lies between, on any processor. */
const STATIC_MODEL_US_PER_TOKEN = 4;
/**
 * Rows of the probe in the first timed run that tells look-ups from networks (a large network takes seconds for more than one), in the longest, and the ms from which on a
 * run's time is not what any run takes, whatever it computes: most of a millisecond on a slow processor, where 16 rows of a look-up seemed a network's.
 */
const LOOK_UP_PROBE: GrowingRuns = { leastRows: 1, mostRows: 256, longMs: 5 };
/** Timed runs; the quickest counts, the others met with something else on the machine, or built programs for their shape. */
const ROUNDS = 3;
/** So many times the rows next, while a device's runs are short: one that is slow must not be asked for a long one. */
const GROWTH = 4;
/** A run that takes so long (in ms) has shown what a device can do. */
const LONG_MS = 150;
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
  /** Undefined before it was looked at. */
  #isStatic: boolean | undefined;

  private constructor(graph: OnnxSession, graphName: string, width: number, probe: TextInput, isFinite: boolean) {
    this.graph = graph;
    this.graphName = graphName;
    this.width = width;
    this.#probe = probe;
    this.#isFinite = isFinite;
  }

  /** Rejects with `device-unavailable`, `model-invalid`, `model-unsupported` or `out-of-memory`. */
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
      if (isOutOfMemoryError(error)) {
        const message = `There was not enough memory to run the model’s ${graphName} on ${provider}.`;
        throw new TesseraError('out-of-memory', message, { details: { file: graphName, provider }, cause: error });
      }
      throw cannotBeRun(graphName, provider, runtimeMessage(error), error);
    }
  }

  check(): void {
    if (this.#isFinite) return;
    throw cannotBeRun(this.graphName, this.graph.options.provider, 'its vector of a plain text is not finite');
  }

  async measure(): Promise<number> {
    const { length } = this.#probe.ids;
    const { baseTokens } = DEVICE_LIMITS[this.graph.options.provider];
    const mostRows = Math.max(1, Math.floor(baseTokens / length));
    return this.#tokensPerSecond({ leastRows: 1, mostRows, longMs: LONG_MS });
  }

  /** Whether the graph only looks vectors up; it runs on one thread then. */
  async looksStatic(): Promise<boolean> {
    this.#isStatic ??= await isLookUp(this.graph, () => this.#tokensPerSecond(LOOK_UP_PROBE));
    return this.#isStatic;
  }

  release(): Promise<void> {
    return this.graph.release();
  }

  async #tokensPerSecond(sizes: GrowingRuns): Promise<number> {
    return this.#probe.ids.length * (await bestRowsPerSecond(sizes, (rows) => this.#timeRun(rows)));
  }

  /** Milliseconds of a run of so many rows. */
  async #timeRun(count: number): Promise<number> {
    const rows = Array.from({ length: count }, () => this.#probe);
    const startedMs = performance.now();
    await this.graph.run(rows, this.#probe.ids.length);
    return performance.now() - startedMs;
  }
}

/** Sizes of the runs that are timed, each some times that before it, and the ms from which on none is made larger. */
export interface GrowingRuns {
  readonly leastRows: number;
  readonly mostRows: number;
  readonly longMs: number;
}

/**
 * The most rows a second in runs of the least rows, of several times as many and so on to the most, or to the first size that takes long: on a
 * graphics processor that is none, but a program which imitates one, a run of common size takes minutes.
 *
 * @param timeRun Milliseconds of a run of so many rows.
 */
export async function bestRowsPerSecond(
  { leastRows, mostRows, longMs }: GrowingRuns,
  timeRun: (rows: number) => Promise<number>,
): Promise<number> {
  let best = 0;
  for (let rows = leastRows; ; rows = Math.min(mostRows, rows * GROWTH)) {
    let leastMs = await timeRun(rows);
    for (let round = 1; round < ROUNDS && (round === 1 || leastMs < longMs); round++)
      leastMs = Math.min(leastMs, await timeRun(rows));
    best = Math.max(best, (rows * 1000) / leastMs);
    if (rows === mostRows || leastMs >= longMs) return best;
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
 * Whether a graph only looks vectors up, on the processor. One that takes a text as a bag, with each token once or texts one after another, can
 * do nothing else. Others are told by the time a run takes on one thread, since no file says. The ops do not
 * tell either: look-ups have products of matrices too, and an exporter's own ops are unlike any other's. What follows from it, one
 * thread and limits for runs that are over before others have begun, is right for whatever is as quick as that on one thread; on all
 * threads of a large machine small networks are. Elsewhere a run is to fill the device, whatever it computes: never there.
 *
 * @param tokensPerSecond Of a run on the threads the graph has; a graph that is quick on one is left with that one.
 */
export async function isLookUp(
  graph: Pick<OnnxSession, 'options' | 'threads' | 'useThreads'> & {
    readonly ports: Pick<GraphPorts, 'isBag' | 'countsTokens'>;
  },
  tokensPerSecond: () => Promise<number>,
): Promise<boolean> {
  const { provider, threads } = graph.options;
  if (provider !== 'cpu') return false;
  if (graph.ports.isBag || graph.ports.countsTokens) {
    await graph.useThreads(1);
    return true;
  }
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
