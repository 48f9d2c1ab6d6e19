import { type CancellationSignal, cancelledError, throwIfCancelled } from '../../base/cancellation.ts';
import type { Clock } from '../../base/clock.ts';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';
import { TesseraError, isTesseraError } from '../../base/errors.ts';
import type { Event } from '../../base/event.ts';
import type { Logger } from '../../base/logger.ts';
import { exitLooksLikeOutOfMemory } from '../../embedding/outOfMemory.ts';
import { paddedTokens } from '../../embedding/runShape.ts';
import type { ChildHandle } from '../../process/childProcess.ts';
import {
  type ProcessDeath,
  type ProcessState,
  ProcessSupervisor,
  type RunningChild,
} from '../../process/processSupervisor.ts';
import type { RestartPolicy } from '../../process/restartPolicy.ts';
import {
  type DeviceName,
  type EmbedParams,
  type EmbedResult,
  type EmbedderEvents,
  type EmbedderMetrics,
  type EmbedderRequests,
  type EmbedderSettings,
  type ModelInfo,
  type TokenVectors,
  type TokenVectorsParams,
} from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import type { Params, Result } from '../../protocol/wire.ts';
import { EmbedJob } from './embedJob.ts';
import type { Embedder } from './embedder.ts';
import { HangWatch } from './hangWatch.ts';
import { withTheDead } from './metricsInTurn.ts';
import { PieceSender } from './pieceSender.ts';
import { RestartTerms } from './restartTerms.ts';

/** Loading is tried again after these pauses when memory is short, which it often is only while something else goes on: a build takes a minute. */
const LOADING_PAUSES_MS = [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000] as const;

/** Figures are asked for so often while there is work: what a process did since is not counted when it dies. */
const FIGURES_APART_MS = 2000;

type Child = RunningChild<EmbedderRequests, EmbedderEvents>;

export interface EmbedderClientOptions {
  readonly settings: EmbedderSettings;
  /** Processes that share the threads and the memory of the settings; 1 when this is the only one. */
  readonly processes?: number;
  /** Threads of this process, where it is not to have a share of those of the settings. */
  readonly threads?: number;
  /** Starts the embedder process. */
  readonly spawn: () => ChildHandle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly restartPolicy?: RestartPolicy;
}

/**
 * The embedder process seen from the index server: started when first needed, started again when it dies, with what it
 * had not answered sent again. Ordering and batching happen over there; here work is only kept from being lost.
 */
export class EmbedderClient extends Disposable implements Embedder {
  readonly #settings: EmbedderSettings;
  readonly #terms: RestartTerms;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #supervisor: ProcessSupervisor<EmbedderRequests, EmbedderEvents>;
  readonly #sender: PieceSender;
  #models: Readonly<Record<Scope, ModelInfo>> | undefined;
  /** Of the process that was prepared last. */
  #generation = 0;
  /** Whether the present process is still loading its models. */
  #isLoading = false;
  /** Ends the pause of the present process's loading, if there is one. */
  #endLoadingPause: (() => void) | undefined;
  /** The latest run that has begun, and whether the process may still end over it: it has not ended, or has failed. */
  #lastRun: EmbedderEvents['runStarted'] | undefined;
  #isRunning = false;
  /** Scopes whose own model fails at any text, while that of the other does not. */
  #brokenScopes: Partial<Readonly<Record<Scope, TesseraError>>> = {};
  /** While it loads, runs, or has not answered. */
  readonly #hangWatch: HangWatch;
  /** Why this client ended the present process, which says nothing about memory. */
  #endedOver: 'hang' | 'failures' | undefined;
  /** Of all processes that have died. */
  #metricsOfDead: EmbedderMetrics | null = null;
  #lastMetrics: EmbedderMetrics | null = null;
  #figuresTimer: DisposableLike | undefined;
  readonly onState: Event<ProcessState>;

  constructor(options: EmbedderClientOptions) {
    super();
    this.#settings = options.settings;
    this.#terms = new RestartTerms(options.settings, {
      processes: options.processes ?? 1,
      threads: options.threads ?? null,
    });
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#supervisor = this.own(
      new ProcessSupervisor<EmbedderRequests, EmbedderEvents>({
        name: 'embedder',
        spawn: options.spawn,
        clock: options.clock,
        logger: options.logger,
        prepare: (child) => this.#prepare(child),
        ...(options.restartPolicy === undefined ? {} : { restartPolicy: options.restartPolicy }),
      }),
    );
    this.#sender = new PieceSender({
      embed: (piece, signal) => this.#request('embed', piece, signal),
      failure: () => {
        const { state } = this.#supervisor;
        return state.kind === 'failed' ? state.error : undefined;
      },
      isOnDevice: (scope) => this.#terms.isOnDevice(scope),
    });
    this.#hangWatch = this.own(
      new HangWatch(options.clock, () => {
        this.#endedOver = 'hang';
        this.#logger.warn('the embedder hangs and is started anew', { isLoading: this.#isLoading });
        this.#supervisor.kill();
      }),
    );
    this.onState = this.#supervisor.onState;
    this.own(this.#supervisor.onDeath((death) => this.#afterDeath(death)));
  }

  get state(): ProcessState {
    return this.#supervisor.state;
  }

  get restarts(): number {
    return this.#supervisor.deathCount;
  }

  forgive(): void {
    this.#brokenScopes = {};
    this.#supervisor.forgive();
  }

  /** The device it was told to use, by name. */
  get device(): DeviceName {
    return this.#settings.device;
  }

  /** What the process that is there has opened; undefined while none is. */
  get running(): Readonly<Record<Scope, ModelInfo>> | undefined {
    return this.#supervisor.state.kind === 'running' ? this.#models : undefined;
  }

  async open(signal?: CancellationSignal): Promise<Readonly<Record<Scope, ModelInfo>>> {
    throwIfCancelled(signal);
    if (this.#models === undefined) await withCancellation(this.#supervisor.connect(), signal);
    if (this.#models === undefined) throw new TesseraError('internal', 'The embedder started without its models.');
    return this.#models;
  }

  /** As `Embedder` has it; `onSettled` is called for each text that is answered or given up, with its length in UTF-16 units. */
  async embed(
    params: EmbedParams,
    signal?: CancellationSignal,
    onSettled?: (chars: number) => void,
  ): Promise<EmbedResult> {
    const { dimension } = (await this.open(signal))[params.scope];
    throwIfCancelled(signal);
    this.#throwIfBroken(params.scope);
    const job = new EmbedJob(params, dimension, onSettled);
    const onAbort = () => job.done.reject(cancelledError());
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#sender.add(job);
    try {
      return await job.done.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#sender.remove(job);
    }
  }

  async embedTokens(params: TokenVectorsParams, signal?: CancellationSignal): Promise<TokenVectors> {
    this.#throwIfBroken(params.scope);
    return this.#request('embedTokens', params, signal);
  }

  async countTokens(texts: readonly string[], scope: Scope, signal?: CancellationSignal): Promise<Uint32Array> {
    return this.#request('countTokens', { texts, scope }, signal);
  }

  async metrics(): Promise<EmbedderMetrics | null> {
    if (this.#supervisor.state.kind !== 'running') return this.#lastMetrics;
    try {
      const present = await this.#request('metrics', null, undefined);
      this.#lastMetrics = this.#metricsOfDead === null ? present : withTheDead(this.#metricsOfDead, present);
    } catch (error) {
      if (!isTesseraError(error, 'process-exited') && !isTesseraError(error, 'disposed')) throw error;
    }
    return this.#lastMetrics;
  }

  override dispose(): void {
    this.#figuresTimer?.dispose();
    this.#endLoadingPause?.();
    for (const job of this.#sender.jobs) job.done.reject(new TesseraError('disposed', 'The embedder was shut down.'));
    super.dispose();
  }

  /** Asks the process there is, or the next, which is ended when it does not get on with it. */
  async #request<M extends 'embed' | 'embedTokens' | 'countTokens' | 'metrics'>(
    method: M,
    params: Params<EmbedderRequests, M>,
    signal: CancellationSignal | undefined,
  ): Promise<Result<EmbedderRequests, M>> {
    const { client } = await withCancellation(this.#supervisor.connect(), signal);
    this.#hangWatch.asked();
    try {
      return await client.request(method, params, signal);
    } finally {
      this.#hangWatch.answered();
    }
  }

  /** First words to a new process: load the models, stay below what killed the last one. */
  async #prepare({ client, generation }: Child): Promise<void> {
    this.#generation = generation;
    this.#lastRun = undefined;
    this.#isRunning = false;
    this.#hangWatch.forget();
    client.on('log', (record) => this.#logger.relay(record));
    client.on('runStarted', (run) => {
      this.#lastRun = run;
      this.#isRunning = true;
      this.#hangWatch.begin({ tokens: paddedTokens(run), isFixed: this.#settings.batchSize > 0 });
    });
    client.on('runEnded', ({ failed }) => {
      this.#isRunning &&= failed;
      this.#hangWatch.end(!failed);
    });
    client.on('rows', (rows) => this.#addRows(rows));
    client.on('broken', (broken) => this.#endBroken(broken));
    this.#isLoading = true;
    const isCurrent = (): boolean => generation === this.#generation;
    try {
      const models = await this.#openModels(client, isCurrent);
      this.#terms.opened(models);
      // It may have been found gone while it was opened.
      if (!SCOPES.some((scope) => this.#terms.isOnDevice(scope))) this.#sender.forgiveHeldBack();
      this.#models = models;
      this.#isLoading = false;
    } catch (error) {
      // A death is seen by `#afterDeath` first, and has to be known there for one while loading.
      if (!isTesseraError(error, 'process-exited') && isCurrent()) this.#isLoading = false;
      throw error;
    }
  }

  /** `isCurrent`: whether the process has not ended while this waited, and another is being prepared. */
  async #openModels(client: Child['client'], isCurrent: () => boolean): Promise<Readonly<Record<Scope, ModelInfo>>> {
    const pausesMs: number[] = [...LOADING_PAUSES_MS];
    for (;;) {
      // Each try for itself: where memory is short they take long together, and a pause is no hang.
      if (isCurrent()) this.#hangWatch.begin();
      let pause: number;
      try {
        return await client.request('open', this.#terms.openParams);
      } catch (error) {
        const pauseMs = pausesMs.shift();
        if (!isTesseraError(error, 'out-of-memory') || pauseMs === undefined) throw error;
        this.#logger.warn('memory was short for loading the models', { pauseMs });
        pause = pauseMs;
      } finally {
        if (isCurrent()) this.#hangWatch.end();
      }
      // Of a process that is gone the next try fails at once.
      if (isCurrent()) await this.#pauseLoading(pause);
    }
  }

  async #pauseLoading(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      this.#endLoadingPause = () => {
        timer.dispose();
        resolve();
      };
    });
    this.#endLoadingPause = undefined;
  }

  #addRows(rows: EmbedderEvents['rows']): void {
    const scope = this.#sender.addRows(rows);
    if (scope === undefined) return;
    this.#terms.succeeded(scope, this.#lastRun);
    if (this.#terms.isOnDevice(scope)) this.#sender.giveUpHeldBack();
    this.#figuresTimer ??= this.#clock.after(FIGURES_APART_MS, () => {
      this.#figuresTimer = undefined;
      // Whoever asks for them is told what is wrong.
      this.metrics().catch(() => undefined);
    });
    // A process that gets work done is worth starting again, however often it is killed.
    this.#supervisor.forgive();
  }

  /** The process embeds nothing any more: the next one does it without the device, or for the scope whose own model works, or none can. */
  #endBroken({ scope, reason }: EmbedderEvents['broken']): void {
    this.#logger.warn('the embedder fails at any text and is ended', { scope, reason });
    if (this.#terms.leaveDevice(scope, reason)) {
      this.#sender.forgive();
      this.#startAnew();
      return;
    }
    const model = this.#models?.[scope].name ?? this.#settings.models[scope];
    const error = new TesseraError(
      'embedder-failed',
      `The model ${model} fails at any text, also on the processor (${reason}); get the model again, or choose another one.`,
      { details: { model } },
    );
    const { code, docs } = this.#settings.models;
    const isOtherBroken = SCOPES.some((other) => other !== scope && this.#brokenScopes[other] !== undefined);
    if (code === docs || isOtherBroken) {
      this.#supervisor.giveUp(error);
      return;
    }
    this.#brokenScopes = { [scope]: error };
    for (const job of this.#sender.jobs) if (job.params.scope === scope) job.done.reject(error);
    this.#startAnew();
  }

  /** For a process that runs nothing any more, through no fault of its texts. */
  #startAnew(): void {
    this.#endedOver = 'failures';
    this.#supervisor.forgive();
    this.#supervisor.kill();
  }

  #throwIfBroken(scope: Scope): void {
    const error = this.#brokenScopes[scope];
    if (error !== undefined) throw error;
  }

  #afterDeath(death: ProcessDeath): void {
    // What has ended did not end the process.
    const run = this.#isRunning ? this.#lastRun : undefined;
    this.#lastRun = undefined;
    this.#isRunning = false;
    const endedOver = this.#endedOver;
    this.#endedOver = undefined;
    this.#hangWatch.end();
    this.#metricsOfDead = this.#lastMetrics;
    const how = endedOver === 'hang' ? 'a hang' : (death.signal ?? `status ${death.code ?? 'unknown'}`);
    if (this.#isLoading && this.#terms.diedLoading(how)) this.#sender.forgive();
    this.#isLoading = false;
    this.#endLoadingPause?.();
    this.#endLoadingPause = undefined;
    // No text is to blame for a device that is lost.
    if (run === undefined || endedOver === 'failures') return;
    // Of a plain text that was to show whether there is memory at all, nothing is learned about sizes.
    if (run.members.length === 0) return;
    const byMemory = endedOver === undefined && exitLooksLikeOutOfMemory(death);
    // A driver that gets no memory may crash without a word: seen with SwiftShader, by SIGSEGV.
    const mayBeSize = endedOver === undefined && run.count > 1 && this.#terms.isOnDevice(run.scope);
    if (byMemory || mayBeSize) this.#terms.ranOutOfMemory(run);
    for (const { job, index } of this.#sender.textsOf(run))
      if (job.addDeath(index, { alone: run.count === 1, byMemory })) this.#blame(run.scope, job, index, how);
  }

  /** Processes ended over a text, again and again. */
  #blame(scope: Scope, job: EmbedJob, index: number, how: string): void {
    const blamed = this.#terms.blame(scope, how);
    this.#logger.warn('the embedder ended over a text again and again', { how, blamed });
    // The culprit is out of the way, whichever it is.
    if (blamed !== 'model') this.#supervisor.forgive();
    if (blamed === 'device') this.#sender.forgive();
    else if (blamed === 'unknown') this.#sender.holdBack(job, index, how);
    else job.giveUp(index, how);
  }
}

/** Stops waiting for `promise` when `signal` fires. */
export async function withCancellation<T>(promise: Promise<T>, signal: CancellationSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(cancelledError());
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
