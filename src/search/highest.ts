/** The highest of some numbers, best first: a file may have a thousand chunks, of which a few count. */
export class Highest {
  readonly #limit: number;
  readonly #values: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(value: number): void {
    const values = this.#values;
    if (values.length === this.#limit) {
      if (value <= (values[this.#limit - 1] ?? 0)) return;
      values.pop();
    }
    let at = values.length;
    while (at > 0 && (values[at - 1] ?? 0) < value) {
      values[at] = values[at - 1] ?? 0;
      at--;
    }
    values[at] = value;
  }

  /** The best one has place 0; 0 where there are not as many. */
  at(place: number): number {
    return this.#values[place] ?? 0;
  }

  get sumAboveZero(): number {
    return this.#values.reduce((sum, value) => sum + Math.max(0, value), 0);
  }
}
