/** Quantiles of the last values added. Exact over its window; sorting is put off until somebody asks. */
export class QuantileWindow {
  readonly #values: Float64Array;
  #added = 0;

  constructor(capacity = 512) {
    this.#values = new Float64Array(capacity);
  }

  /** Values in the window now. */
  get count(): number {
    return Math.min(this.#added, this.#values.length);
  }

  add(value: number): void {
    this.#values[this.#added % this.#values.length] = value;
    this.#added++;
  }

  /** The value below which the share `q` (0 to 1) of the window lies, by nearest rank; 0 while it is empty. */
  quantile(q: number): number {
    const sorted = this.#values.slice(0, this.count).sort();
    return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  }
}
