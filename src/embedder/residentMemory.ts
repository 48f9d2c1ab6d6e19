import type { Logger } from '../base/logger.ts';
import type { Scope } from '../protocol/scope.ts';

/** Runs between two releases of the runtime's memory, at the least: loading a graph again costs many runs. */
const MIN_RUNS_BETWEEN_RELEASES = 50;

/** Resident memory is read at most this often, but for runs larger than any before: reading it takes a tenth of a millisecond. */
const READ_APART_MS = 10;

/** What of it `RunLoop` is given from outside. */
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
  /** Scopes that have a model of their own. */
  readonly #models: readonly Scope[];
  #rssMb = 0;
  #readMs = -Infinity;
  /** Padded tokens of the largest run by then. */
  #largestTokens = 0;
  #runsSinceRelease = Infinity;
  #releasesApart = MIN_RUNS_BETWEEN_RELEASES;
  /** Models that were given back and not loaded again yet. */
  readonly #unloaded = new Set<Scope>();
  /** Resident memory when the last of those was; undefined once that was judged. */
  #afterLoadingMb: number | undefined;

  constructor(options: ResidentMemoryOptions, models: readonly Scope[]) {
    this.#options = options;
    this.#models = models;
  }

  /** In MiB, after a run of so many padded tokens of a model. */
  after(tokens: number, nowMs: number, model: Scope): number {
    const isKnown = tokens <= this.#largestTokens && nowMs < this.#readMs + READ_APART_MS;
    if (isKnown && !this.#unloaded.has(model)) return this.#rssMb;
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
   * Whether the memory of all models is to be given back after a run of one that left `rssMb` resident. The runtime keeps the most it ever needed: above
   * the ceiling that is given back, at the price of loading again. To be asked after each run.
   */
  isReleaseDue(model: Scope, rssMb: number): boolean {
    const { memoryCeilingMb, logger } = this.#options;
    this.#runsSinceRelease += 1;
    if (this.#unloaded.delete(model)) this.#afterLoadingMb = rssMb;
    const isOver = rssMb > memoryCeilingMb;
    const isDue = isOver && this.#runsSinceRelease >= this.#releasesApart;
    // Whether it helped shows once all are loaded again or, where one of them is not needed, when it is time for the next.
    if (this.#afterLoadingMb !== undefined && (this.#unloaded.size === 0 || isDue)) {
      this.#learnFromRelease(this.#afterLoadingMb);
      this.#afterLoadingMb = undefined;
    }
    if (!isOver || this.#runsSinceRelease < this.#releasesApart) return false;
    this.#runsSinceRelease = 0;
    for (const each of this.#models) this.#unloaded.add(each);
    logger.info('memory given back', { rssMb: Math.round(rssMb), memoryCeilingMb });
    return true;
  }

  /** The weights of a model are not given back: where they alone pass the ceiling, loading them again costs time for nothing. */
  #learnFromRelease(rssMb: number): void {
    const { memoryCeilingMb, logger } = this.#options;
    if (rssMb <= memoryCeilingMb) {
      this.#releasesApart = MIN_RUNS_BETWEEN_RELEASES;
      return;
    }
    this.#releasesApart *= 2;
    logger.warn('loading models anew did not bring memory below the ceiling; raise it, or take smaller models', {
      rssMb: Math.round(rssMb),
      memoryCeilingMb,
      nextReleaseAfterRuns: this.#releasesApart,
    });
  }
}
