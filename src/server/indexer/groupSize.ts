/** What a kill may lose of one group, and how soon the first results can be found. */
const TARGET_MS = 2_000;
const MIN_CHUNKS = 64;
/** Beyond it nothing gets faster, and turning a group into columns would hold up a search for more than a few milliseconds. */
const MAX_CHUNKS = 1_024;

/** How many chunks to commit together: about two seconds of work at the measured rate. */
export class GroupSize {
  #chunks = MIN_CHUNKS;

  get chunks(): number {
    return this.#chunks;
  }

  /** A group of `chunks` was done in `tookMs`; growth is limited to doubling, since the first groups pay for the start. */
  learn(chunks: number, tookMs: number): void {
    if (chunks === 0) return;
    const fitting = Math.round((chunks / Math.max(tookMs, 1)) * TARGET_MS);
    this.#chunks = Math.min(MAX_CHUNKS, Math.max(MIN_CHUNKS, Math.min(fitting, this.#chunks * 2)));
  }
}
