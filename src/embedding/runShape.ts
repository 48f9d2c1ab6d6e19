/** What the engine computes in one run: `count` texts, each padded to `length` tokens. */
export interface RunShape {
  /** A bag pads nothing: there it is what the texts have on average, and need not be whole. */
  readonly length: number;
  readonly count: number;
}

/** Tokens a run computes, padding included: the unit of every budget. */
export function paddedTokens(shape: RunShape): number {
  // An average times a count may miss the whole number it was made from by rounding.
  return Math.round(shape.length * shape.count);
}

/** Whether two sizes (in padded tokens) are within half an octave, and so what is known of one is known of the other. */
export function areAlike(a: number, b: number): boolean {
  return a <= b * Math.SQRT2 && b <= a * Math.SQRT2;
}

/** One run of a window: which of the window's texts, and the shape they are padded to. */
export interface PlannedRun extends RunShape {
  /** Indices into the window's lengths. */
  readonly indices: Uint32Array;
  /** True when the tuner chose this size to learn from it rather than because it is the best known. */
  readonly probe: boolean;
}

/** What was seen of one run of the engine. */
export interface RunMeasurement {
  readonly shape: RunShape;
  /** Whether the plan had its size chosen to learn from it. */
  readonly probe: boolean;
  /** Tokens of the texts themselves. */
  readonly realTokens: number;
  /** Time inside the engine, all work of the run: tensors in, vectors out. */
  readonly elapsedMs: number;
  /** Clock time at which the run ended: runs close in time are compared, runs far apart are not. */
  readonly endedAtMs: number;
  /** Resident memory after the run, in MiB; undefined when it was not read. */
  readonly rssMb?: number | undefined;
}

/** How long a run of `count` texts padded to `length` tokens takes, in any unit that is the same for all shapes. */
export type RunCost = (length: number, count: number) => number;

/** `length` rounded up to a multiple of `step`; for backends that compile a program for each shape. */
export function roundLength(length: number, step: number): number {
  return step <= 1 ? length : Math.ceil(length / step) * step;
}
