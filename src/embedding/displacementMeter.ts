import { type RunCost, type RunMeasurement, type RunShape, paddedTokens } from './runShape.ts';

/**
 * What is expected before it was measured, as a share of a row's tokens. Measured with look-ups, it is between nothing and 0.64, by the machine's
 * caches and who shares them; with more than this, in simulation, a larger size that is better is found too late.
 */
const EXPECTED = 0.45;
/** So many rows that were measured count as much as what was expected. */
const EXPECTED_ROWS = 2;
/** Runs of the size in use before a row that are compared with as many after it. */
const RUNS = 8;
/** A run that takes longer than so many times the usual was held up by something else. */
const MOST_SLOWDOWN = 3;
/** Rows kept: the machine may be another's guest tomorrow. */
const ROWS_KEPT = 9;

type Run = Pick<RunMeasurement, 'shape' | 'elapsedMs'>;

/**
 * Runs larger than those of the size in use leave the caches cold for what follows them. Measures how much time that costs, which is part of what trying such a
 * size costs, in tokens for each token tried: eight runs after each row of larger ones against eight before it, the median of some rows.
 */
export class DisplacementMeter {
  /** The latest runs of the size in use, and those since a row. */
  #before: Run[] = [];
  #after: Run[] = [];
  /** Tokens of the row that is being made or was just made; 0 when there is none. */
  #rowTokens = 0;
  readonly #rows: number[];

  /** `rows`: what `save` gave. */
  constructor(rows: readonly number[]) {
    this.#rows = [...rows];
  }

  /** Tokens that trying larger runs is expected to cost after them, for each of theirs. */
  get loss(): number {
    const all = [...this.#rows, ...new Array<number>(EXPECTED_ROWS).fill(EXPECTED)];
    return Math.max(0, median(all));
  }

  /** Takes in a run, in order; `cost` tells how runs of different shapes compare. */
  add(run: Pick<RunMeasurement, 'shape' | 'elapsedMs' | 'probe'>, currentTokens: number, cost: () => RunCost): void {
    const octaves = Math.log2(paddedTokens(run.shape) / currentTokens);
    if (run.probe) {
      if (octaves >= 0.5) this.#tryLarger(run.shape);
      return;
    }
    // The last run of a window is a rest, of any size.
    if (Math.abs(octaves) >= 0.5) return;
    const { shape, elapsedMs } = run;
    if (this.#rowTokens === 0) {
      this.#before.push({ shape, elapsedMs });
      if (this.#before.length > RUNS) this.#before.shift();
      return;
    }
    this.#after.push({ shape, elapsedMs });
    if (this.#after.length < RUNS) return;
    const share = this.#measure(cost());
    if (Number.isFinite(share)) this.#rows.push(share);
    if (this.#rows.length > ROWS_KEPT) this.#rows.shift();
    this.forgetRuns();
  }

  /** What was measured stays; the runs do not, such as when the size in use is another. */
  forgetRuns(): void {
    this.#before = this.#after;
    this.#after = [];
    this.#rowTokens = 0;
  }

  save(): readonly number[] {
    return this.#rows.map((share) => Number(share.toPrecision(4)));
  }

  #tryLarger(shape: RunShape): void {
    // The runs after another row, if there are any yet, can't be told from those before this one.
    if (this.#after.length > 0) this.forgetRuns();
    if (this.#before.length === RUNS) this.#rowTokens += paddedTokens(shape);
  }

  #measure(cost: RunCost): number {
    const pace = ({ shape, elapsedMs }: Run): number => elapsedMs / cost(shape.length, shape.count);
    const usual = median(this.#before.map(pace));
    const tokens = (runs: readonly Run[]): number =>
      runs.reduce((sum, run) => sum + paddedTokens(run.shape) * Math.min(MOST_SLOWDOWN, pace(run) / usual), 0);
    const base = (runs: readonly Run[]): number => runs.reduce((sum, run) => sum + paddedTokens(run.shape), 0);
    const slower = tokens(this.#after) - base(this.#after) - (tokens(this.#before) - base(this.#before));
    return slower / this.#rowTokens;
  }
}

/** Rows as saved, or undefined when they are damaged. */
export function parseDisplacement(saved: unknown): readonly number[] | undefined {
  if (!Array.isArray(saved) || saved.length > ROWS_KEPT) return undefined;
  const most = MOST_SLOWDOWN * RUNS;
  return saved.every((share): share is number => typeof share === 'number' && Math.abs(share) <= most)
    ? saved
    : undefined;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
