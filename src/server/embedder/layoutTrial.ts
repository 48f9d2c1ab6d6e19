import { median } from '../../base/median.ts';

/** Another layout has to be better by this much: it costs the memory of a process for each session. */
const WORTH_IT = Math.log(1.03);
/** Pairs before a verdict, at the least, and at the most. */
const MIN_PAIRS = 4;
const MAX_PAIRS = 10;
/** Standard errors a verdict keeps from the threshold. */
const CERTAINTY = 2;
/** The spread of a pair's ratio (a logarithm) is believed to be this at the least: a few pairs agree by chance. */
const LEAST_SPREAD = 0.01;
/** Standard deviation of a normal distribution by its median absolute deviation, and of the median by that of the mean. */
const SIGMA_BY_DEVIATION = 1.4826;
const MEDIAN_BY_MEAN = 1.2533;

/** Speeds of two layouts measured one right after the other, in tokens a second. */
export interface PairOfRates {
  readonly incumbent: number;
  readonly challenger: number;
}

export type Verdict = 'undecided' | 'keep' | 'switch';

/**
 * Whether a challenger is worth its memory, by pairs measured in turns. Medians are compared, so that some pairs spoilt by
 * other programs say nothing; what stays unclear is decided for the incumbent.
 */
export function judge(pairs: readonly PairOfRates[]): Verdict {
  if (pairs.length < MIN_PAIRS) return 'undecided';
  const ratios = pairs.map(({ incumbent, challenger }) => Math.log(challenger / incumbent));
  const middle = median(ratios);
  const deviation = median(ratios.map((ratio) => Math.abs(ratio - middle)));
  const spread = Math.max(LEAST_SPREAD, SIGMA_BY_DEVIATION * deviation);
  const error = (MEDIAN_BY_MEAN * spread) / Math.sqrt(pairs.length);
  if (middle - CERTAINTY * error > WORTH_IT) return 'switch';
  if (middle + CERTAINTY * error < WORTH_IT || pairs.length >= MAX_PAIRS) return 'keep';
  return 'undecided';
}

/** Who gets the bulk work now. */
export type Contender = 'incumbent' | 'challenger';

/** Work is given to one contender for so long, then what is under way is waited for. */
const SLICE_MS = 5_000;
/** Without work for so long, a slice says nothing about speed. */
const GAP_MS = 500;
/** After a longer pause it is other work that goes on. */
const PAUSE_MS = 5_000;
/** Slices that ran out of work within the same work, and no pair between them: somebody else is slower than either contender, and nothing is to be won. */
const MAX_STARVED = 10;

interface Slice {
  readonly contender: Contender;
  readonly startedMs: number;
  /** Neither counted nor compared: the challenger loads, and learns its batch size. */
  readonly isWarmUp: boolean;
  underWay: number;
  tokens: number;
  isSpoilt: boolean;
}

/**
 * Lets two contenders do real bulk work in turns, never at the same time, and compares their speeds. Every call that gets
 * its contender from `begin` is to be ended with `end`.
 */
export class LayoutTrial {
  readonly #now: () => number;
  readonly #pairs: PairOfRates[] = [];
  #slice: Slice | undefined;
  #rates: Partial<Record<Contender, number>> = {};
  #needsWarmUp = true;
  #starved = 0;
  /** When the last call ended; Infinity before the first has, and while one is under way. */
  #idleSinceMs = Infinity;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get pairs(): readonly PairOfRates[] {
    return this.#pairs;
  }

  get verdict(): Verdict {
    return this.isStarved ? 'keep' : judge(this.#pairs);
  }

  /** Whether it ended for want of work, which may be other work another time: a person typing makes gaps, too. */
  get isStarved(): boolean {
    return this.#starved >= MAX_STARVED;
  }

  /** Who is to do a call that begins now; undefined when the call has to wait for what is under way. */
  begin(): Contender | undefined {
    const now = this.#now();
    const slice = this.#slice;
    const idleSinceMs = this.#idleSinceMs;
    const idleMs = now - idleSinceMs;
    if (idleMs >= PAUSE_MS) this.#beginOtherWork();
    else if (slice !== undefined && idleMs > GAP_MS) {
      this.#slice = undefined;
      this.#starved += 1;
    } else if (slice?.underWay === 0 && this.#isOver(slice)) this.#finish(slice, idleSinceMs);
    this.#idleSinceMs = Infinity;
    const current = (this.#slice ??= this.#newSlice(now));
    if (this.#isOver(current)) return undefined;
    current.underWay += 1;
    return current.contender;
  }

  /** A call has ended: with so many tokens, or undefined when it did not get to its end. True when others may begin that could not. */
  end(tokens: number | undefined): boolean {
    const slice = this.#slice;
    if (slice === undefined) return true;
    slice.underWay -= 1;
    slice.tokens += tokens ?? 0;
    slice.isSpoilt ||= tokens === undefined;
    if (slice.underWay > 0) return false;
    this.#idleSinceMs = this.#now();
    if (this.#isOver(slice)) this.#finish(slice, this.#idleSinceMs);
    return true;
  }

  /** The challenger has been let go; when the trial goes on it is a new one. Nothing may be under way. */
  pause(): void {
    this.#beginOtherWork();
    this.#needsWarmUp = true;
  }

  /** What comes now is not right after what was measured. */
  #beginOtherWork(): void {
    this.#slice = undefined;
    this.#rates = {};
    this.#starved = 0;
  }

  #isOver(slice: Slice): boolean {
    return this.#now() - slice.startedMs >= SLICE_MS;
  }

  #newSlice(now: number): Slice {
    const isWarmUp = this.#needsWarmUp;
    const contender = isWarmUp ? 'challenger' : this.#nextContender();
    return { contender, isWarmUp, startedMs: now, underWay: 0, tokens: 0, isSpoilt: false };
  }

  /** In every other pair the challenger is first, so that a slow change of the machine favours neither. */
  #nextContender(): Contender {
    const first = this.#pairs.length % 2 === 0 ? 'incumbent' : 'challenger';
    const second = first === 'incumbent' ? 'challenger' : 'incumbent';
    return this.#rates[first] === undefined ? first : second;
  }

  #finish(slice: Slice, endedMs: number): void {
    this.#slice = undefined;
    if (slice.isSpoilt || slice.tokens === 0) return;
    if (slice.isWarmUp) {
      this.#needsWarmUp = false;
      return;
    }
    this.#rates = { ...this.#rates, [slice.contender]: (slice.tokens * 1000) / (endedMs - slice.startedMs) };
    const { incumbent, challenger } = this.#rates;
    if (incumbent === undefined || challenger === undefined) return;
    this.#pairs.push({ incumbent, challenger });
    this.#rates = {};
    this.#starved = 0;
  }
}
