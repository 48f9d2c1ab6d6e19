/**
 * What words were encoded to, in two generations: the young one fills up and becomes the old one, and what is asked for
 * again moves to the young. Nearly as good as least-recently-used, at the price of one map look-up.
 */
export class WordCache {
  readonly #generationSize: number;
  #young = new Map<string, readonly number[]>();
  #old = new Map<string, readonly number[]>();

  constructor(generationSize: number) {
    this.#generationSize = generationSize;
  }

  get(word: string): readonly number[] | undefined {
    const young = this.#young.get(word);
    if (young !== undefined) return young;
    const old = this.#old.get(word);
    if (old !== undefined) this.set(word, old);
    return old;
  }

  set(word: string, ids: readonly number[]): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(word, ids);
  }
}
