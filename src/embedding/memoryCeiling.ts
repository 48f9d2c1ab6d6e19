import { isCount, isRecord } from './jsonFacts.ts';
import { ResidentForecast } from './residentForecast.ts';

/** What survives of a memory ceiling. */
export interface MemoryCeilingState {
  /** Learned from out-of-memory; null when none happened. */
  readonly tokens: number | null;
  /** Starts since the last out-of-memory. */
  readonly quietStarts: number;
  /** The largest run that has succeeded. */
  readonly provenTokens: number;
  readonly raising: RaisingState;
}

/** How far a remembered ceiling is from being raised. */
interface RaisingState {
  /** Successful runs near the ceiling since it was last changed. */
  readonly runs: number;
  /** Runs that raise it. */
  readonly needed: number;
  /** What it was before it was raised; null when it is not above that. */
  readonly raisedFrom: number | null;
}

/** What is known of a run that a process ended in. */
export interface DeathFacts {
  /** As `MemoryCeiling.triedAfter` had it. */
  readonly triedAfter?: number;
  /** Whether a process after it was told of it already, and has saved what follows. */
  readonly isRetold?: boolean;
}

/**
 * A remembered ceiling is raised by a quarter after this many starts without an out-of-memory, and doubled after this many successful runs near it: what
 * ran out may have met a moment's shortage, or a neighbour that has left. Four times as many of both after each such try that failed, up to a number: where
 * it costs a process, that is a second in minutes at first.
 */
const QUIET_STARTS = 4;
const QUIET_RUNS = 1024;
const RAISE = 1.25;
const MOST_QUIET_RUNS = 1 << 20;
const NOT_RAISED: RaisingState = { runs: 0, needed: QUIET_RUNS, raisedFrom: null };
/** Runs are near a ceiling above this part of it: most end before, where padding would cost more than another one. */
const NEAR = 1 / 4;
/** The same of one that was raised: runs that it was not raised for say nothing about it. */
const NEAR_RAISED = 1 / 2;
/** Successful runs near a passing ceiling before twice its size is tried again; four times as many after each try that failed. */
const FIRST_PATIENCE = 16;
const PATIENCE_GROWTH = 4;
/** A size that failed again after so much patience is remembered as too large. */
const LAST_PATIENCE = 4096;

/**
 * The padded tokens a run may have without running out of memory.
 *
 * A size that had never succeeded and ran out is remembered: half of it, or what had succeeded if that is more, is the ceiling
 * from then on, also in later sessions, and only slowly raised. A size that had succeeded before ran out for another reason, since memory is shared and processes are killed for
 * sins of their neighbours: half of it is the ceiling for a while, then larger runs are tried again, more and more seldom
 * while they fail.
 */
export class MemoryCeiling {
  readonly #floorTokens: number;
  readonly #resident: ResidentForecast;
  #remembered: number;
  #quietStarts: number;
  #proven: number;
  #raising: RaisingState;
  /** Ceiling for the time being; Infinity when there is none. */
  #passing = Infinity;
  /** The largest run that succeeded since the passing ceiling was set. */
  #safe = Infinity;
  #successes = 0;
  #patience = FIRST_PATIENCE;

  /**
   * `safeTokens` is a size that any device of the kind is expected to have the memory for; `limitMb` what a person allows;
   * `provenTokens` the largest run that succeeded elsewhere on this device.
   */
  constructor(
    options: {
      readonly limitMb: number;
      readonly floorTokens: number;
      readonly safeTokens: number;
      readonly provenTokens?: number | undefined;
    },
    saved?: MemoryCeilingState,
  ) {
    this.#floorTokens = options.floorTokens;
    this.#resident = new ResidentForecast(options.limitMb, options.safeTokens);
    this.#proven = Math.max(options.safeTokens, options.provenTokens ?? 0, saved?.provenTokens ?? 0);
    this.#remembered = saved?.tokens ?? Infinity;
    this.#raising = saved?.raising ?? NOT_RAISED;
    this.#quietStarts = (saved?.quietStarts ?? 0) + 1;
    if (this.#quietStarts < (QUIET_STARTS * this.#raising.needed) / QUIET_RUNS) return;
    this.#raise(RAISE);
    this.#quietStarts = 0;
  }

  /** Padded tokens a run may have; Infinity when nothing speaks against any. */
  get tokens(): number {
    return Math.max(this.#floorTokens, Math.min(this.#passing, this.#remembered, this.#resident.tokens));
  }

  /** The same, of what was learned from out-of-memory only; null when nothing was. */
  get failureTokens(): number | null {
    const tokens = Math.min(this.#passing, this.#remembered);
    return Number.isFinite(tokens) ? Math.max(this.#floorTokens, tokens) : null;
  }

  /**
   * Of a run larger than the remembered ceiling had been before it was raised: how many runs raise it, as far as is known before it. Those of
   * several processes that tell the same number were one try. Undefined of any other run.
   */
  triedAfter(tokens: number): number | undefined {
    const { raisedFrom, needed } = this.#raising;
    return raisedFrom !== null && tokens > raisedFrom ? needed : undefined;
  }

  /** A run of so many padded tokens ran out of memory. `death`: of the process that it ended, this one being another. */
  fail(tokens: number, { triedAfter = this.triedAfter(tokens), isRetold = false }: DeathFacts = {}): void {
    if (isRetold && tokens > this.#proven && Number.isFinite(this.#remembered)) return;
    const half = Math.max(this.#floorTokens, Math.floor(tokens / 2));
    this.#quietStarts = 0;
    if (tokens > this.#proven) {
      // A trial that met a moment's shortage must not cost sizes that do well.
      this.#lower(Math.max(half, this.#proven), (triedAfter ?? 0) * PATIENCE_GROWTH);
      return;
    }
    if (tokens > this.#safe) this.#patience *= PATIENCE_GROWTH;
    // Where a run known to be safe fails, a larger one may have failed for the same reason.
    else this.#patience = Math.max(FIRST_PATIENCE, this.#patience / PATIENCE_GROWTH);
    if (this.#patience > LAST_PATIENCE) {
      this.#lower(half, this.#patience);
      this.#proven = half;
      this.#lift();
      return;
    }
    this.#passing = Math.min(this.#passing, half);
    this.#safe = Math.min(this.#safe, this.#passing);
    this.#successes = 0;
  }

  /** A run of so many padded tokens succeeded, and left so much memory resident. */
  succeed(tokens: number, rssMb: number | undefined): void {
    this.#proven = Math.max(this.#proven, tokens);
    if (rssMb !== undefined) this.#resident.observe(tokens, rssMb);
    if (this.#passing === Infinity) {
      this.#countTowardsRaise(tokens);
      return;
    }
    if (tokens > this.#safe) {
      // Larger than what was known to be safe, and it went well.
      this.#safe = tokens;
      this.#patience = FIRST_PATIENCE;
    }
    if (tokens > this.#passing / 2) this.#successes++;
    if (this.#successes < this.#patience) return;
    this.#successes = 0;
    this.#passing *= 2;
    if (this.#passing >= Math.min(2 * this.#proven, this.#remembered)) this.#lift();
  }

  save(): MemoryCeilingState {
    return {
      tokens: Number.isFinite(this.#remembered) ? this.#remembered : null,
      quietStarts: this.#quietStarts,
      provenTokens: this.#proven,
      raising: this.#raising,
    };
  }

  #countTowardsRaise(tokens: number): void {
    const { runs, needed, raisedFrom } = this.#raising;
    const near = this.#remembered * (raisedFrom === null ? NEAR : NEAR_RAISED);
    if (this.#remembered === Infinity || tokens <= near) return;
    // To the next size that is ever made use of.
    if (runs + 1 >= needed) this.#raise(2);
    else this.#raising = { ...this.#raising, runs: runs + 1 };
  }

  #raise(factor: number): void {
    if (this.#remembered === Infinity) return;
    this.#raising = { ...this.#raising, runs: 0, raisedFrom: this.#raising.raisedFrom ?? this.#remembered };
    this.#remembered = Math.floor(this.#remembered * factor);
  }

  /** `atLeast`: runs until it is raised again. */
  #lower(tokens: number, atLeast: number): void {
    this.#remembered = Math.min(this.#remembered, tokens);
    const { needed, raisedFrom } = this.#raising;
    this.#raising = {
      runs: 0,
      needed: Math.min(MOST_QUIET_RUNS, Math.max(needed, atLeast)),
      raisedFrom: raisedFrom !== null && this.#remembered > raisedFrom ? raisedFrom : null,
    };
  }

  #lift(): void {
    this.#passing = Infinity;
    this.#safe = Infinity;
    this.#successes = 0;
    this.#patience = FIRST_PATIENCE;
  }
}

/** A saved ceiling, or undefined when it is not one. */
export function parseMemoryCeiling(saved: unknown): MemoryCeilingState | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { tokens, quietStarts, provenTokens, raising } = saved as Partial<Record<keyof MemoryCeilingState, unknown>>;
  if (!isCount(quietStarts) || !isCount(provenTokens)) return undefined;
  if (tokens !== null && !(isCount(tokens) && tokens > 0)) return undefined;
  return { tokens, quietStarts, provenTokens, raising: isRaisingState(raising) ? raising : NOT_RAISED };
}

/**
 * The ceiling to be saved of two processes for the same machine, model and device: the smaller one, since processes side by side
 * share the memory and only one of them may have met its end, unless the larger one was raised from it.
 */
export function mergeMemoryCeilings(own: MemoryCeilingState, other: MemoryCeilingState): MemoryCeilingState {
  const [tokens, ownTokens] = [other.tokens ?? Infinity, own.tokens ?? Infinity];
  let merged: MemoryCeilingState;
  if (tokens === ownTokens) merged = isLater(other, own) ? other : own;
  else {
    const [lower, higher] = tokens < ownTokens ? [other, own] : [own, other];
    merged = wasRaisedFrom(lower, higher) ? higher : lower;
  }
  // A try that failed in either is not made as soon in both.
  const needed = Math.max(own.raising.needed, other.raising.needed);
  return { ...merged, raising: { ...merged.raising, needed } };
}

/** The same ceiling may have been quiet for more starts by now, or be what a try that failed has left. */
function isLater(one: MemoryCeilingState, other: MemoryCeilingState): boolean {
  const [needed, otherNeeded] = [one.raising.needed, other.raising.needed];
  return needed === otherNeeded ? one.quietStarts > other.quietStarts : needed > otherNeeded;
}

/** Where the lower one takes more runs it is what a try that failed has left. */
function wasRaisedFrom(lower: MemoryCeilingState, higher: MemoryCeilingState): boolean {
  const { raisedFrom, needed } = higher.raising;
  return raisedFrom !== null && (lower.tokens ?? Infinity) >= raisedFrom && lower.raising.needed <= needed;
}

function isRaisingState(saved: unknown): saved is RaisingState {
  if (!isRecord(saved) || !isCount(saved['runs']) || !isCount(saved['needed'])) return false;
  return saved['raisedFrom'] === null || isCount(saved['raisedFrom']);
}
