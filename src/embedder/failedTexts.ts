import type { RunShape } from '../embedding/runShape.ts';
import type { PieceText } from './pieceProgress.ts';

/**
 * Texts that failed alone, one after another. None is told of before something shows whose fault it was: a device that is lost
 * fails any text, and a text that was told to have failed is not tried again before its file changes.
 */
export class FailedTexts {
  readonly #texts: { readonly text: PieceText; readonly reason: string }[] = [];
  #isSessionDoubted = false;

  /** Whether the last text failed in the present session, and none succeeded in it since: it may have taken the device with it. */
  get isSessionDoubted(): boolean {
    return this.#isSessionDoubted;
  }

  /** Texts that failed since the last that succeeded. */
  get count(): number {
    return this.#texts.length;
  }

  /** Why the last of them failed; empty when there is none. */
  get lastReason(): string {
    return this.#texts.at(-1)?.reason ?? '';
  }

  add(text: PieceText, reason: string): void {
    this.#texts.push({ text, reason });
    this.#isSessionDoubted = true;
  }

  /** The next run opens the model anew. */
  released(): void {
    this.#isSessionDoubted = false;
  }

  /** The model is known to work: it was the texts' own fault, and whoever waits for them is told. */
  tell(): void {
    this.#isSessionDoubted = false;
    for (const { text, reason } of this.#texts.splice(0)) text.piece.failed(text.index, reason);
  }
}

/** A run of several texts that failed, while these are tried one by one. */
export class FailedRun {
  readonly shape: RunShape;
  #left: number;

  constructor(shape: RunShape) {
    this.shape = shape;
    this.#left = shape.count;
  }

  /** One of its texts has succeeded alone; true when all have, so that only its size can have been at fault. */
  succeeded(): boolean {
    this.#left -= 1;
    return this.#left === 0;
  }
}
