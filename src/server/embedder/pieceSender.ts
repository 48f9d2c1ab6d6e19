import type { CancellationSignal } from '../../base/cancellation.ts';
import { type TesseraError, isTesseraError, toTesseraError } from '../../base/errors.ts';
import {
  type EmbedPieceParams,
  type EmbedResult,
  type EmbedderEvents,
  LANES,
  PLAIN_TEXT,
} from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import { DoubtedTexts } from './doubtedTexts.ts';
import type { EmbedJob } from './embedJob.ts';

/** Texts sent in one message; a job of any size goes over in pieces of this. */
const MAX_PIECE_TEXTS = 256;
const MAX_PIECE_CHARS = 1 << 20;
/** Bulk text held by the process at a time, in UTF-16 units: enough for the batcher to sort, little enough to lose. */
const MAX_BULK_CHARS_IN_FLIGHT = 4 << 20;

/** Texts of one job on their way: index within the piece → index within the job. */
interface Piece {
  readonly job: EmbedJob;
  readonly indices: readonly number[];
  readonly chars: number;
}

export interface PieceSenderOptions {
  /** Has the process there is, or the next, embed a piece. */
  readonly embed: (piece: EmbedPieceParams, signal: CancellationSignal) => Promise<Pick<EmbedResult, 'failures'>>;
  /** Why no process follows one that has ended; undefined while one does. */
  readonly failure: () => TesseraError | undefined;
  /** Whether a scope's model is on another device than the processor. */
  readonly isOnDevice: (scope: Scope) => boolean;
}

/**
 * Sends the texts of jobs to an embedder process in pieces and gives its rows to them. What a process has not answered when it
 * ends goes to the next one.
 */
export class PieceSender {
  readonly #options: PieceSenderOptions;
  readonly #jobs = new Set<EmbedJob>();
  readonly #pieces = new Map<number, Piece>();
  readonly #doubted = new DoubtedTexts();
  #nextPiece = 1;
  #bulkCharsInFlight = 0;

  constructor(options: PieceSenderOptions) {
    this.#options = options;
  }

  get jobs(): Iterable<EmbedJob> {
    return this.#jobs;
  }

  /** Sends a job's texts, as far as there is room. */
  add(job: EmbedJob): void {
    this.#jobs.add(job);
    this.#sendUnsent();
  }

  /** A job has ended, or nobody waits for it. */
  remove(job: EmbedJob): void {
    this.#jobs.delete(job);
    this.#settleDoubted();
  }

  /** Gives rows to the jobs they are for. The scope they are of; undefined when nobody waits for them. */
  addRows({ piece, indices, vectors, tokenCounts }: EmbedderEvents['rows']): Scope | undefined {
    const target = this.#pieces.get(piece);
    if (target === undefined) return undefined;
    const dimension = vectors.length / indices.length;
    indices.forEach((index, row) => {
      const vector = vectors.subarray(row * dimension, (row + 1) * dimension);
      target.job.addRow(target.indices[index] ?? 0, vector, tokenCounts[row] ?? 0);
    });
    return target.job.params.scope;
  }

  /** The texts of a run that are still waited for. */
  textsOf({ members }: EmbedderEvents['runStarted']): { readonly job: EmbedJob; readonly index: number }[] {
    return members.flatMap(({ piece, indices }) => {
      const target = this.#pieces.get(piece);
      if (target === undefined) return [];
      return Array.from(indices, (index) => ({ job: target.job, index: target.indices[index] ?? 0 }));
    });
  }

  /** Processes ended over a text on a device, which may be at fault; `how` they ended. */
  holdBack(job: EmbedJob, index: number, how: string): void {
    this.#doubted.add(job, index, how);
  }

  /** What was held back is given up: the device does well. */
  giveUpHeldBack(): void {
    this.#doubted.giveUp();
  }

  /** What was held back is sent: the device was gone when the next process opened its models. */
  forgiveHeldBack(): void {
    if (this.#doubted.job !== undefined) this.forgive();
  }

  /** The device is left: what ended over texts on it is forgotten, and those held back are sent. */
  forgive(): void {
    this.#doubted.forget();
    for (const job of this.#jobs) job.forgive();
    this.#sendUnsent();
  }

  #sendUnsent(): void {
    for (const lane of LANES) {
      for (const job of this.#jobs) {
        if (job.params.lane !== lane || job.done.isSettled) continue;
        while (job.hasUnsent && (lane !== 'bulk' || this.#bulkCharsInFlight < MAX_BULK_CHARS_IN_FLIGHT))
          this.#sendPiece(job);
      }
    }
  }

  #sendPiece(job: EmbedJob): void {
    const indices = job.takeUnsent(MAX_PIECE_TEXTS, MAX_PIECE_CHARS);
    const piece: Piece = { job, indices, chars: job.charsOf(indices) };
    const id = this.#nextPiece++;
    this.#pieces.set(id, piece);
    if (job.params.lane === 'bulk') this.#bulkCharsInFlight += piece.chars;
    void this.#awaitPiece(id, piece).finally(() => {
      this.#pieces.delete(id);
      if (job.params.lane === 'bulk') this.#bulkCharsInFlight -= piece.chars;
      this.#settleDoubted();
      this.#sendUnsent();
    });
  }

  async #awaitPiece(id: number, { job, indices }: Piece): Promise<void> {
    const cancellation = new AbortController();
    // Whoever waited has left, or everything of this piece was answered already.
    const onSettled = () => cancellation.abort();
    job.done.promise.then(onSettled, onSettled);
    const texts = indices.map((index) => job.textAt(index));
    const alone = indices.flatMap((index, position) => (job.isSuspect(index) ? [position] : []));
    try {
      const piece = { ...job.params, texts, piece: id, alone };
      const { failures } = await this.#options.embed(piece, cancellation.signal);
      for (const { index, reason } of failures) job.addFailure(indices[index] ?? 0, reason);
      // All rows of a piece come before its answer: what is missing now is lost, and must not be waited for.
      for (const index of indices) job.addFailure(index, 'The embedder gave no vector for this text.');
    } catch (error) {
      if (isTesseraError(error, 'cancelled')) return;
      if (isTesseraError(error, 'process-exited') && this.#options.failure() === undefined) job.putBack(indices);
      else job.done.reject(toTesseraError(error));
    }
  }

  /** Where no other text waits that could show whether the device is at fault rather than a text, a plain one does. */
  #settleDoubted(): void {
    const { job } = this.#doubted;
    if (job === undefined) return;
    const failure = this.#options.failure();
    if (failure !== undefined) {
      this.#doubted.reject(failure);
      return;
    }
    for (const other of this.#jobs)
      if (!other.done.isSettled && other.open > 0 && this.#options.isOnDevice(other.params.scope)) return;
    const plain = job.likeFor([PLAIN_TEXT]);
    this.add(plain);
    // Rows of it give the others up before it is done; without any it tells no more than they.
    const onDone = (): void => this.#doubted.giveUp();
    plain.done.promise.then(onDone, () => undefined).finally(() => this.#jobs.delete(plain));
  }
}
