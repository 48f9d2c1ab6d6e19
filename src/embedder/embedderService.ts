import { setImmediate as turn } from 'node:timers/promises';
import type { CancellationSignal } from '../base/cancellation.ts';
import { throwIfCancelled } from '../base/cancellation.ts';
import type { Clock } from '../base/clock.ts';
import { TesseraError, errorMessage } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { BatchTuner } from '../embedding/batchTuner.ts';
import { limitsFor } from '../embedding/deviceLimits.ts';
import { LaneQueue } from '../embedding/laneQueue.ts';
import { withSharedCeiling } from '../embedding/mergeTunerStates.ts';
import { namingShortage } from '../embedding/outOfMemory.ts';
import { ScopeMeter } from '../embedding/scopeMeter.ts';
import { tunerKey } from '../embedding/tunerTypes.ts';
import { LearnedFile, machineName } from '../process/learnedFile.ts';
import type { RequestHandlers } from '../process/methodTypes.ts';
import type {
  EmbedPieceParams,
  EmbedResult,
  EmbedderEvents,
  EmbedderMetrics,
  EmbedderRequests,
  ModelInfo,
  OpenParams,
  TokenVectors,
  TokenVectorsParams,
  TunerReport,
} from '../protocol/embedder.ts';
import { splitDeviceName } from '../protocol/deviceNames.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import { EmbeddingModel } from './embeddingModel.ts';
import { KnownDevices } from './knownDevices.ts';
import { LENGTH_STEPS } from './executionProviders.ts';
import { FiguresKeeper } from './figuresKeeper.ts';
import { GpuMeter } from './gpuMeter.ts';
import { peakResidentMb, residentMb, resolveMemoryCeilingMb } from '../process/memory.ts';
import { defaultThreads } from './onnxSession.ts';
import { PieceProgress, type PieceText } from './pieceProgress.ts';
import { RunLoop } from './runLoop.ts';

/** Texts the queue holds before pieces have to wait; the index server sends less than this ahead. */
const QUEUE_CAPACITY_TEXTS = 16_384;
/** Texts sorted and cut into runs together. More would pad no less, and make the first of them wait longer. */
const WINDOW_TEXTS = 256;
/** Text tokenised between two looks at the messages, in UTF-16 units: a few milliseconds of work. */
const TOKENIZE_SLICE_CHARS = 16_384;

/** Where events go: the process that started this one. */
export interface EventSink {
  emit<N extends 'runStarted' | 'runEnded' | 'rows' | 'broken'>(name: N, payload: EmbedderEvents[N]): void;
}

export interface EmbedderServiceOptions {
  readonly events: EventSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends this process, for want of memory that a new one may have. */
  readonly surrender: () => void;
}

/** What exists once the models are loaded. */
interface OpenState {
  readonly models: Readonly<Record<Scope, EmbeddingModel>>;
  readonly tuners: Readonly<Record<Scope, BatchTuner>>;
  readonly meters: Readonly<Record<Scope, ScopeMeter>>;
  readonly queue: LaneQueue<PieceText>;
  readonly loop: RunLoop;
  readonly gpu: GpuMeter;
}

/** Answers the requests of `EmbedderRequests`: loads models, queues texts in lanes and runs them. */
export class EmbedderService {
  readonly #options: EmbedderServiceOptions;
  #open: OpenState | undefined;
  /** Settles when all bulk pieces so far are in the queue. */
  #bulkQueued: Promise<void> = Promise.resolve();

  constructor(options: EmbedderServiceOptions) {
    this.#options = options;
  }

  readonly handlers: RequestHandlers<EmbedderRequests> = {
    open: (params) => this.#openModels(params),
    embed: (params, signal) => this.#embed(params, signal),
    embedTokens: (params, signal) => this.#embedTokens(params, signal),
    countTokens: ({ texts, scope }, signal) => this.#countTokens(texts, scope, signal),
    metrics: () => this.#metrics(),
  };

  async #openModels(params: OpenParams): Promise<Readonly<Record<Scope, ModelInfo>>> {
    if (this.#open !== undefined) throw new TesseraError('protocol-violation', 'The models have been opened already.');
    const { settings, processes, lostRuns, provenRuns } = params;
    const { clock, logger, events, surrender } = this.#options;
    const allThreads = settings.threads === 0 ? defaultThreads() : settings.threads;
    const threads = params.threads ?? Math.max(1, Math.floor(allThreads / processes));
    const memoryCeilingMb = resolveMemoryCeilingMb(settings.memoryCeilingMb, processes);
    const knownDevices = new KnownDevices(settings.tunerStateFile, clock, logger);
    const models = await openModels(params, threads, knownDevices).catch((error: unknown) => {
      throw namingShortage(error, 'There was not enough memory to load the models.');
    });
    const file = new LearnedFile(settings.tunerStateFile, logger, withSharedCeiling);
    const { provider, deviceId } = splitDeviceName(settings.device);
    const keyOf = (scope: Scope): string => {
      const { info, threads } = models[scope];
      // Two graphics processors of a machine may be of different kinds.
      const device = deviceId !== null && info.device === provider ? settings.device : info.device;
      return tunerKey({ machine: machineName(threads), device, model: info.id, scope });
    };
    const openTuner = async (scope: Scope): Promise<BatchTuner> => {
      const { info, isStatic, isBag, countsTokens } = models[scope];
      const proven = provenRuns[scope];
      const options = {
        limits: limitsFor({ isStatic, countsTokens, device: info.device }),
        latencyCeilingMs: settings.latencyCeilingMs,
        memoryCeilingMb,
        provenTokens: proven?.device === info.device ? proven.tokens : 0,
        fixedCount: settings.batchSize,
        lengthStep: LENGTH_STEPS[info.device],
        isBag,
        onMove: (move: TunerReport['moves'][number]) => logger.debug('batch budget', { scope, ...move }),
      };
      const tuner = new BatchTuner(options, await file.read(keyOf(scope)));
      const { budgetTokens, memoryCeilingTokens, converged, runs } = tuner.report();
      const fixed = settings.batchSize > 0 ? { textsPerRun: settings.batchSize } : {};
      logger.debug('batch budget to begin with', {
        scope,
        budgetTokens,
        memoryCeilingTokens,
        converged,
        runs,
        ...fixed,
      });
      return tuner;
    };
    const tuners = { code: await openTuner('code'), docs: await openTuner('docs') };
    const meters = { code: new ScopeMeter(), docs: new ScopeMeter() };
    for (const { scope, length, count, ...death } of lostRuns) {
      tuners[scope].outOfMemory({ length, count }, death);
      meters[scope].backedOff();
    }
    const gpu = new GpuMeter(
      SCOPES.map((scope) => models[scope].info.device),
      clock,
      { deviceId: deviceId ?? 0 },
    );
    const save = (): void => {
      void knownDevices.keep();
      void file.save({ [keyOf('code')]: tuners.code.save(), [keyOf('docs')]: tuners.docs.save() });
    };
    if (lostRuns.length > 0) save();
    const stepOf = (scope: Scope): number => LENGTH_STEPS[models[scope].info.device];
    const queue = new LaneQueue<PieceText>({
      clock,
      planners: tuners,
      capacityTexts: QUEUE_CAPACITY_TEXTS,
      windowTexts: WINDOW_TEXTS,
      lengthSteps: { code: stepOf('code'), docs: stepOf('docs') },
      bagScopes: SCOPES.filter((scope) => models[scope].isBag),
    });
    const loop = new RunLoop({
      models,
      tuners,
      queue,
      clock,
      logger,
      observer: new FiguresKeeper(meters, gpu, clock, save),
      memoryCeilingMb,
      residentMb,
      onRunStarted: (run) => events.emit('runStarted', run),
      onRunEnded: (failed) => events.emit('runEnded', { failed }),
      onRows: (rows) => events.emit('rows', rows),
      onHopeless: surrender,
      onBroken: (broken) => events.emit('broken', broken),
    });
    this.#open = { models, tuners, meters, queue, loop, gpu };
    return { code: models.code.info, docs: models.docs.info };
  }

  async #embed(params: EmbedPieceParams, signal: CancellationSignal): Promise<Pick<EmbedResult, 'failures'>> {
    const piece = new PieceProgress(params, signal);
    if (params.lane === 'bulk') {
      // One after another: side by side, each of many pieces would take its slice before the next run or query.
      const queued = this.#bulkQueued.then(() => this.#queueTexts(piece));
      this.#bulkQueued = queued.catch(() => undefined);
      await queued;
    } else {
      await this.#queueTexts(piece);
    }
    return { failures: await piece.done.promise };
  }

  /** Tokenises the texts of a piece slice by slice, letting runs and messages in between, and queues them. */
  async #queueTexts(piece: PieceProgress): Promise<void> {
    const { queue, loop } = this.#opened();
    try {
      await this.#queueSlices(piece);
    } finally {
      queue.expectNoMore(piece.params.lane, piece.params.scope);
      loop.wake();
    }
  }

  async #queueSlices(piece: PieceProgress): Promise<void> {
    const { meters, queue, loop } = this.#opened();
    const { signal } = piece;
    const { scope, lane, texts, alone } = piece.params;
    const toRunAlone = new Set(alone);
    for (let index = 0; index < texts.length;) {
      throwIfCancelled(signal);
      const slice: PieceText[] = [];
      const startedMs = this.#options.clock.now();
      for (let chars = 0; index < texts.length && chars < TOKENIZE_SLICE_CHARS; index++) {
        chars += texts[index]?.length ?? 0;
        const text = this.#tokenize(piece, index);
        if (text === undefined) continue;
        if (toRunAlone.has(index)) loop.runAlone(text);
        else slice.push(text);
      }
      meters[scope].tokenized(this.#options.clock.now() - startedMs);
      const waiting = slice.map((payload) => ({ tokens: payload.input.ids.length, payload }));
      // A look-up model would otherwise run each slice as soon as it is there: a few texts of any length, padded to the longest.
      const hasMore = lane === 'bulk' && index < texts.length;
      while (waiting.length > 0 && !queue.push({ lane, scope, texts: waiting, signal, hasMore })) {
        loop.wake();
        await loop.nextRun();
        throwIfCancelled(signal);
      }
      loop.wake();
      if (index < texts.length) await turn();
    }
  }

  /** Undefined when the text can't be tokenised; it is among the piece's failures then. */
  #tokenize(piece: PieceProgress, index: number): PieceText | undefined {
    const { scope, role, texts } = piece.params;
    try {
      return { piece, index, input: this.#opened().models[scope].encode(texts[index] ?? '', role) };
    } catch (error) {
      piece.failed(index, `The text could not be tokenised (${errorMessage(error)}).`);
      return undefined;
    }
  }

  async #embedTokens({ texts, role, scope }: TokenVectorsParams, signal: CancellationSignal): Promise<TokenVectors> {
    const { models, tuners, loop } = this.#opened();
    const model = models[scope];
    const { dimension, multiVector, name } = model.info;
    if (!multiVector) {
      throw new TesseraError('invalid-argument', `The model ${name} gives no vectors for tokens.`, {
        details: { model: name },
      });
    }
    const inputs = texts.map((text) => model.encode(text, role));
    const tokenCounts = Uint32Array.from(inputs, ({ ids }) => ids.length);
    const starts = new Uint32Array(inputs.length);
    for (let index = 1; index < inputs.length; index++) {
      starts[index] = (starts[index - 1] ?? 0) + (tokenCounts[index - 1] ?? 0);
    }
    const vectors = new Float32Array(tokenCounts.reduce((sum, count) => sum + count, 0) * dimension);
    for (const run of tuners[scope].plan(tokenCounts, 'live')) {
      throwIfCancelled(signal);
      const indices = [...run.indices];
      const own = indices.flatMap((index) => inputs[index] ?? []);
      const computed = await loop.runTokens(scope, own, run.length);
      for (const [at, index] of indices.entries()) vectors.set(computed[at] ?? [], (starts[index] ?? 0) * dimension);
    }
    return { vectors, dimension, tokenCounts };
  }

  async #countTokens(texts: readonly string[], scope: Scope, signal: CancellationSignal): Promise<Uint32Array> {
    const model = this.#opened().models[scope];
    const counts = new Uint32Array(texts.length);
    let chars = 0;
    for (const [index, text] of texts.entries()) {
      counts[index] = model.countTokens(text);
      chars += text.length;
      if (chars < TOKENIZE_SLICE_CHARS) continue;
      chars = 0;
      await turn();
      throwIfCancelled(signal);
    }
    return counts;
  }

  async #metrics(): Promise<EmbedderMetrics> {
    const { models, tuners, meters, queue, gpu } = this.#opened();
    const gpuUtilization = await gpu.utilization();
    const of = (scope: Scope) => meters[scope].metrics(models[scope].info.device, tuners[scope].report());
    return {
      scopes: { code: of('code'), docs: of('docs') },
      lanes: queue.metrics(),
      // The models take turns.
      threads: Math.max(...SCOPES.map((scope) => models[scope].threads)),
      sessions: 1,
      rssMb: residentMb(),
      peakRssMb: peakResidentMb(),
      gpuUtilization,
    };
  }

  #opened(): OpenState {
    if (this.#open === undefined) throw new TesseraError('protocol-violation', 'The models have not been opened.');
    return this.#open;
  }
}

/** One model for each scope; the same folder is loaded once. */
async function openModels(
  { settings: { models, device, graphFor, threads: chosen }, processorOnly }: OpenParams,
  threads: number,
  knownDevices: KnownDevices,
): Promise<Readonly<Record<Scope, EmbeddingModel>>> {
  const lookUpThreads = chosen === 0 ? undefined : threads;
  const open = (scope: Scope) =>
    EmbeddingModel.open(models[scope], {
      device,
      graphFor: graphFor?.[scope],
      threads,
      lookUpThreads,
      knownDevices,
      processorOnly,
    });
  const code = await open('code');
  if (models.docs === models.code) return { code, docs: code };
  try {
    return { code, docs: await open('docs') };
  } catch (error) {
    // Memory may be short for a moment only, and is tried for again.
    await code.release().catch(() => undefined);
    throw error;
  }
}
