import type { CancellationSignal } from '../base/cancellation.ts';
import { Deferred } from '../base/deferred.ts';
import type { EmbedPieceParams, EmbedResult } from '../protocol/embedder.ts';
import type { TextInput } from './textInput.ts';

type Failures = EmbedResult['failures'];

/** A piece of work under way: what is still to come of it. */
export class PieceProgress {
  readonly params: EmbedPieceParams;
  readonly signal: CancellationSignal;
  readonly done = new Deferred<Failures>();
  readonly #failures: { readonly index: number; readonly reason: string }[] = [];
  #remaining: number;

  constructor(params: EmbedPieceParams, signal: CancellationSignal) {
    this.params = params;
    this.signal = signal;
    this.#remaining = params.texts.length;
    // Texts of an abandoned piece are passed over in silence: nothing else would end it.
    signal.addEventListener('abort', () => this.done.resolve([]), { once: true });
    this.#finishWhenEmpty();
  }

  answered(count: number): void {
    this.#remaining -= count;
    this.#finishWhenEmpty();
  }

  failed(index: number, reason: string): void {
    this.#failures.push({ index, reason });
    this.answered(1);
  }

  #finishWhenEmpty(): void {
    if (this.#remaining <= 0) this.done.resolve(this.#failures);
  }
}

/** A tokenised text of a piece. */
export interface PieceText {
  readonly piece: PieceProgress;
  /** Within the piece. */
  readonly index: number;
  readonly input: TextInput;
}

/** Texts of a run by the piece they are from, with their rows in the run. */
export function groupByPiece(texts: readonly PieceText[]): readonly PieceGroup[] {
  const rows = new Map<PieceProgress, number[]>();
  texts.forEach(({ piece }, row) => {
    const known = rows.get(piece);
    if (known === undefined) rows.set(piece, [row]);
    else known.push(row);
  });
  return [...rows].map(([piece, ofPiece]) => ({
    piece,
    rows: ofPiece,
    indices: Uint32Array.from(ofPiece, (row) => texts[row]?.index ?? 0),
  }));
}

export interface PieceGroup {
  readonly piece: PieceProgress;
  /** Rows of the run. */
  readonly rows: readonly number[];
  /** Indices within the piece, in the order of `rows`. */
  readonly indices: Uint32Array;
}
