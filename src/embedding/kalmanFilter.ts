/** One term of an observation: `weight` times the unknown at `index`. */
export interface Term {
  readonly index: number;
  readonly weight: number;
}

/** What is believed about a weighted sum of the unknowns. */
export interface Belief {
  readonly mean: number;
  readonly variance: number;
}

/**
 * A Kalman filter over a few unknowns of which each observation is a weighted sum plus noise. An observation further than
 * `CLIP` deviations from what was expected counts as if it were that far: one hiccup of the machine moves nothing much,
 * a lasting change still arrives within a few observations (Huber's ψ applied to the innovation).
 */
export class KalmanFilter {
  readonly size: number;
  readonly #mean: Float64Array;
  /** Row-major, symmetric. */
  readonly #covariance: Float64Array;

  constructor(mean: Float64Array, covariance: Float64Array) {
    this.size = mean.length;
    this.#mean = Float64Array.from(mean);
    this.#covariance = Float64Array.from(covariance);
  }

  get mean(): Float64Array {
    return this.#mean;
  }

  get covariance(): Float64Array {
    return this.#covariance;
  }

  believe(terms: readonly Term[]): Belief {
    let mean = 0;
    let variance = 0;
    for (const { index, weight } of terms) {
      mean += weight * at(this.#mean, index);
      for (const other of terms)
        variance += weight * other.weight * at(this.#covariance, index * this.size + other.index);
    }
    return { mean, variance: Math.max(variance, 0) };
  }

  /** What is believed about one unknown less another: `believe` without its lists. */
  believeDifference(index: number, other: number): Belief {
    const { size } = this;
    const own = at(this.#covariance, index * size + index) + at(this.#covariance, other * size + other);
    const variance = own - 2 * at(this.#covariance, index * size + other);
    return { mean: at(this.#mean, index) - at(this.#mean, other), variance: Math.max(variance, 0) };
  }

  /** Learns one observation and returns how many expected deviations it was off. */
  observe(terms: readonly Term[], value: number, noiseVariance: number): number {
    const { size } = this;
    const expected = this.believe(terms);
    const variance = expected.variance + noiseVariance;
    const deviation = Math.sqrt(variance);
    const surprise = (value - expected.mean) / deviation;
    const innovation = Math.max(-CLIP, Math.min(CLIP, surprise)) * deviation;

    const shared = new Float64Array(size);
    for (const { index, weight } of terms)
      for (let row = 0; row < size; row++)
        shared[row] = at(shared, row) + weight * at(this.#covariance, row * size + index);
    for (let row = 0; row < size; row++) {
      const gain = at(shared, row) / variance;
      if (gain === 0) continue;
      this.#mean[row] = at(this.#mean, row) + gain * innovation;
      for (let column = 0; column < size; column++) {
        const place = row * size + column;
        this.#covariance[place] = at(this.#covariance, place) - gain * at(shared, column);
      }
    }
    return surprise;
  }

  /** Adds doubt about one unknown. */
  loosen(index: number, variance: number): void {
    const place = index * this.size + index;
    this.#covariance[place] = at(this.#covariance, place) + variance;
  }

  /** Adds `share` of a covariance of the same size. */
  loosenAll(covariance: Float64Array, share: number): void {
    for (let place = 0; place < covariance.length; place++)
      this.#covariance[place] = at(this.#covariance, place) + share * at(covariance, place);
  }

  /** Forgets everything about one unknown. */
  reset(index: number, mean: number, variance: number): void {
    for (let other = 0; other < this.size; other++) {
      this.#covariance[index * this.size + other] = 0;
      this.#covariance[other * this.size + index] = 0;
    }
    this.#covariance[index * this.size + index] = variance;
    this.#mean[index] = mean;
  }
}

const CLIP = 2.5;

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}
