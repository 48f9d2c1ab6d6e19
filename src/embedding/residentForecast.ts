/** Below this share of the limit, memory was given back: what crosses the limit then is another peak. */
const GIVEN_BACK = 0.8;
/** A peak this much above the one that runs were last halved for is reason to halve them again; less is the heap's breathing. */
const WORTH_A_CUT = 1.05;

/**
 * Keeps resident memory below what a person allows. The engine keeps its largest need, so only peaks tell anything: the
 * growth from peak to peak says how large a run may become before the limit is met. Once it is passed all the same, the largest runs
 * are halved, once for each new peak; a short run that meets what they have left is not what brought it about.
 */
export class ResidentForecast {
  readonly #limitMb: number;
  #tokens = Infinity;
  #first: { readonly tokens: number; readonly rssMb: number } | undefined;
  #largestTokens = 0;
  #peakMb = 0;
  /** Resident memory at the last halving. */
  #cutAtMb = 0;

  constructor(limitMb: number) {
    this.#limitMb = limitMb;
  }

  /** Padded tokens a run may have; Infinity while nothing speaks against any. */
  get tokens(): number {
    return this.#tokens;
  }

  observe(tokens: number, rssMb: number): void {
    if (!Number.isFinite(this.#limitMb)) return;
    this.#first ??= { tokens, rssMb };
    this.#peakMb = Math.max(this.#peakMb, rssMb);
    const isLargest = tokens > this.#largestTokens;
    this.#largestTokens = Math.max(this.#largestTokens, tokens);
    if (rssMb < GIVEN_BACK * this.#limitMb) this.#cutAtMb = 0;
    if (rssMb > this.#limitMb && rssMb > WORTH_A_CUT * this.#cutAtMb && 2 * tokens >= this.#largestTokens) {
      this.#cutAtMb = rssMb;
      this.#tokens = Math.floor(Math.min(this.#tokens, this.#largestTokens) / 2);
      this.#largestTokens = this.#tokens;
    }
    if (!isLargest) return;
    const grown = this.#peakMb - this.#first.rssMb;
    // A slope between sizes that hardly differ would be noise.
    if (tokens < 4 * this.#first.tokens || grown <= 0 || this.#peakMb > this.#limitMb) return;
    const mbPerToken = grown / (tokens - this.#first.tokens);
    this.#tokens = Math.floor(tokens + (this.#limitMb - this.#peakMb) / mbPerToken);
  }
}
