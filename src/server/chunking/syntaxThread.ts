import { Worker } from 'node:worker_threads';
import { assertNever, TesseraError } from '../../base/errors.ts';
import { afterAwake } from '../../base/awakeTimer.ts';
import type { Clock } from '../../base/clock.ts';
import { Deferred } from '../../base/deferred.ts';
import type { DisposableLike } from '../../base/disposable.ts';
import type { Logger } from '../../base/logger.ts';
import type { Chunk, SourceDocument } from '../../indexing/document.ts';
import { SYSTEM_CLOCK } from '../../process/systemClock.ts';
import { parseBudgetMs } from './parseBudget.ts';
import type { SyntaxAnswer, SyntaxJob, SyntaxWorkerData } from './syntaxWorkerProtocol.ts';

/** Beyond what parsing may take: loading a grammar, reading the tree. */
const GRACE_MS = 20_000;
/** A thread that has begun nothing after so long does not start; no document is to blame. */
const START_MS = 60_000;
/** Rests before another thread is started after one that began nothing, and after the next ones: memory may be short while something is built. */
const RESTS_MS = [1000, 10_000, 50_000] as const;
/** The same once it is given up. */
const GIVEN_UP_REST_MS = 60_000;

/** Without them V8 lets the thread's garbage grow; a file of 1 MB needs about 100 MB for the nodes of its tree. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 } as const;

/** Chunks; undefined of a document that cannot be cut along a tree; `not begun` where there was no thread to cut it. */
export type CutResult = readonly Chunk[] | undefined | 'not begun';

interface Pending extends SyntaxJob {
  /** Whether the present thread has begun with it. */
  hasBegun: boolean;
  readonly result: Deferred<CutResult>;
}

/** The build makes one file of the thread's code and puts it beside the bundle this runs in. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './syntaxWorker.ts' : './chunker.js', import.meta.url);

/** Throws where the system has no room for another thread. */
export function spawnChunker(data: SyntaxWorkerData, entry: URL = ENTRY): Worker {
  return new Worker(entry, { workerData: data, name: 'tessera chunker', resourceLimits: RESOURCE_LIMITS });
}

/**
 * Cuts documents on another thread, which is started when the first one comes and again when it ended. A document that
 * takes too long or ends the thread gets no answer but undefined; those behind it are sent again. A thread that begins nothing,
 * or cannot be started, gives them back and rests; the next one is given none before it is up.
 */
export class SyntaxThread {
  readonly #data: SyntaxWorkerData;
  readonly #logger: Logger | undefined;
  readonly #clock: Clock;
  readonly #spawn: (data: SyntaxWorkerData) => Worker;
  /** In the order they were sent; the first one is being cut. */
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #watch: DisposableLike | undefined;
  #lastId = 0;
  #fruitlessStarts = 0;
  /** While a thread is started without documents, until it is up or rests. */
  #revival: Deferred<void> | undefined;
  #isUp = false;
  /** Whether the present thread has begun with anything. */
  #hasBegun = false;
  #restsUntilMs = -Infinity;
  #isDisposed = false;

  /** `clock` and `spawn` are for tests. */
  constructor(
    data: SyntaxWorkerData,
    {
      logger,
      clock = SYSTEM_CLOCK,
      spawn = spawnChunker,
    }: { logger?: Logger | undefined; clock?: Clock; spawn?: (data: SyntaxWorkerData) => Worker } = {},
  ) {
    this.#data = data;
    this.#logger = logger;
    this.#clock = clock;
    this.#spawn = spawn;
  }

  /** For how long it begins nothing; 0 when it can be used. */
  get restMs(): number {
    return Math.max(0, this.#restsUntilMs - this.#clock.now());
  }

  /** Whether it is worth giving documents to. */
  get isUsable(): boolean {
    return this.restMs === 0 && (this.#fruitlessStarts === 0 || this.#isUp);
  }

  /** Whether as many starts as are tried in a row were of no use. It is tried once more after each rest. */
  get isGivenUp(): boolean {
    return this.#fruitlessStarts > RESTS_MS.length;
  }

  /** Starts the next thread when the rest is over. Resolves when it can be used, or rests again. */
  revive(): Promise<void> {
    if (this.#isDisposed || this.restMs > 0 || this.isUsable) return Promise.resolve();
    const revival = (this.#revival ??= new Deferred());
    if (this.#worker === undefined) this.#start();
    return revival.promise;
  }

  /** Rejects with `disposed`. */
  cut(document: SourceDocument): Promise<CutResult> {
    if (this.#isDisposed) return Promise.reject(disposedError());
    if (!this.isUsable) return Promise.resolve('not begun');
    const job: Pending = { id: ++this.#lastId, document, hasBegun: false, result: new Deferred() };
    this.#pending.set(job.id, job);
    if (this.#worker === undefined) this.#start();
    else this.#send(this.#worker, job);
    if (this.#pending.size === 1) this.#watchFirst();
    return job.result.promise;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#watch?.dispose();
    for (const job of this.#pending.values()) job.result.reject(disposedError());
    this.#pending.clear();
    this.#endRevival();
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Starts a thread and sends it all there is; one that cannot be started has begun nothing. */
  #start(): void {
    this.#hasBegun = false;
    this.#isUp = false;
    try {
      this.#worker = this.#spawn(this.#data);
    } catch (error) {
      this.#logger?.warn('a chunker thread could not be started', { error: String(error) });
      this.#replace(false);
      return;
    }
    const worker = this.#worker;
    worker.on('message', (answer: SyntaxAnswer) => {
      if (worker === this.#worker) this.#receive(answer);
    });
    worker.on('error', (error) => this.#logger?.warn('the chunker thread failed', { error: String(error) }));
    worker.on('exit', (code) => {
      if (worker === this.#worker) this.#replace(code !== 0);
    });
    for (const job of this.#pending.values()) this.#send(worker, job);
    this.#watchFirst();
  }

  #send(worker: Worker, job: Pending): void {
    const { path, language, scope, text } = job.document;
    job.hasBegun = false;
    worker.ref();
    worker.postMessage({ id: job.id, document: { path, language, scope, text } } satisfies SyntaxJob);
  }

  #receive(answer: SyntaxAnswer): void {
    switch (answer.kind) {
      case 'up':
        this.#isUp = true;
        this.#endRevival();
        this.#watchFirst();
        return;
      case 'begun': {
        const job = this.#pending.get(answer.id);
        if (job !== undefined) job.hasBegun = true;
        this.#hasBegun = true;
        this.#fruitlessStarts = 0;
        this.#watchFirst();
        return;
      }
      case 'problem':
        this.#logger?.error('a grammar could not be loaded; its files are cut by lines', {
          grammar: answer.grammar,
          error: answer.error,
        });
        return;
      case 'failed':
        this.#logger?.warn('a grammar failed; the file is cut by lines', {
          path: this.#pending.get(answer.id)?.document.path,
          error: answer.error,
        });
        this.#settle(answer.id, undefined);
        // It is about to exit; what is behind this document goes to another thread.
        this.#replace(false);
        return;
      case 'cut':
        this.#settle(answer.id, answer.chunks);
        this.#watchFirst();
        return;
      default:
        assertNever(answer);
    }
  }

  #settle(id: number, result: CutResult): void {
    const job = this.#pending.get(id);
    this.#pending.delete(id);
    job?.result.resolve(result);
  }

  /** Lets go of the thread; `blamesFirst`: the document it was cutting, if any, ended it and is not tried again. */
  #replace(blamesFirst: boolean): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#isUp = false;
    const first = this.#pending.values().next().value;
    if (blamesFirst && first?.hasBegun === true) this.#settle(first.id, undefined);
    if (!this.#hasBegun) this.#rest();
    else if (this.#pending.size > 0) this.#start();
    this.#watchFirst();
  }

  #rest(): void {
    this.#restsUntilMs = this.#clock.now() + (RESTS_MS[this.#fruitlessStarts] ?? GIVEN_UP_REST_MS);
    const wasGivenUp = this.isGivenUp;
    this.#fruitlessStarts += 1;
    if (this.isGivenUp && !wasGivenUp) this.#logger?.error('a chunker thread does not start', {});
    for (const id of [...this.#pending.keys()]) this.#settle(id, 'not begun');
    this.#endRevival();
  }

  #endRevival(): void {
    this.#revival?.resolve();
    this.#revival = undefined;
  }

  /** Ends the thread when its present document takes too long; lets the process end when there is none. */
  #watchFirst(): void {
    this.#watch?.dispose();
    const first = this.#pending.values().next().value;
    if (this.#worker === undefined || (first === undefined && this.#revival === undefined)) {
      this.#worker?.unref();
      return;
    }
    const budgetMs = first?.hasBegun === true ? GRACE_MS + parseBudgetMs(first.document.text.length) : START_MS;
    this.#watch = afterAwake(this.#clock, budgetMs, () => {
      if (first?.hasBegun === true)
        this.#logger?.warn('cutting a file takes too long; it is cut by lines', { path: first.document.path });
      this.#replace(true);
    });
  }
}

export function disposedError(): TesseraError {
  return new TesseraError('disposed', 'The chunker was disposed.');
}
