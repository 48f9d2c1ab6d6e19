import type { Trial } from './budgetSearch.ts';
import { type ProbeLimits, type Probes, ProbePlanner } from './probePlanner.ts';
import type { RunSample } from './runSampler.ts';
import { type RunShape, paddedTokens } from './runShape.ts';
import { tokensOf } from './tokenBatcher.ts';

/** Share of the work that looking at one neighbour may cost, and runs of the present size between two looks at it, at least … */
const CALM = { lossShare: 0.001, runsBetween: 256 } as const;
/** … and after a look that found it faster. */
const SUSPICIOUS = { lossShare: 0.005, runsBetween: 32 } as const;
/** A size counts as faster from here on (a log ratio: three percent) … */
const FASTER = 0.03;
/**
 * … and what is believed as wrong when it was so in so many looks, one after another: of sizes that are alike, less than one series in 256 is. In simulation 6 looks
 * of one percent refute what is right several times in 10,000 runs.
 */
const LOOKS_TO_REFUTE = 8;

/** What survives of the looks at one neighbour; JSON-safe. */
export interface LookState {
  /** Padded tokens that looking may lose. */
  readonly credit: number;
  /** Looks in a row that found it faster. */
  readonly faster: number;
}

/** What survives of an audit. */
export interface AuditState {
  readonly below: LookState;
  readonly above: LookState;
}

/** Of an audit that has not begun. */
export const NO_AUDIT: AuditState = { below: { credit: 0, faster: 0 }, above: { credit: 0, faster: 0 } };

/** The looks at the next smaller or the next larger size. */
class Neighbour {
  readonly #planner: ProbePlanner;
  /** Looks in a row that found it faster. */
  faster: number;
  #tokensSince = 0;

  constructor({ credit, faster }: LookState) {
    this.#planner = new ProbePlanner(credit);
    this.faster = faster;
  }

  /** Runs of this size, when it is time for a look, there is credit for it and there are texts that make them. */
  plan(lengths: ArrayLike<number>, order: Uint32Array, trial: Trial, limits: ProbeLimits): Probes | undefined {
    const { lossShare, runsBetween } = this.faster > 0 ? SUSPICIOUS : CALM;
    this.#tokensSince += tokensOf(lengths, order);
    if (this.#tokensSince < runsBetween * limits.currentTokens) return undefined;
    const probes = this.#planner.choose(lengths, order, [trial], { ...limits, lossShare });
    if (probes.runs.length === 0) return undefined;
    this.#tokensSince = 0;
    return probes;
  }

  save(): LookState {
    return { credit: Math.round(this.#planner.credit), faster: this.faster };
  }
}

/**
 * Looks again, seldom, at the sizes next to the one in use while nothing seems worth trying. What was learned in a bad hour may be wrong
 * and certain at once: the filter then hardly moves for what it sees. Here each look counts for itself (a sign test), by time per token
 * against the runs of the size in use just before and just after.
 */
export class NeighbourAudit {
  readonly #below: Neighbour;
  readonly #above: Neighbour;
  /** The one that is looked at in this window, and its size. */
  #look: { readonly neighbour: Neighbour; readonly tokens: number } | undefined;
  /** Logarithms of ms per token of runs of the size in use before the look, and of the look itself. */
  #before: number | undefined;
  #during: number | undefined;

  constructor(saved: AuditState) {
    this.#below = new Neighbour(saved.below);
    this.#above = new Neighbour(saved.above);
  }

  /** Whether this window has a look in it. */
  get isLooking(): boolean {
    return this.#look !== undefined;
  }

  /** A window begins in which nothing is looked at unless `plan` says so. */
  rest(): void {
    this.#look = undefined;
  }

  /** Runs of a neighbour of the present size, or undefined when it is not time for a look; `sizes` may be used, in ascending order. */
  plan(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    sizes: readonly number[],
    toTrial: (tokens: number) => Trial,
    limits: ProbeLimits,
  ): Probes | undefined {
    const { currentTokens } = limits;
    const larger = sizes.find((tokens) => tokens > currentTokens * Math.SQRT2);
    const smaller = sizes.findLast((tokens) => tokens < currentTokens / Math.SQRT2);
    // The dearer one first: it is affordable more seldom.
    for (const [neighbour, tokens] of [[this.#above, larger] as const, [this.#below, smaller] as const]) {
      const probes = tokens === undefined ? undefined : neighbour.plan(lengths, order, toTrial(tokens), limits);
      if (tokens === undefined || probes === undefined) continue;
      this.#look = { neighbour, tokens };
      this.#before = undefined;
      this.#during = undefined;
      return probes;
    }
    return undefined;
  }

  /** Takes in what was learned from, in order. True when what is believed of the neighbour is refuted; looking then begins anew. */
  refutes({ shape, elapsedMs }: RunSample, currentTokens: number): boolean {
    if (this.#look === undefined) return false;
    const { neighbour, tokens } = this.#look;
    const pace = Math.log(elapsedMs / paddedTokens(shape));
    if (isAbout(shape, tokens)) {
      this.#during = pace;
      return false;
    }
    if (!isAbout(shape, currentTokens)) return false;
    const [before, during] = [this.#before, this.#during];
    this.#before = pace;
    this.#during = undefined;
    if (before === undefined || during === undefined) return false;
    neighbour.faster = (before + pace) / 2 - during > FASTER ? neighbour.faster + 1 : 0;
    if (neighbour.faster < LOOKS_TO_REFUTE) return false;
    this.moved();
    return true;
  }

  /** The size in use is another one now, or compared anew: earlier looks say nothing of its neighbours. */
  moved(): void {
    this.#look = undefined;
    this.#below.faster = 0;
    this.#above.faster = 0;
  }

  save(): AuditState {
    return { below: this.#below.save(), above: this.#above.save() };
  }
}

/** A saved audit, or undefined when it is damaged. */
export function parseAuditState(saved: unknown): AuditState | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { below, above } = saved as Partial<Record<keyof AuditState, unknown>>;
  return isLookState(below) && isLookState(above) ? { below, above } : undefined;
}

function isLookState(saved: unknown): saved is LookState {
  if (typeof saved !== 'object' || saved === null) return false;
  const { credit, faster } = saved as Partial<Record<keyof LookState, unknown>>;
  return isCount(credit) && isCount(faster);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isAbout(shape: RunShape, tokens: number): boolean {
  return Math.abs(Math.log2(paddedTokens(shape) / tokens)) < 0.5;
}
