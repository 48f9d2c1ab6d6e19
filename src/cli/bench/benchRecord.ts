import { TesseraError } from '../../base/errors.ts';
import type { BenchClock } from './stopwatch.ts';
import type { Pass } from './timeRuns.ts';

/** Passes over the same texts, close in time, by name of the policy; where time ended a round, some are missing. */
export type Round = Record<string, Pass>;

/** What was measured on one workload so far; plain data that grows from call to call. */
export interface WorkloadRecord {
  readonly name: string;
  /** Tokens of the texts, in order of arrival. */
  readonly lengths: readonly number[];
  /** Texts of one pass; 0 until it is chosen. */
  texts: number;
  /** Of the tuned policy, the last time it was timed; 0 before it was. */
  msPerToken: number;
  /** State of the tuner when it was saved last; null before it has learned. */
  tuner: unknown;
  /** The first pass of each policy, by name, from a fresh session, with its memory; no part of the comparison. */
  readonly first: Round;
  readonly rounds: Round[];
  /** The policy besides the tuned one that was fastest in the rounds; null before they were over. */
  best: string | null;
  /** Passes of the tuned policy and that one, after it was chosen. */
  readonly pairs: Round[];
}

/** What has to be alike for measurements to be put together. */
export interface BenchSetup {
  readonly model: string;
  readonly device: string;
  readonly threads: number;
  readonly clock: BenchClock;
  readonly processor: string;
  readonly maxTokens: number;
  readonly latencyCeilingMs: number;
}

/** What was sampled of matrix products so far, one value for each sample. */
export interface MatrixSamples {
  /** Operations a second by shape, `rows × inner × columns`. */
  readonly rates: Record<string, number[]>;
  readonly shares: number[];
  readonly embedding: number[];
  readonly limits: number[];
}

/** Nothing sampled yet. */
export function noMatrixSamples(): MatrixSamples {
  return { rates: {}, shares: [], embedding: [], limits: [] };
}

/** Everything measured of one model, so that a later call can go on from here. */
export interface BenchRecord {
  readonly setup: BenchSetup;
  readonly workloads: WorkloadRecord[];
  readonly matrix: MatrixSamples | null;
}

/** Throws `invalid-argument`, naming what differs, when measurements of two calls cannot be compared. */
export function checkSameSetup(earlier: BenchSetup, now: BenchSetup): void {
  for (const [name, value] of Object.entries(now)) {
    const before: unknown = Reflect.get(earlier, name);
    if (before === value) continue;
    throw new TesseraError(
      'invalid-argument',
      `What was measured before of ${now.model} had ${name} ${String(before)}, now it is ${String(value)}; append to another file.`,
    );
  }
}

/** The passes of one policy, in the order they were made. */
export function passesOf(record: WorkloadRecord, policy: string): Pass[] {
  return record.rounds.flatMap((round) => round[policy] ?? []);
}
