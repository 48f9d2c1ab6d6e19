import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { errorMessage, isTesseraError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { LaneQueue, Dispatch } from '../embedding/laneQueue.ts';
import { paddedTokens } from '../embedding/runShape.ts';
import type { Tuner } from '../embedding/tunerTypes.ts';
import type { EmbedderEvents } from '../protocol/embedder.ts';
import type { Scope } from '../protocol/scope.ts';
import type { EmbeddingModel } from './embeddingModel.ts';
import { type PieceText, groupByPiece } from './pieceProgress.ts';
import type { RunObserver } from './runObserver.ts';

/** Runs between two releases of the runtime's memory, at the least: loading a graph again costs many runs. */
const MIN_RUNS_BETWEEN_RELEASES = 50;

/** Resident memory is read at most this often, but for runs larger than any before: reading it takes a tenth of a millisecond. */
const MEMORY_READ_APART_MS = 10;

export interface RunLoopOptions {
  readonly models: Readonly<Record<Scope, Pick<EmbeddingModel, 'info' | 'run' | 'release'>>>;
  readonly tuners: Readonly<Record<Scope, Tuner>>;
  readonly queue: LaneQueue<PieceText>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: RunObserver;
  /** Resident memory above which the runtime's own is given back, in MiB. */
  readonly memoryCeilingMb: number;
  /** Resident memory of this process now, in MiB. */
  readonly residentMb: () => number;
  readonly onRunStarted: (run: EmbedderEvents['runStarted']) => void;
  readonly onRunEnded: () => void;
  readonly onRows: (rows: EmbedderEvents['rows']) => void;
  /** Called when not even one text fits into this process's memory. A new process may have more; this one should end. */
  readonly onHopeless: () => void;
}

/** A run about to be made. Texts alone after a death or a failure come without a place in the queue. */
type Run = Pick<Dispatch<PieceText>, 'scope' | 'length' | 'count'> & {
  readonly texts: readonly PieceText[];
  readonly dispatch: Dispatch<PieceText> | undefined;
};

/**
 * Takes runs from the queue, one at a time, until it is empty. The runtime computes on this thread: between two runs
 * the loop lets messages in, so that a query waits for one run at most.
 */
export class RunLoop {
  readonly #options: RunLoopOptions;
  /** Texts to be run by themselves, in order, when no query waits. */
  readonly #alone: { readonly text: PieceText; readonly retried: boolean }[] = [];
  /** Work that is answered otherwise than by rows; before each run one piece of it. */
  readonly #aside: (() => Promise<void>)[] = [];
  #isRunning = false;
  #runsSinceRelease = Infinity;
  #afterRun: (() => void)[] = [];
  /** Resident memory when it was last read, and the largest run by then. */
  #memory = { rssMb: 0, readMs: -Infinity, largestTokens: 0 };

  constructor(options: RunLoopOptions) {
    this.#options = options;
  }

  /** Starts working when it is idle; to be called after texts were queued. */
  wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#work();
  }

  /** Queues a text to be run by itself. */
  runAlone(text: PieceText): void {
    this.#alone.push({ text, retried: false });
    this.wake();
  }

  /**
   * Computes something a person waits for, in turns with the queue's runs, so that neither waits for more than one of the
   * other. Settles as `compute` does.
   */
  runAside<T>(compute: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#aside.push(() => compute().then(resolve, reject));
      this.wake();
    });
  }

  /** Resolves after the next run. */
  nextRun(): Promise<void> {
    return new Promise((resolve) => this.#afterRun.push(resolve));
  }

  async #work(): Promise<void> {
    for (;;) {
      // Messages that came during the last run are read here, before the next one is chosen.
      await turn();
      const aside = this.#aside.shift();
      await aside?.();
      const dispatch = this.#options.queue.next();
      if (dispatch !== undefined) {
        const texts = dispatch.texts.map((text) => text.payload);
        await this.#perform(
          { scope: dispatch.scope, length: dispatch.length, count: dispatch.count, texts, dispatch },
          false,
        );
      }
      const alone = dispatch?.lane === 'query' ? undefined : this.#alone.shift();
      if (alone !== undefined && !alone.text.piece.signal.aborted) {
        const { text, retried } = alone;
        await this.#perform(
          { scope: text.piece.params.scope, length: text.ids.length, count: 1, texts: [text], dispatch: undefined },
          retried,
        );
      }
      for (const resolve of this.#afterRun.splice(0)) resolve();
      if (aside === undefined && dispatch === undefined && alone === undefined) {
        this.#options.observer.idle();
        // Here rather than when the promise settles: texts queued in between would wait for nobody.
        this.#isRunning = false;
        return;
      }
    }
  }

  async #perform(run: Run, retried: boolean): Promise<void> {
    const { models, tuners, clock, observer, onRunStarted, onRunEnded } = this.#options;
    const { scope, length, count } = run;
    // Everything a run costs counts, the way to the other process too: that is what size can save.
    const startedMs = clock.now();
    const groups = groupByPiece(run.texts);
    onRunStarted({
      scope,
      length,
      count,
      members: groups.map(({ piece, indices }) => ({ piece: piece.params.piece, indices })),
    });
    let vectors: Float32Array;
    try {
      vectors = await models[scope].run(
        run.texts.map((text) => text.ids),
        length,
      );
    } catch (error) {
      onRunEnded();
      await this.#recover(run, error, retried);
      return;
    }
    onRunEnded();
    // From here on the texts are answered: nothing that goes wrong may run them again.
    this.#sendRows(run, vectors, groups);
    const endedMs = clock.now();
    const rssMb = this.#residentMb(paddedTokens({ length, count }), endedMs);
    const realTokens = run.texts.reduce((sum, text) => sum + text.ids.length, 0);
    const elapsedMs = endedMs - startedMs;
    tuners[scope].record({ shape: { length, count }, realTokens, elapsedMs, endedAtMs: endedMs, rssMb });
    observer.ran({ scope, length, count, realTokens, elapsedMs, rssMb });
    await this.#keepBelowCeiling(scope, rssMb);
  }

  #residentMb(tokens: number, nowMs: number): number {
    const { rssMb, readMs, largestTokens } = this.#memory;
    if (tokens <= largestTokens && nowMs < readMs + MEMORY_READ_APART_MS) return rssMb;
    const largest = Math.max(tokens, largestTokens);
    this.#memory = { rssMb: this.#options.residentMb(), readMs: nowMs, largestTokens: largest };
    return this.#memory.rssMb;
  }

  #sendRows(run: Run, vectors: Float32Array, groups: ReturnType<typeof groupByPiece>): void {
    const { dimension } = this.#options.models[run.scope].info;
    for (const { piece, rows, indices } of groups) {
      const own = new Float32Array(rows.length * dimension);
      rows.forEach((row, at) => own.set(vectors.subarray(row * dimension, (row + 1) * dimension), at * dimension));
      const tokenCounts = Uint32Array.from(rows, (row) => run.texts[row]?.ids.length ?? 0);
      if (!piece.signal.aborted)
        this.#options.onRows({ piece: piece.params.piece, indices, vectors: own, tokenCounts });
      piece.answered(rows.length);
    }
  }

  /**
   * A failed run is never the end of its texts: they are tried in smaller runs, then alone, then given up one by one.
   * One that does not fit even alone is answered for by the index server, which sees the process end over it.
   */
  async #recover(run: Run, error: unknown, retried: boolean): Promise<void> {
    const { queue, tuners, logger, observer } = this.#options;
    const { scope, length, count } = run;
    const ranOut = isTesseraError(error, 'out-of-memory');
    logger.warn('a run failed', {
      scope,
      length,
      count,
      code: isTesseraError(error) ? error.code : 'internal',
      message: errorMessage(error),
    });
    if (ranOut) {
      tuners[scope].outOfMemory({ length, count });
      observer.backedOff(scope);
      if (count > 1 && run.dispatch !== undefined) {
        queue.giveBack(run.dispatch);
        return;
      }
    }
    if (!retried) {
      // Alone, and with all the memory there is.
      if (ranOut) await this.#release(scope);
      this.#alone.unshift(...run.texts.map((text) => ({ text, retried: true })));
      return;
    }
    if (ranOut) this.#options.onHopeless();
    else for (const { piece, index } of run.texts) piece.failed(index, errorMessage(error));
  }

  /** The runtime keeps the most it ever needed: above the ceiling that is given back, at the price of loading again. */
  async #keepBelowCeiling(scope: Scope, rssMb: number): Promise<void> {
    const { memoryCeilingMb, logger } = this.#options;
    this.#runsSinceRelease += 1;
    if (rssMb <= memoryCeilingMb || this.#runsSinceRelease < MIN_RUNS_BETWEEN_RELEASES) return;
    this.#runsSinceRelease = 0;
    logger.info('memory given back', { scope, rssMb: Math.round(rssMb), memoryCeilingMb });
    await this.#release(scope);
  }

  /** A runtime that can't let go goes on as it is: the next run opens it anew. */
  async #release(scope: Scope): Promise<void> {
    const { models, logger } = this.#options;
    this.#memory.readMs = -Infinity;
    try {
      await models[scope].release();
    } catch (error) {
      logger.warn('memory was not given back', { scope, message: errorMessage(error) });
    }
  }
}
