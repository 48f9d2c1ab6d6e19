import type { DeviceName, TunerReport } from '../protocol/embedder.ts';
import type { DeathFacts, MemoryCeilingState } from './memoryCeiling.ts';
import type { AuditState } from './neighbourAudit.ts';
import type { PlannedRun, RunMeasurement, RunShape } from './runShape.ts';
import type { ThroughputState } from './throughputModel.ts';

/** Padded tokens per run a device starts from and may use. */
export interface BudgetLimits {
  /** Where a tuner without any knowledge starts. */
  readonly baseTokens: number;
  /** A size any device of the kind is expected to have the memory and the time for: it is not given up for one shortage, and the first run of all is no larger. */
  readonly safeTokens: number;
  readonly floorTokens: number;
  readonly ceilingTokens: number;
  /** What a run takes beside its tokens, in tokens: so much padding is worth another run where runs are too short to be planned by cost. Unknown when left out: they are filled up. */
  readonly overheadTokens?: number;
}

export interface TunerOptions {
  readonly limits: BudgetLimits;
  /** Longest a bulk run may take; a single text that takes longer runs alone. */
  readonly latencyCeilingMs: number;
  /** Resident memory the process may reach, in MiB; Infinity for no limit. */
  readonly memoryCeilingMb: number;
  /** Padded tokens of the largest run known to have had the memory, besides what the saved state tells; 0 when left out. */
  readonly provenTokens?: number;
  /** Texts per run fixed by a person; 0 leaves it to the tuner. */
  readonly fixedCount: number;
  /** Lengths are rounded up to a multiple of this; 1 rounds nothing. */
  readonly lengthStep: number;
  /** Whether the texts of a run lie one after another without padding; false when left out. */
  readonly isBag?: boolean;
  /** Told of each change of the budget, and of what made the tuner doubt it. */
  readonly onMove?: (move: TunerReport['moves'][number]) => void;
}

export type PlanPurpose = 'bulk' | 'live';

/** Decides the runs of bulk work and learns from each of them. Kept per device, model and scope. */
export interface Tuner {
  /**
   * Cuts a window of texts of these lengths (in tokens) into runs, longest texts first, or shortest first where a person has set
   * how many they are: what memory larger ones take is then foreseen. On a device nobody has measured, and where nobody has set a number, a small one comes before them. Each text is in exactly one run.
   * `live` work, which somebody waits for, is never used to try out sizes.
   */
  plan(lengths: ArrayLike<number>, purpose: PlanPurpose): readonly PlannedRun[];
  /** Padded tokens a run of several texts may have by what is known of memory now; plans made before may have larger ones. */
  readonly mostTokens: number;
  /**
   * Whether a run is now known to take longer than somebody may have to wait: its plan is older than what was measured since. Never true
   * of a single text, nor where a person has set how many there are.
   */
  isTooLong(shape: RunShape): boolean;
  /** Texts of so many tokens together make a window worth planning: several runs of the present size. */
  readonly windowTokens: number;
  /** Learns from a run that succeeded. Runs of any lane count. */
  record(measurement: RunMeasurement): void;
  /**
   * A run of this shape ran out of memory, by an error or by the death of the process. Runs of several texts planned right
   * afterwards have at most half of its padded tokens, or what had succeeded before if that is more, and may always have the
   * floor; plans made before must be made again. `death`: of a process it ended.
   */
  outOfMemory(shape: RunShape, death?: DeathFacts): void;
  /** Of a shape larger than a remembered memory ceiling had been that was raised, as `MemoryCeiling.triedAfter` has it; undefined of any other. */
  triedAfter(shape: RunShape): number | undefined;
  report(): TunerReport;
  /** Plain data to be saved; the constructor of a tuner takes it back. */
  save(): TunerState;
}

/** What survives the process: JSON-safe. */
export interface TunerState {
  readonly version: 1;
  readonly budgetTokens: number;
  readonly bestTokensPerSecond: number;
  readonly converged: boolean;
  readonly runs: number;
  readonly throughput: ThroughputState;
  readonly memoryCeiling: MemoryCeilingState;
  /** Padded tokens that trying sizes may still lose. */
  readonly probeCredit: number;
  readonly audit: AuditState;
  /** What rows of larger runs cost those after them, in tokens for each of theirs. */
  readonly displacement: readonly number[];
}

/** Identity of a saved state: another machine, device, model or scope starts on its own. */
export function tunerKey(parts: {
  readonly machine: string;
  readonly device: DeviceName;
  readonly model: string;
  readonly scope: string;
}): string {
  return [parts.machine, parts.device, parts.model, parts.scope].join('|');
}
