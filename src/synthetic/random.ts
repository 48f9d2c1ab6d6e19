/** Seeded random numbers: the same seed gives the same models and workloads everywhere. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    // A zero state would stay zero; the constant is the golden ratio, as usual.
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.#step();
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.#step() / 2 ** 32;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Uniform in {0, …, limit − 1}. */
  integer(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** Uniform values of mean `mean` and standard deviation `deviation`. */
  floats(count: number, deviation: number, mean = 0): Float32Array {
    const values = new Float32Array(count);
    const scale = (deviation * Math.sqrt(12)) / 2 ** 32;
    for (let i = 0; i < count; i++) values[i] = mean + (this.#step() - 2 ** 31) * scale;
    return values;
  }

  /** Xorshift32 (Marsaglia 2003). */
  #step(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }
}
