/** When to start a process again after it died. All times in milliseconds of one clock. */
export interface RestartLimits {
  /** Deaths within the window, or starts in a row that came to nothing, that are still answered by a restart. */
  readonly maxDeaths: number;
  readonly windowMs: number;
  /** Wait before the second restart within the window; doubles with each further one. The first is immediate. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

export const DEFAULT_RESTART_LIMITS: RestartLimits = {
  maxDeaths: 5,
  windowMs: 3 * 60_000,
  baseDelayMs: 250,
  maxDelayMs: 10_000,
};

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly policy: RestartPolicy }
  | { readonly kind: 'give-up'; readonly deaths: number; readonly policy: RestartPolicy };

/**
 * An immutable value: the deaths seen so far within a sliding window, and what follows from one more. Deaths before a process was of any use are counted in a row, however long each start
 * took: on a slow machine a model that the system kills for its memory would be loaded for ever.
 */
export class RestartPolicy {
  readonly limits: RestartLimits;
  readonly #deathTimesMs: readonly number[];
  readonly #fruitlessStarts: number;

  constructor(
    limits: RestartLimits = DEFAULT_RESTART_LIMITS,
    deathTimesMs: readonly number[] = [],
    fruitlessStarts = 0,
  ) {
    this.limits = limits;
    this.#deathTimesMs = deathTimesMs;
    this.#fruitlessStarts = fruitlessStarts;
  }

  /** `hasRun`: whether the process was ready before it died. */
  afterDeath(nowMs: number, hasRun: boolean): RestartDecision {
    const { maxDeaths, windowMs, baseDelayMs, maxDelayMs } = this.limits;
    const recent = [...this.#deathTimesMs.filter((time) => nowMs - time < windowMs), nowMs];
    const fruitlessStarts = hasRun ? 0 : this.#fruitlessStarts + 1;
    const policy = new RestartPolicy(this.limits, recent, fruitlessStarts);
    const deaths = Math.max(recent.length, fruitlessStarts);
    if (deaths > maxDeaths) return { kind: 'give-up', deaths, policy };
    const delayMs = recent.length === 1 ? 0 : Math.min(maxDelayMs, baseDelayMs * 2 ** (recent.length - 2));
    return { kind: 'restart', delayMs, policy };
  }

  /** The same limits with nothing held against the process: a person asked to try again. */
  forgiven(): RestartPolicy {
    return new RestartPolicy(this.limits);
  }
}
