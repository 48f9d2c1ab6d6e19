/** Runs over which the present rate is averaged. */
const RUNS = 24;

/** Real tokens per second of engine time: over the last runs, and the best such average so far. */
export class ThroughputMeter {
  readonly #tokens = new Float64Array(RUNS);
  readonly #ms = new Float64Array(RUNS);
  #runs = 0;
  #sumTokens = 0;
  #sumMs = 0;
  #best: number;

  constructor(best = 0) {
    this.#best = best;
  }

  get best(): number {
    return this.#best;
  }

  /** Tokens per second over the last runs; 0 before the first. */
  get now(): number {
    return this.#sumMs > 0 ? (this.#sumTokens / this.#sumMs) * 1000 : 0;
  }

  add(tokens: number, ms: number): void {
    const place = this.#runs++ % RUNS;
    this.#sumTokens += tokens - (this.#tokens[place] ?? 0);
    this.#sumMs += ms - (this.#ms[place] ?? 0);
    this.#tokens[place] = tokens;
    this.#ms[place] = ms;
    // A lucky short run is no rate.
    if (this.#runs >= RUNS) this.#best = Math.max(this.#best, this.now);
  }
}
