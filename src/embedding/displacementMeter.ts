import { median } from '../base/median.ts';
import { type RunCost, type RunMeasurement, areAlike, paddedTokens } from './runShape.ts';

/**
 * What is expected before it was measured, as a share of a row's tokens, and the most that is believed: with more, in simulation, a larger size that is better is found
 * too late. On one machine a row of six runs of 4,096 tokens amid 2,048 cost the others 0.23 of its time, on a second rows of 8,192 and 16,384 amid 4,096 0.64 of
 * their tokens, on a third all of these next to nothing: by the caches, and by who shares them.
 */
const EXPECTED = 0.45;
/** Rows that have to be measured before they are believed alone. */
const ROWS_TO_BELIEVE = 3;
/** Rows kept: the machine may be another's guest tomorrow. */
const ROWS_KEPT = 9;
/** Runs of the size in use before a row that are compared with as many after it. */
const RUNS = 8;
/** Longer runs (in ms) lose less and less by what others left in the caches, and differ by more than that. */
export const DISPLACING_RUN_MS = 4;
/** A run is counted as so many times as slow as usual at most: by then it was held up by something else. */
const MOST_SLOWDOWN = 10;
/** Runs with more time (in ms) between them are not compared: the machine's pace may be another. */
const LONGEST_GAP_MS = 1000;

type Run = Pick<RunMeasurement, 'shape' | 'elapsedMs'>;

/**
 * Runs larger than those of the size in use leave the caches cold for what follows them. Measures how much time that costs, which is part of what trying such a
 * size costs, in tokens for each token tried: eight runs after each row of larger ones against eight undisturbed ones before it.
 */
export class DisplacementMeter {
  /** The latest undisturbed runs of the size in use, and those since the row. */
  #before: Run[] = [];
  #after: Run[] = [];
  /** Tokens of the row that is being made or was just made; 0 when there is none. */
  #rowTokens = 0;
  /** Runs still to be passed over: they suffer from a row that is not measured, or from what was there in a pause. */
  #disturbed = 0;
  #lastEndMs = Infinity;
  readonly #rows: number[];

  /** `rows`: what `save` gave. */
  constructor(rows: readonly number[]) {
    this.#rows = [...rows];
  }

  /** Tokens that trying larger runs is expected to cost after them, for each of theirs: the median of the latest rows. */
  get loss(): number {
    const unknown = new Array<number>(Math.max(0, ROWS_TO_BELIEVE - this.#rows.length)).fill(EXPECTED);
    return Math.min(EXPECTED, Math.max(0, median([...this.#rows, ...unknown])));
  }

  /** Takes in a run, in order; `cost` tells how runs of different shapes compare. */
  add(
    { shape, probe, elapsedMs, endedAtMs }: Omit<RunMeasurement, 'realTokens' | 'rssMb'>,
    currentTokens: number,
    cost: () => RunCost,
  ): void {
    if (endedAtMs - elapsedMs - this.#lastEndMs > LONGEST_GAP_MS) this.forgetRuns();
    this.#lastEndMs = endedAtMs;
    const tokens = paddedTokens(shape);
    const isCurrent = areAlike(tokens, currentTokens);
    if (probe) {
      this.#addProbe(tokens, tokens > currentTokens && !isCurrent);
      return;
    }
    // The last run of a window is a rest, of any size.
    if (!isCurrent) return;
    if (this.#disturbed > 0) {
      this.#disturbed--;
      return;
    }
    const runs = this.#rowTokens === 0 ? this.#before : this.#after;
    runs.push({ shape, elapsedMs });
    if (this.#before.length > RUNS) this.#before.shift();
    if (this.#after.length === RUNS) this.#endRow(cost());
  }

  /** What was measured stays; the runs do not, such as when the size in use is another, nor do the next ones count. */
  forgetRuns(): void {
    this.#beginAnew();
    this.#disturbed = RUNS;
  }

  save(): readonly number[] {
    return this.#rows.map((share) => Number(share.toPrecision(4)));
  }

  #addProbe(tokens: number, isLarger: boolean): void {
    const isMeasured = isLarger && this.#before.length === RUNS && this.#after.length === 0;
    if (isMeasured) this.#rowTokens += tokens;
    // Of two rows that follow each other at once it can't be told which the runs after them suffer from.
    else if (isLarger || this.#rowTokens > 0) this.forgetRuns();
  }

  #beginAnew(): void {
    this.#before = [];
    this.#after = [];
    this.#rowTokens = 0;
  }

  #endRow(cost: RunCost): void {
    const usualMs = median(this.#before.map(({ elapsedMs }) => elapsedMs));
    const share = this.#measure(cost);
    if (usualMs <= DISPLACING_RUN_MS && Number.isFinite(share)) this.#rows.push(share);
    if (this.#rows.length > ROWS_KEPT) this.#rows.shift();
    this.#beginAnew();
  }

  #measure(cost: RunCost): number {
    const pace = ({ shape, elapsedMs }: Run): number => elapsedMs / cost(shape.length, shape.count);
    const usual = median(this.#before.map(pace));
    const lost = (runs: readonly Run[]): number =>
      runs.reduce((sum, run) => sum + (Math.min(MOST_SLOWDOWN, pace(run) / usual) - 1) * paddedTokens(run.shape), 0);
    return (lost(this.#after) - lost(this.#before)) / this.#rowTokens;
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
