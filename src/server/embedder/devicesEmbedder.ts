import { availableParallelism } from 'node:os';
import type { CancellationSignal } from '../../base/cancellation.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';
import { TesseraError, errorMessage, toTesseraError } from '../../base/errors.ts';
import { Emitter, type Event } from '../../base/event.ts';
import { resolveMemoryCeilingMb } from '../../process/memory.ts';
import { countNvidiaGpus } from '../../process/nvidiaTool.ts';
import type { ProcessState } from '../../process/processSupervisor.ts';
import { splitDeviceName } from '../../protocol/deviceNames.ts';
import type {
  DeviceName,
  EmbedParams,
  EmbedResult,
  EmbedderMetrics,
  ExecutionProvider,
  ModelInfo,
  TokenVectors,
  TokenVectorsParams,
} from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import type { Embedder } from './embedder.ts';
import { type EmbedderClientOptions, withCancellation } from './embedderClient.ts';
import { EmbedderPool } from './embedderPool.ts';

type Models = Readonly<Record<Scope, ModelInfo>>;

/** What several devices came to: which work, and why others do not. */
interface Outcome {
  readonly devices: readonly DeviceName[];
  readonly reasons: readonly string[];
}

/**
 * Several devices behind one queue, each with a process of its own: those a person names, or all graphics processors where `auto` or
 * `cuda` finds that there are several. A device that cannot be had leaves the work to the others, and its reason is told; where
 * none can, the processor does it alone, as if it had been asked for.
 */
export class DevicesEmbedder extends Disposable implements Embedder {
  readonly #options: EmbedderClientOptions;
  readonly #createForDevice: (options: EmbedderClientOptions) => Embedder;
  readonly #countGpus: () => Promise<number>;
  readonly #stateEmitter = this.own(new Emitter<ProcessState>());
  readonly onState: Event<ProcessState> = this.#stateEmitter.event;
  #inner: Embedder;
  #innerState: DisposableLike | undefined;
  #ready: Promise<void> | undefined;
  #outcome: Outcome | undefined;

  /** `createForDevice` makes the embedder of a single device. */
  constructor(
    options: EmbedderClientOptions,
    createForDevice: (options: EmbedderClientOptions) => Embedder,
    countGpus: () => Promise<number> = () => countNvidiaGpus(),
  ) {
    super();
    this.#options = options;
    this.#createForDevice = createForDevice;
    this.#countGpus = countGpus;
    const { devices = [] } = options.settings;
    this.#inner = devices.length > 1 ? new EmbedderPool(membersFor(options, devices)) : createForDevice(options);
    this.#follow(this.#inner);
  }

  get state(): ProcessState {
    return this.#inner.state;
  }

  get restarts(): number {
    return this.#inner.restarts;
  }

  async open(signal?: CancellationSignal): Promise<Models> {
    await this.#prepared(signal);
    const models = await this.#inner.open(signal);
    const outcome = this.#outcome;
    if (outcome === undefined) return models;
    const devices = outcome.devices.length > 1 ? { devices: outcome.devices } : {};
    const told = (model: ModelInfo): ModelInfo => {
      const reasons = [...outcome.reasons, ...(model.fallbackReason === null ? [] : [model.fallbackReason])];
      return { ...model, ...devices, fallbackReason: reasons.length === 0 ? null : [...new Set(reasons)].join(' ') };
    };
    return { code: told(models.code), docs: told(models.docs) };
  }

  async embed(params: EmbedParams, signal?: CancellationSignal): Promise<EmbedResult> {
    await this.#prepared(signal);
    return this.#inner.embed(params, signal);
  }

  async embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    await this.#prepared(signal);
    return this.#inner.embedTokens(params, signal);
  }

  async countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array> {
    await this.#prepared(signal);
    return this.#inner.countTokens(texts, scope, signal);
  }

  metrics(): Promise<EmbedderMetrics | null> {
    return this.#inner.metrics();
  }

  forgive(): void {
    this.#inner.forgive();
  }

  override dispose(): void {
    this.#innerState?.dispose();
    this.#inner.dispose();
    super.dispose();
  }

  async #prepared(signal: CancellationSignal | undefined): Promise<void> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      // A person may mend what was wrong, and ask again.
      this.#ready = undefined;
      throw error;
    });
    await withCancellation(this.#ready, signal);
  }

  async #prepare(): Promise<void> {
    const { device, devices = [device] } = this.#options.settings;
    if (devices.length > 1) return this.#settle(devices);
    const models = await this.#inner.open();
    if (!SCOPES.some((scope) => models[scope].device === 'cuda')) return;
    const count = await this.#countGpus();
    if (count < 2 || this.isDisposed) return;
    const all = Array.from({ length: count }, (_, id): DeviceName => `cuda:${id}`);
    // `auto` loads the graph of a processor, which the index is named for.
    const graphFor = device === 'auto' ? 'cpu' : 'cuda';
    this.#replace(new EmbedderPool(membersFor(this.#options, all, graphFor)));
    await this.#settle(all);
  }

  /** Opens several devices, and keeps those that work. */
  async #settle(names: readonly DeviceName[]): Promise<void> {
    const pool = this.#inner;
    if (!(pool instanceof EmbedderPool)) return;
    const opened = await pool.openEach();
    if (this.isDisposed) throw new TesseraError('disposed', 'The embedder was shut down.');
    const isAtWork = opened.map((result, place) => result.status === 'fulfilled' && isOn(names[place], result.value));
    const reasons = opened.flatMap((result, place) => (isAtWork[place] === true ? [] : [reasonOf(result)]));
    const working = names.filter((_, place) => isAtWork[place]);
    if (opened.every(({ status }) => status === 'rejected')) {
      for (const result of opened) if (result.status === 'rejected') throw toTesseraError(result.reason);
    }
    if (reasons.length > 0)
      this.#options.logger.warn('not every device is in use', {
        working: working.join(),
        reasons: reasons.join(' '),
      });
    this.#outcome = { devices: working, reasons };
    if (working.some((name) => name !== 'cpu')) pool.drop([...isAtWork.keys()].filter((place) => !isAtWork[place]));
    else this.#replace(this.#createForDevice(alone(this.#options)));
  }

  /** Lets the processes go that went on with the processor for a lost device, but for the last. */
  #dropLost(): void {
    const pool = this.#inner;
    if (this.isDisposed || this.#outcome === undefined || !(pool instanceof EmbedderPool)) return;
    const { devices, reasons } = this.#outcome;
    // Sessions on the processor, where no device could be had.
    if (devices.every((name) => name === 'cpu')) return;
    const running = [...pool.running.entries()].flatMap(([place, models]) =>
      models === undefined ? [] : [{ place, models, isAtWork: isOn(devices[place], models) }],
    );
    const lost = running.filter(({ isAtWork }) => !isAtWork);
    const gone = lost.length < running.length ? lost : lost.slice(1);
    if (gone.length === 0) return;
    const goneReasons = gone.map(({ models }) => reasonOf({ status: 'fulfilled', value: models }));
    this.#options.logger.warn('a device is no longer in use', { reasons: goneReasons.join(' ') });
    const places = gone.map(({ place }) => place);
    this.#outcome = {
      devices: devices.filter((_, place) => !places.includes(place)),
      reasons: [...reasons, ...goneReasons],
    };
    pool.drop(places);
    this.#stateEmitter.fire(this.state);
  }

  #replace(embedder: Embedder): void {
    this.#inner.dispose();
    this.#inner = embedder;
    this.#follow(embedder);
  }

  #follow(embedder: Embedder): void {
    this.#innerState?.dispose();
    this.#innerState = embedder.onState((state) => {
      this.#stateEmitter.fire(state);
      // Not while a process is telling of itself.
      queueMicrotask(() => this.#dropLost());
    });
  }
}

/** Whether a process works on the device it was given, with one of its models at least. */
function isOn(name: DeviceName | undefined, models: Models): boolean {
  return name === 'cpu' || SCOPES.some((scope) => models[scope].device !== 'cpu');
}

function reasonOf(result: PromiseSettledResult<Models>): string {
  if (result.status === 'rejected') return errorMessage(result.reason);
  return SCOPES.map((scope) => result.value[scope].fallbackReason).find((reason) => reason !== null) ?? '';
}

/** The processor with all threads and memory, as if it had been asked for. */
function alone(options: EmbedderClientOptions): EmbedderClientOptions {
  const { devices: _, ...settings } = options.settings;
  return { ...options, settings: { ...settings, device: 'cpu' } };
}

/**
 * Options of a process for each device. All load the same graph: texts of one index are embedded by any of them. That of a
 * processor, where one is among them. A processor has the threads that the others leave, which need one each to feed their device.
 */
function membersFor(
  options: EmbedderClientOptions,
  names: readonly DeviceName[],
  graphFor: ExecutionProvider = names.includes('cpu') ? 'cpu' : providerOf(names),
): readonly EmbedderClientOptions[] {
  const { devices: _, ...settings } = options.settings;
  const processes = names.length;
  const threads = settings.threads > 0 ? settings.threads : availableParallelism();
  return names.map((device) => {
    const own = { ...settings, device, graphFor: { code: graphFor, docs: graphFor } };
    if (!names.includes('cpu')) return { ...options, processes, settings: own };
    const memoryCeilingMb = Math.max(1, resolveMemoryCeilingMb(settings.memoryCeilingMb, processes));
    const ownThreads = device === 'cpu' ? Math.max(1, threads - (processes - 1)) : 1;
    return { ...options, processes: 1, settings: { ...own, threads: ownThreads, memoryCeilingMb } };
  });
}

/** Graphics processors of all providers run the same kind of graph. */
function providerOf([first = 'cpu']: readonly DeviceName[]): ExecutionProvider {
  const { provider } = splitDeviceName(first);
  return provider === 'auto' ? 'cpu' : provider;
}
