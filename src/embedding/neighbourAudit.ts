import { isCount } from './jsonFacts.ts';
import type { Trial } from './budgetSearch.ts';
import { type ProbeLimits, ProbePlanner, type ProbeTerms, type Probes } from './probePlanner.ts';
import type { RunSample } from './runSampler.ts';
import { areAlike, paddedTokens } from './runShape.ts';

/** Share of the work that looking at one neighbour may cost, and runs of the present size between two looks at it, at least … */
const CALM = { lossShare: 0.001, runsBetween: 256 } as const;
/** … and after a look that found it faster: it is then not expected to lose what it was thought to, and one more look mostly ends the suspicion. */
const SUSPICIOUS = { lossShare: 0.02, runsBetween: 32 } as const;
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
  /** Padded tokens of the size whose neighbours were looked at. */
  readonly currentTokens: number;
  readonly below: LookState;
  readonly above: LookState;
}

/** Of an audit that has not begun. */
export const NO_AUDIT: AuditState = {
  currentTokens: 0,
  below: { credit: 0, faster: 0 },
  above: { credit: 0, faster: 0 },
};

/** The looks at the next smaller or the next larger size. */
class Neighbour {
  readonly #planner: ProbePlanner;
  /** Looks in a row that found it faster. */
  faster: number;

  constructor({ credit, faster }: LookState) {
    this.#planner = new ProbePlanner(credit);
    this.faster = faster;
  }

  /** Runs of this size, one row of them, when there is credit for it and there are texts that make them. */
  plan(lengths: ArrayLike<number>, order: Uint32Array, trial: Trial, limits: ProbeLimits): Probes | undefined {
    const { lossShare, runsBetween } = this.faster > 0 ? SUSPICIOUS : CALM;
    // More than one row would be of one moment, in which something may slow the machine.
    const terms: ProbeTerms = { lossShare, leastPrice: lossShare * runsBetween * limits.currentTokens, rowsAtATime: 1 };
    const probes = this.#planner.choose(lengths, order, [trial], limits, terms);
    return probes.runs.length === 0 ? undefined : probes;
  }

  save(): LookState {
    return { credit: Math.round(this.#planner.credit), faster: this.faster };
  }
}

interface Look {
  readonly side: 'below' | 'above';
  /** Logarithms of ms per token: of the runs of the size in use just before, and of the look. */
  before?: number;
  during?: number;
}

/**
 * Looks again, seldom, at the sizes next to the one in use in windows in which nothing else is tried. What was learned in a bad hour may be wrong
 * and certain at once: the filter then hardly moves for what it sees. Here each look counts for itself (a sign test), by time per token
 * against the runs of the size in use just before and just after. One that is not between two such runs of its window counts for nothing.
 */
export class NeighbourAudit {
  readonly #below: Neighbour;
  readonly #above: Neighbour;
  #currentTokens: number;
  /** Of this window. */
  #look: Look | undefined;

  constructor(saved: AuditState) {
    this.#currentTokens = saved.currentTokens;
    this.#below = new Neighbour(saved.below);
    this.#above = new Neighbour(saved.above);
  }

  /** Whether a look of this window is still to be made or compared. */
  get isLooking(): boolean {
    return this.#look !== undefined;
  }

  /** A window begins in which nothing is looked at unless `plan` says so. */
  rest(): void {
    this.#look = undefined;
  }

  /** Runs of one of the sizes next to the present one, where there are such, or undefined when it is not time for a look. */
  plan(
    lengths: ArrayLike<number>,
    order: Uint32Array,
    { below, above }: { readonly below: Trial | undefined; readonly above: Trial | undefined },
    limits: ProbeLimits,
  ): Probes | undefined {
    const { currentTokens } = limits;
    // Looks at the neighbours of another size say nothing of these.
    if (currentTokens !== this.#currentTokens) this.#forget();
    this.#currentTokens = currentTokens;
    const probesAbove = above && this.#above.plan(lengths, order, above, limits);
    if (probesAbove !== undefined) {
      this.#look = { side: 'above' };
      return probesAbove;
    }
    const probesBelow = below && this.#below.plan(lengths, order, below, limits);
    if (probesBelow !== undefined) this.#look = { side: 'below' };
    return probesBelow;
  }

  /** Takes in what was learned from, in order. True when what is believed of a neighbour is refuted; looking then begins anew. */
  refutes({ shape, probe, elapsedMs }: RunSample): boolean {
    const look = this.#look;
    if (look === undefined) return false;
    const pace = Math.log(elapsedMs / paddedTokens(shape));
    if (probe) {
      look.during = pace;
      return false;
    }
    if (!areAlike(paddedTokens(shape), this.#currentTokens)) return false;
    if (look.during === undefined) {
      look.before = pace;
      return false;
    }
    this.#look = undefined;
    const { side, before, during } = look;
    if (before === undefined) return false;
    // Larger runs leave the caches cold for what comes after them, which must not count for them.
    const present = side === 'above' ? Math.min(before, pace) : (before + pace) / 2;
    const neighbour = side === 'above' ? this.#above : this.#below;
    neighbour.faster = present - during > FASTER ? neighbour.faster + 1 : 0;
    if (neighbour.faster < LOOKS_TO_REFUTE) return false;
    this.#forget();
    return true;
  }

  save(): AuditState {
    return { currentTokens: this.#currentTokens, below: this.#below.save(), above: this.#above.save() };
  }

  #forget(): void {
    this.#below.faster = 0;
    this.#above.faster = 0;
  }
}

/** A saved audit, or undefined when it is damaged. */
export function parseAuditState(saved: unknown): AuditState | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { currentTokens, below, above } = saved as Partial<Record<keyof AuditState, unknown>>;
  if (!isCount(currentTokens) || !isLookState(below) || !isLookState(above)) return undefined;
  return { currentTokens, below, above };
}

function isLookState(saved: unknown): saved is LookState {
  if (typeof saved !== 'object' || saved === null) return false;
  const { credit, faster } = saved as Partial<Record<keyof LookState, unknown>>;
  return isCount(credit) && isCount(faster);
}
