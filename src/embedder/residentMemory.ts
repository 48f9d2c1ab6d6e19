import type { Logger } from '../base/logger.ts';
import type { Scope } from '../protocol/scope.ts';

/** Runs between two releases of the runtime's memory, at the least: loading a graph again costs many runs. */
const MIN_RUNS_BETWEEN_RELEASES = 50;

/** Resident memory is read at most this often, but for runs larger than any before: reading it takes a tenth of a millisecond. */
const READ_APART_MS = 10;

export interface ResidentMemoryOptions {
  /** Resident memory above which the runtime's own is given back, in MiB. */
  readonly memoryCeilingMb: number;
  /** Resident memory of this process now, in MiB. */
  readonly residentMb: () => number;
  readonly logger: Logger;
}

/** Resident memory of the embedder process: how much it is, and whether the runtime has to give some back. */
export class ResidentMemory {
  readonly #options: ResidentMemoryOptions;
  #rssMb = 0;
  #readMs = -Infinity;
  /** Padded tokens of the largest run by then. */
  #largestTokens = 0;
  #runsSinceRelease = Infinity;
  #releasesApart = MIN_RUNS_BETWEEN_RELEASES;

  constructor(options: ResidentMemoryOptions) {
    this.#options = options;
  }

  /** In MiB, after a run of so many padded tokens. */
  after(tokens: number, nowMs: number): number {
    if (tokens <= this.#largestTokens && nowMs < this.#readMs + READ_APART_MS) return this.#rssMb;
    this.#rssMb = this.#options.residentMb();
    this.#readMs = nowMs;
    this.#largestTokens = Math.max(tokens, this.#largestTokens);
    return this.#rssMb;
  }

  /** Memory was given back: what it is now has to be read anew. */
  changed(): void {
    this.#readMs = -Infinity;
  }

  /**
   * Whether memory is to be given back after a run that left `rssMb` resident. The runtime keeps the most it ever needed: above
   * the ceiling that is given back, at the price of loading again. To be asked after each run.
   */
  isReleaseDue(scope: Scope, rssMb: number): boolean {
    const { memoryCeilingMb, logger } = this.#options;
    this.#runsSinceRelease += 1;
    // The first run after a release, for which memory is read anew, tells whether that helped.
    if (this.#runsSinceRelease === 1) this.#learnFromRelease(scope, rssMb);
    if (rssMb <= memoryCeilingMb || this.#runsSinceRelease < this.#releasesApart) return false;
    this.#runsSinceRelease = 0;
    logger.info('memory given back', { scope, rssMb: Math.round(rssMb), memoryCeilingMb });
    return true;
  }

  /** The weights of a model are not given back: where they alone pass the ceiling, loading them again costs time for nothing. */
  #learnFromRelease(scope: Scope, rssMb: number): void {
    const { memoryCeilingMb, logger } = this.#options;
    if (rssMb <= memoryCeilingMb) {
      this.#releasesApart = MIN_RUNS_BETWEEN_RELEASES;
      return;
    }
    this.#releasesApart *= 2;
    logger.warn('loading the model anew did not bring memory below the ceiling; raise it, or take a smaller model', {
      scope,
      rssMb: Math.round(rssMb),
      memoryCeilingMb,
      nextReleaseAfterRuns: this.#releasesApart,
    });
  }
}
