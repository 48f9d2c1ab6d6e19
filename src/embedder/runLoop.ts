import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { errorMessage, isTesseraError } from '../base/errors.ts';
import { type Dispatch, type LaneQueue, TURNS } from '../embedding/laneQueue.ts';
import { type RunShape, paddedTokens } from '../embedding/runShape.ts';
import type { Tuner } from '../embedding/tunerTypes.ts';
import { type EmbedderEvents, PLAIN_TEXT } from '../protocol/embedder.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import type { EmbeddingModel } from './embeddingModel.ts';
import { FailedRun, FailedTexts } from './failedTexts.ts';
import { type PieceText, groupByPiece } from './pieceProgress.ts';
import { ResidentMemory, type ResidentMemoryOptions } from './residentMemory.ts';
import type { RunObserver } from './runObserver.ts';
import type { TextInput } from './textInput.ts';

/** Texts that may fail alone, one after another, before the model or its device is doubted rather than they. */
const FAILURES_IN_A_ROW = 3;

/** Memory is waited for so long where not even the smallest run of several texts has enough, and so often in a row. */
const PAUSE_MS = 100;
const MOST_PAUSES = 30;

export interface RunLoopOptions extends ResidentMemoryOptions {
  readonly models: Readonly<Record<Scope, Pick<EmbeddingModel, 'info' | 'encode' | 'run' | 'runTokens' | 'release'>>>;
  readonly tuners: Readonly<Record<Scope, Tuner>>;
  readonly queue: LaneQueue<PieceText>;
  readonly clock: Clock;
  readonly observer: RunObserver;
  readonly onRunStarted: (run: EmbedderEvents['runStarted']) => void;
  readonly onRunEnded: (failed: boolean) => void;
  readonly onRows: (rows: EmbedderEvents['rows']) => void;
  /** Called when not even one text fits into this process's memory. A new process may have more; this one should end. */
  readonly onHopeless: () => void;
  /** Called once, when a model fails at any text: nothing more is run or answered, and this process should be ended. */
  readonly onBroken: (broken: EmbedderEvents['broken']) => void;
}

/** A run about to be made. Texts alone after a death or a failure come without a place in the queue. */
type Run = Pick<Dispatch<PieceText>, 'scope' | 'length' | 'count'> & {
  readonly texts: readonly PieceText[];
  readonly dispatch: Dispatch<PieceText> | undefined;
};

/** A text to be run by itself. */
interface Alone {
  readonly text: PieceText;
  /** Whether it has failed in a run already. */
  readonly retried: boolean;
  /** The run of several that it failed in, when that was not for want of memory. */
  readonly failedRun: FailedRun | undefined;
}

/**
 * Takes runs from the queue, one at a time, until it is empty. The runtime computes on this thread: between two runs
 * the loop lets messages in, so that a query waits for one run at most.
 */
export class RunLoop {
  readonly #options: RunLoopOptions;
  /** Texts to be run by themselves, in order, when no query waits. */
  readonly #alone: Alone[] = [];
  /** Queries in a row that went before a text to be run by itself. */
  #queriesInFront = 0;
  /** By model: where both scopes have the same, what either does shows whether it works. */
  readonly #failedTexts: Readonly<Record<Scope, FailedTexts>>;
  #isBroken = false;
  /** Work that is answered otherwise than by rows; before each run one piece of it. */
  readonly #aside: (() => Promise<void>)[] = [];
  #isRunning = false;
  /** Waits for memory since the last run that succeeded. */
  #pausesInARow = 0;
  #afterRun: (() => void)[] = [];
  readonly #memory: ResidentMemory;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    const code = new FailedTexts();
    this.#failedTexts = { code, docs: hasOneModel(options) ? code : new FailedTexts() };
    this.#memory = new ResidentMemory(options, hasOneModel(options) ? ['code'] : SCOPES);
  }

  /** Starts working when it is idle; to be called after texts were queued. */
  wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#work();
  }

  /** Queues a text to be run by itself. */
  runAlone(text: PieceText): void {
    this.#alone.push({ text, retried: false, failedRun: undefined });
    this.wake();
  }

  /**
   * Vectors of every token of some texts, padded to `length` tokens, which a person waits for: in turns with the queue's runs, so that neither waits for more than one of the
   * other. For each text the vectors of its tokens, one after another. Where memory is short they are computed in smaller runs.
   *
   * @throws TesseraError `out-of-memory` when there is not enough even for one text alone
   */
  async runTokens(scope: Scope, texts: readonly TextInput[], length: number): Promise<Float32Array[]> {
    try {
      return await this.#inTurn(() => this.#computeTokens(scope, texts, length));
    } catch (error) {
      if (!isTesseraError(error, 'out-of-memory')) throw error;
    }
    if (texts.length > 1) {
      this.#backOff(scope, { length, count: texts.length });
      const half = texts.length >> 1;
      const first = await this.runTokens(scope, texts.slice(0, half), length);
      return [...first, ...(await this.runTokens(scope, texts.slice(half), length))];
    }
    return this.#inTurn(async () => {
      // With all the memory there is.
      await this.#release(scope);
      return this.#computeTokens(scope, texts, length);
    });
  }

  /** Resolves after the next run. */
  nextRun(): Promise<void> {
    return new Promise((resolve) => this.#afterRun.push(resolve));
  }

  /** Settles as `compute` does, which is called between two runs. */
  #inTurn<T>(compute: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#aside.push(() => compute().then(resolve, reject));
      this.wake();
    });
  }

  async #work(): Promise<void> {
    while (!this.#isBroken) {
      // Messages that came during the last run are read here, before the next one is chosen.
      await turn();
      const aside = this.#aside.shift();
      await aside?.();
      const dispatch = this.#options.queue.next();
      if (dispatch !== undefined) {
        const texts = dispatch.texts.map((text) => text.payload);
        const { scope, length, count } = dispatch;
        await this.#perform({ scope, length, count, texts, dispatch });
      }
      const alone = this.#nextAlone(dispatch);
      if (alone !== undefined && !alone.text.piece.signal.aborted) {
        const { text } = alone;
        const { scope } = text.piece.params;
        // A process ended over it before. Where memory is short now too, this one ends over a plain text, and no text is blamed.
        if (!alone.retried) await this.#embedsPlainText(scope);
        await this.#perform(
          { scope, length: text.input.ids.length, count: 1, texts: [text], dispatch: undefined },
          alone,
        );
      }
      for (const resolve of this.#afterRun.splice(0)) resolve();
      const tried = [dispatch?.scope, alone?.text.piece.params.scope].map((scope) => scope && this.#failedTexts[scope]);
      const doubted = SCOPES.find((scope) => {
        const failed = this.#failedTexts[scope];
        return !this.#isBroken && failed.count > 0 && !tried.includes(failed);
      });
      if (doubted !== undefined) {
        // No other text shows for now whether it was their fault, and somebody waits for them.
        await this.#judge(doubted);
      } else if (aside === undefined && dispatch === undefined && alone === undefined) {
        this.#options.observer.idle();
        // Here rather than when the promise settles: texts queued in between would wait for nobody.
        this.#isRunning = false;
        return;
      }
    }
  }

  /** The next text to be run by itself: after the queries, but not after any number of them. */
  #nextAlone(dispatch: Dispatch<PieceText> | undefined): Alone | undefined {
    if (dispatch?.lane === 'query' && this.#alone.length > 0 && this.#queriesInFront < TURNS.query) {
      this.#queriesInFront += 1;
      return undefined;
    }
    this.#queriesInFront = 0;
    return this.#alone.shift();
  }

  async #perform(run: Run, alone?: Alone): Promise<void> {
    const { models, tuners, clock, observer, onRunStarted, onRunEnded } = this.#options;
    const { scope, length, count } = run;
    // Everything a run costs counts, the way to the other process too: that is what size can save.
    const startedMs = clock.now();
    const groups = groupByPiece(run.texts);
    const triedAfter = tuners[scope].triedAfter({ length, count });
    onRunStarted({
      scope,
      length,
      count,
      ...(triedAfter !== undefined && { triedAfter }),
      members: groups.map(({ piece, indices }) => ({ piece: piece.params.piece, indices })),
    });
    let vectors: Float32Array;
    try {
      vectors = await models[scope].run(
        run.texts.map(({ input }) => input),
        length,
      );
    } catch (error) {
      onRunEnded(true);
      await this.#recover(run, error, alone?.retried === true);
      return;
    }
    onRunEnded(false);
    // From here on the texts are answered: nothing that goes wrong may run them again.
    this.#pausesInARow = 0;
    this.#sendRows(run, vectors, groups);
    this.#failedTexts[scope].tell();
    if (alone?.failedRun?.succeeded() === true) this.#backOff(scope, alone.failedRun.shape);
    const endedMs = clock.now();
    const rssMb = this.#memory.after(paddedTokens({ length, count }), endedMs, this.#modelOf(scope));
    const realTokens = run.texts.reduce((sum, { input }) => sum + input.ids.length, 0);
    const elapsedMs = endedMs - startedMs;
    const probe = run.dispatch?.probe === true;
    tuners[scope].record({ shape: { length, count }, probe, realTokens, elapsedMs, endedAtMs: endedMs, rssMb });
    observer.ran({ scope, length, count, realTokens, elapsedMs, rssMb });
    if (this.#memory.isReleaseDue(this.#modelOf(scope), rssMb)) await this.#releaseAll();
  }

  async #computeTokens(scope: Scope, texts: readonly TextInput[], length: number): Promise<Float32Array[]> {
    const { models, clock, observer, onRunStarted, onRunEnded } = this.#options;
    const count = texts.length;
    const startedMs = clock.now();
    onRunStarted({ scope, length, count, members: [] });
    const vectors = await models[scope].runTokens(texts, length).catch((error: unknown) => {
      onRunEnded(true);
      throw error;
    });
    onRunEnded(false);
    const endedMs = clock.now();
    const rssMb = this.#memory.after(paddedTokens({ length, count }), endedMs, this.#modelOf(scope));
    const realTokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
    // Nothing for the tuner: so much more comes out of it that it takes another time.
    observer.ran({ scope, length, count, realTokens, elapsedMs: endedMs - startedMs, rssMb });
    if (this.#memory.isReleaseDue(this.#modelOf(scope), rssMb)) await this.#releaseAll();
    const { dimension } = models[scope].info;
    let start = 0;
    return texts.map(({ ids }) => vectors.subarray(start, (start += ids.length * dimension)));
  }

  #sendRows(run: Run, vectors: Float32Array, groups: ReturnType<typeof groupByPiece>): void {
    const { dimension } = this.#options.models[run.scope].info;
    for (const { piece, rows, indices } of groups) {
      const own = new Float32Array(rows.length * dimension);
      rows.forEach((row, at) => own.set(vectors.subarray(row * dimension, (row + 1) * dimension), at * dimension));
      const tokenCounts = Uint32Array.from(rows, (row) => run.texts[row]?.input.ids.length ?? 0);
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
    const { models, tuners, queue, logger } = this.#options;
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
      this.#backOff(scope, { length, count });
      // At the smallest size there is, the same run would be planned again: memory is waited for, which is mostly short for a moment
      // only, but not for ever. Alone at once, a text could end the process twice over a shortage that is not its fault.
      const isPlannedSmaller = tuners[scope].mostTokens < paddedTokens({ length, count });
      const mayWait = isPlannedSmaller || this.#pausesInARow < MOST_PAUSES;
      if (count > 1 && run.dispatch !== undefined && mayWait) {
        if (!isPlannedSmaller) {
          this.#pausesInARow += 1;
          await sleep(PAUSE_MS);
        }
        queue.giveBack(run.dispatch);
        return;
      }
    }
    // A device may be lost (a driver that was reset, a machine that slept) and be there again: only a new session finds it. On
    // the processor there is nothing to lose, and what failed was the texts.
    const mayBeLost = !ranOut && models[scope].info.device !== 'cpu';
    const failed = this.#failedTexts[scope];
    // A text that fails in a session opened for it is at fault, unless the one before it has taken the device with it.
    const isTriedAgain = !retried || (mayBeLost && failed.isSessionDoubted);
    // Alone, and with all the memory there is.
    if (isTriedAgain && (mayBeLost || ranOut)) await this.#release(scope);
    if (isTriedAgain) {
      const failedRun = !ranOut && count > 1 ? new FailedRun({ length, count }) : undefined;
      this.#alone.unshift(...run.texts.map((text) => ({ text, retried: true, failedRun })));
      return;
    }
    if (ranOut) {
      this.#options.onHopeless();
      return;
    }
    for (const text of run.texts) failed.add(text, errorMessage(error));
    // What the other model does says nothing about this one, and a person waits.
    const isWaitedFor = !hasOneModel(this.#options) && run.texts.some(({ piece }) => piece.params.lane === 'query');
    if (isWaitedFor || failed.count >= FAILURES_IN_A_ROW) await this.#judge(scope);
  }

  /**
   * Finds out whose fault it is that texts failed alone, one after another: theirs, when the model still embeds a plain text. A
   * device that does no more than that is no better than one that is lost: another can tell whether it was the texts.
   */
  async #judge(scope: Scope): Promise<void> {
    const { models, onBroken } = this.#options;
    const failed = this.#failedTexts[scope];
    const isDoubtful = failed.count >= FAILURES_IN_A_ROW && models[scope].info.device !== 'cpu';
    if (!isDoubtful && (await this.#works(scope))) {
      failed.tell();
      return;
    }
    this.#isBroken = true;
    onBroken({ scope, reason: failed.lastReason });
  }

  /** Whether a model embeds a plain text, if need be once its device is opened anew: the last text may have taken it with it. */
  async #works(scope: Scope): Promise<boolean> {
    if (await this.#embedsPlainText(scope)) return true;
    if (this.#options.models[scope].info.device === 'cpu') return false;
    await this.#release(scope);
    return this.#embedsPlainText(scope);
  }

  async #embedsPlainText(scope: Scope): Promise<boolean> {
    const { models, logger, onRunStarted, onRunEnded, onHopeless } = this.#options;
    const input = models[scope].encode(PLAIN_TEXT, 'document');
    const { length } = input.ids;
    onRunStarted({ scope, length, count: 1, members: [] });
    let failed = true;
    try {
      await models[scope].run([input], length);
      failed = false;
      return true;
    } catch (error) {
      logger.warn('the model fails at a plain text too', { scope, message: errorMessage(error) });
      if (isTesseraError(error, 'out-of-memory')) onHopeless();
      return false;
    } finally {
      onRunEnded(failed);
    }
  }

  #backOff(scope: Scope, shape: RunShape): void {
    this.#options.tuners[scope].outOfMemory(shape);
    this.#options.observer.backedOff(scope);
  }

  /** The scope that stands for a model: one of both scopes is that of code. */
  #modelOf(scope: Scope): Scope {
    return hasOneModel(this.#options) ? 'code' : scope;
  }

  /** The memory is the process's, whichever model's runs took it. */
  async #releaseAll(): Promise<void> {
    await this.#release('code');
    if (!hasOneModel(this.#options)) await this.#release('docs');
  }

  /** A runtime that can't let go goes on as it is: the next run opens it anew. */
  async #release(scope: Scope): Promise<void> {
    const { models, logger } = this.#options;
    this.#memory.changed();
    this.#failedTexts[scope].released();
    try {
      await models[scope].release();
    } catch (error) {
      logger.warn('memory was not given back', { scope, message: errorMessage(error) });
    }
  }
}

function hasOneModel({ models }: Pick<RunLoopOptions, 'models'>): boolean {
  return models.code === models.docs;
}
