/** A peak this much above the one that runs were last halved for is reason to halve them again; less is the heap's breathing. */
const WORTH_A_CUT = 1.05;

/**
 * Keeps resident memory below what a person allows. The engine keeps its largest need, so only peaks tell anything: the
 * growth from peak to peak says how large a run may become before the limit is met. Once it is passed all the same, runs
 * are halved, once for each new peak: where smaller ones reach the same one again, their size is not what takes the memory.
 */
export class ResidentForecast {
  readonly #limitMb: number;
  readonly #usualTokens: number;
  #tokens = Infinity;
  #first: { readonly tokens: number; readonly rssMb: number } | undefined;
  #largestTokens = 0;
  #peakMb = 0;
  /** Resident memory at the last halving. */
  #cutAtMb = 0;

  /** `usualTokens` is a size that runs of bulk work are expected to have at the least. */
  constructor(limitMb: number, usualTokens: number) {
    this.#limitMb = limitMb;
    this.#usualTokens = usualTokens;
  }

  /** Padded tokens a run may have; Infinity while nothing speaks against any. */
  get tokens(): number {
    return this.#tokens;
  }

  observe(tokens: number, rssMb: number): void {
    if (!Number.isFinite(this.#limitMb)) return;
    this.#first ??= { tokens, rssMb };
    this.#peakMb = Math.max(this.#peakMb, rssMb);
    if (rssMb > this.#limitMb && rssMb > WORTH_A_CUT * this.#cutAtMb && this.#mayBeToBlame(tokens)) {
      this.#cutAtMb = rssMb;
      // What is resident is what the largest of late have taken.
      const culprit = 2 * tokens >= this.#largestTokens ? Math.max(tokens, this.#largestTokens) : tokens;
      this.#tokens = Math.floor(Math.min(this.#tokens, culprit) / 2);
      this.#largestTokens = this.#tokens;
      return;
    }
    if (tokens <= this.#largestTokens) return;
    this.#largestTokens = tokens;
    const grown = this.#peakMb - this.#first.rssMb;
    // A slope between sizes that hardly differ would be noise.
    if (tokens < 4 * this.#first.tokens || grown <= 0 || this.#peakMb > this.#limitMb) return;
    const mbPerToken = grown / (tokens - this.#first.tokens);
    this.#tokens = Math.floor(tokens + (this.#limitMb - this.#peakMb) / mbPerToken);
  }

  /** A query that finds memory over the limit is not, nor is a single text that is longer than runs may be: it cannot be made smaller. */
  #mayBeToBlame(tokens: number): boolean {
    return 2 * tokens >= Math.min(this.#usualTokens, this.#tokens) && tokens <= this.#tokens;
  }
}
