import { Deferred } from '../../base/deferred.ts';
import type { EmbedParams, EmbedResult } from '../../protocol/embedder.ts';

/** Deaths of the process during one text's runs, the last of them alone, after which the text is given up … */
const MAX_DEATHS_PER_TEXT = 2;
/** … and so many alone where memory may have run out: it is shared, so that one death or another may be somebody else's fault. */
const MAX_LONE_DEATHS_BY_MEMORY = 3;

/** One call of `embed`: which of its texts are unsent, under way and answered, and the result as it fills. */
export class EmbedJob {
  readonly params: EmbedParams;
  readonly done = new Deferred<EmbedResult>();
  readonly #dimension: number;
  readonly #vectors: Float32Array;
  readonly #tokenCounts: Uint32Array;
  readonly #failures: { readonly index: number; readonly reason: string }[] = [];
  readonly #settled: Uint8Array;
  readonly #deaths: Uint8Array;
  readonly #loneDeaths: Uint8Array;
  /** Texts that are not sent for now. */
  readonly #held = new Set<number>();
  readonly #onSettled: ((chars: number) => void) | undefined;
  #unsent: number[];
  #unsentChars: number;
  #unsettledCount: number;

  /** `onSettled` is called for each text that is answered or given up, with its length in UTF-16 units. */
  constructor(params: EmbedParams, dimension: number, onSettled?: (chars: number) => void) {
    const count = params.texts.length;
    this.params = params;
    this.#dimension = dimension;
    this.#onSettled = onSettled;
    this.#vectors = new Float32Array(count * dimension);
    this.#tokenCounts = new Uint32Array(count);
    this.#settled = new Uint8Array(count);
    this.#deaths = new Uint8Array(count);
    this.#loneDeaths = new Uint8Array(count);
    this.#unsent = Array.from({ length: count }, (_, index) => index);
    this.#unsentChars = this.charsOf(this.#unsent);
    this.#unsettledCount = count;
    this.#finishWhenSettled();
  }

  /** Texts that are neither answered nor given up, nor held back. */
  get open(): number {
    return this.#unsettledCount - this.#held.size;
  }

  /** A call like this one, for other texts. */
  likeFor(texts: readonly string[]): EmbedJob {
    return new EmbedJob({ ...this.params, texts }, this.#dimension);
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** Texts to send, and their length in UTF-16 units. */
  get unsent(): { readonly texts: number; readonly chars: number } {
    return { texts: this.#unsent.length, chars: this.#unsentChars };
  }

  /** The next texts to send, as indices: up to `maxTexts`, and up to `maxChars` unless one text alone is longer. */
  takeUnsent(maxTexts: number, maxChars: number): number[] {
    let end = 0;
    for (let chars = 0; end < this.#unsent.length && end < maxTexts; end++) {
      chars += this.textAt(this.#unsent[end] ?? 0).length;
      if (chars > maxChars && end > 0) break;
    }
    const taken = this.#unsent.slice(0, end);
    this.#unsent = this.#unsent.slice(end);
    this.#unsentChars -= this.charsOf(taken);
    return taken;
  }

  textAt(index: number): string {
    return this.params.texts[index] ?? '';
  }

  /** Length of some texts in UTF-16 units. */
  charsOf(indices: readonly number[]): number {
    return indices.reduce((sum, index) => sum + this.textAt(index).length, 0);
  }

  /** Whether a process died while it ran this text. */
  isSuspect(index: number): boolean {
    return (this.#deaths[index] ?? 0) > 0;
  }

  /** Sending failed with the process: what has no answer yet goes first next time. */
  putBack(indices: readonly number[]): void {
    const again = indices.filter((index) => this.#settled[index] === 0 && !this.#held.has(index));
    this.#unsent = [...again, ...this.#unsent];
    this.#unsentChars += this.charsOf(again);
  }

  addRow(index: number, row: Float32Array, tokens: number): void {
    if (this.#settled[index] !== 0) return;
    this.#vectors.set(row, index * this.#dimension);
    this.#tokenCounts[index] = tokens;
    this.#settle(index);
  }

  addFailure(index: number, reason: string): void {
    if (this.#settled[index] !== 0) return;
    this.#failures.push({ index, reason });
    this.#settle(index);
  }

  /**
   * The process died while it ran this text, alone or with others. True when the text was alone and has been there often enough: it is
   * to be given up then, or held back while something else may be at fault.
   */
  addDeath(index: number, death: { readonly alone: boolean; readonly byMemory: boolean }): boolean {
    if (this.#settled[index] !== 0) return false;
    const deaths = Math.min(255, (this.#deaths[index] ?? 0) + 1);
    this.#deaths[index] = deaths;
    if (!death.alone) return false;
    const loneDeaths = Math.min(255, (this.#loneDeaths[index] ?? 0) + 1);
    this.#loneDeaths[index] = loneDeaths;
    return death.byMemory ? loneDeaths >= MAX_LONE_DEATHS_BY_MEMORY : deaths >= MAX_DEATHS_PER_TEXT;
  }

  giveUp(index: number, how: string): void {
    this.#held.delete(index);
    const deaths = this.#deaths[index] ?? 0;
    this.addFailure(index, `The embedder died ${deaths} times while embedding this text (${how}).`);
  }

  /** Does not send a text again for now. */
  hold(index: number): void {
    this.#held.add(index);
  }

  /** What died on a device says nothing about texts elsewhere: forgets it, and sends what was held back. */
  forgive(): void {
    this.#deaths.fill(0);
    this.#loneDeaths.fill(0);
    const held = [...this.#held];
    this.#held.clear();
    this.putBack(held);
  }

  #settle(index: number): void {
    this.#settled[index] = 1;
    this.#unsettledCount -= 1;
    this.#onSettled?.(this.textAt(index).length);
    this.#finishWhenSettled();
  }

  #finishWhenSettled(): void {
    if (this.#unsettledCount > 0) return;
    this.done.resolve({
      vectors: this.#vectors,
      dimension: this.#dimension,
      tokenCounts: this.#tokenCounts,
      failures: this.#failures.sort((a, b) => a.index - b.index),
    });
  }
}
