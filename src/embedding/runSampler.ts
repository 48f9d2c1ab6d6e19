import { median } from '../base/median.ts';
import { type RunMeasurement, type RunShape, areAlike, paddedTokens } from './runShape.ts';

/**
 * Runs shorter than this (in ms) are tried several in a row and learned from by their median: timing and learning would cost as much as they do.
 */
export const SHORT_RUN_MS = 2;
/**
 * Short runs of another size than the last ones find the caches, and the runtime its memory, as those left them. Measured with look-ups:
 * of 4,096 tokens after 2,048 the first takes 1.22 times as long as the fifth, the second 1.05, and 2,048 after 4,096 the same.
 */
export const SETTLING_RUNS = 2;
/** Runs learned from that make a size known: what neighbouring sizes let expect is reason to try it, not to trust it. */
export const RUNS_TO_KNOW = 3;
/**
 * The first runs of a scope (up to so many ms in all) teach nothing: code is not compiled yet, nor are the weights in memory. Measured with the bundled model: the first run takes up to 18 times
 * as long as later ones, the second mostly twice, those of the next 20 ms a fifth longer. Less than the latency ceiling is: a run that is too long must be learned from at once.
 */
const WARM_UP_MS = 50;
/** Runs of one size are learned from at most this often; once converged, any run is. */
const SAMPLE_PAUSE_MS = { learning: 5, converged: 20 } as const;

/** What is learned from: one run, or the median of some short ones of one size. */
export interface RunSample {
  readonly shape: RunShape;
  /** Whether the plan had this size chosen to learn from it. */
  readonly probe: boolean;
  readonly elapsedMs: number;
  readonly runs: number;
  readonly endedAtMs: number;
}

const NONE: readonly RunSample[] = [];

/** Makes of all runs, in order, the few that teach something. */
export class RunSampler {
  #warmUpMs = WARM_UP_MS;
  /** Time since the last sample. */
  #sinceMs = 0;
  /** Of the runs of one size that are being gathered. Changed in place: this is done for every run, of which there are thousands a second. */
  readonly #msPerToken: number[] = [];
  #texts = 0;
  #tokens = 0;
  #ms = 0;
  #endedAtMs = 0;
  /** Padded tokens of the first of the runs of one size that are being made, whether that is tried, and if so in a row of short ones. */
  #size = 0;
  #probe = false;
  #isRow = false;
  #lastMs = Infinity;
  /** Runs still to be passed over. */
  #settling = 0;

  /** Whether the last run was too early to tell anything. */
  get isWarmingUp(): boolean {
    return this.#warmUpMs > 0;
  }

  /** The samples that are complete with this run: at most one of what came before it, and one with it. */
  add(
    { shape: { length, count }, probe, elapsedMs, endedAtMs }: Omit<RunMeasurement, 'realTokens' | 'rssMb'>,
    isConverged: boolean,
  ): readonly RunSample[] {
    const tokens = paddedTokens({ length, count });
    const pauseMs = isConverged ? SAMPLE_PAUSE_MS.converged : SAMPLE_PAUSE_MS.learning;
    this.#sinceMs += elapsedMs;
    this.#warmUpMs -= elapsedMs;
    if (this.#warmUpMs > 0) return NONE;
    let before = NONE;
    const isOther = !areAlike(tokens, this.#size);
    if (isOther || probe !== this.#probe) {
      // What comes next is compared with what was just before, however short that was.
      if (!isConverged || this.#sinceMs >= pauseMs) before = this.#take();
      this.#size = tokens;
      this.#probe = probe;
      this.#forget();
      const isShort = isOther && Math.min(elapsedMs, this.#lastMs) < SHORT_RUN_MS;
      this.#settling = isShort ? SETTLING_RUNS : 0;
      this.#isRow = isShort && probe;
    }
    this.#lastMs = elapsedMs;
    if (this.#settling > 0) {
      this.#settling--;
      return before;
    }
    this.#msPerToken.push(elapsedMs / tokens);
    this.#texts += count;
    this.#tokens += tokens;
    this.#ms += elapsedMs;
    this.#endedAtMs = endedAtMs;
    // A row that is tried is one moment's: one sample, of all of it.
    if (this.#isRow || this.#sinceMs < pauseMs || this.#ms < SHORT_RUN_MS) return before;
    return before.length === 0 ? this.#take() : [...before, ...this.#take()];
  }

  /** The row that is being gathered, where it is complete as it is: what runs next is of another moment. */
  endRow(): readonly RunSample[] {
    if (!this.#isRow) return NONE;
    this.#isRow = false;
    this.#size = 0;
    return this.#take();
  }

  #take(): readonly RunSample[] {
    const runs = this.#msPerToken.length;
    if (runs === 0) return NONE;
    // The median: what interrupts one run of a fraction of a millisecond may take several times as long as it does. Of two runs it is their mean: the
    // slower one would make larger sizes, of which there are fewer runs in a sample, seem slower than they are.
    const middle = median(this.#msPerToken);
    const shape = { length: this.#tokens / this.#texts, count: this.#texts / runs };
    const sample = {
      shape,
      probe: this.#probe,
      elapsedMs: (middle * this.#tokens) / runs,
      runs,
      endedAtMs: this.#endedAtMs,
    };
    this.#sinceMs = 0;
    this.#forget();
    return [sample];
  }

  #forget(): void {
    this.#msPerToken.length = 0;
    this.#texts = 0;
    this.#tokens = 0;
    this.#ms = 0;
  }
}
