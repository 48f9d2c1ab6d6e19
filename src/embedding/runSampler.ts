import { type RunShape, paddedTokens } from './runShape.ts';

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
/** Runs of one size are learned from at most this often; once converged, any run is. */
const SAMPLE_PAUSE_MS = { learning: 5, converged: 20 } as const;

/** What is learned from: one run, or the median of some short ones of one size. */
export interface RunSample {
  readonly shape: RunShape;
  readonly elapsedMs: number;
  readonly runs: number;
  readonly endedAtMs: number;
}

/** Runs of one size that are being gathered. */
interface Gathered {
  readonly msPerToken: readonly number[];
  readonly texts: number;
  readonly tokens: number;
  readonly ms: number;
  readonly endedAtMs: number;
}

const NO_RUNS: Gathered = { msPerToken: [], texts: 0, tokens: 0, ms: 0, endedAtMs: 0 };

/** Makes of all runs, in order, the few that teach something. */
export class RunSampler {
  /** Time since the last sample. */
  #sinceMs = 0;
  #gathered = NO_RUNS;
  /** Padded tokens of the first of the runs of one size that are being made. */
  #size = 0;
  #lastMs = Infinity;
  /** Runs still to be passed over. */
  #settling = 0;

  /** The samples that are complete with this run: at most one of what came before it, and one with it. */
  add({ length, count }: RunShape, elapsedMs: number, endedAtMs: number, isConverged: boolean): RunSample[] {
    const tokens = paddedTokens({ length, count });
    const pauseMs = isConverged ? SAMPLE_PAUSE_MS.converged : SAMPLE_PAUSE_MS.learning;
    const samples: RunSample[] = [];
    this.#sinceMs += elapsedMs;
    if (tokens > this.#size * Math.SQRT2 || tokens < this.#size / Math.SQRT2) {
      // What comes next is compared with what was just before, however short that was.
      if (!isConverged || this.#sinceMs >= pauseMs) samples.push(...this.#take());
      this.#size = tokens;
      this.#gathered = NO_RUNS;
      this.#settling = Math.min(elapsedMs, this.#lastMs) < SHORT_RUN_MS ? SETTLING_RUNS : 0;
    }
    this.#lastMs = elapsedMs;
    if (this.#settling > 0) {
      this.#settling--;
      return samples;
    }
    const { msPerToken, texts, tokens: sum, ms } = this.#gathered;
    this.#gathered = {
      msPerToken: [...msPerToken, elapsedMs / tokens],
      texts: texts + count,
      tokens: sum + tokens,
      ms: ms + elapsedMs,
      endedAtMs,
    };
    if (this.#sinceMs >= pauseMs && this.#gathered.ms >= SHORT_RUN_MS) samples.push(...this.#take());
    return samples;
  }

  #take(): RunSample[] {
    const { msPerToken, texts, tokens, endedAtMs } = this.#gathered;
    const runs = msPerToken.length;
    if (runs === 0) return [];
    this.#gathered = NO_RUNS;
    this.#sinceMs = 0;
    // The median: what interrupts one run of a fraction of a millisecond may take several times as long as it does.
    const middle = [...msPerToken].sort((a, b) => a - b)[runs >> 1] ?? 0;
    const shape = { length: tokens / texts, count: texts / runs };
    return [{ shape, elapsedMs: (middle * tokens) / runs, runs, endedAtMs }];
  }
}
