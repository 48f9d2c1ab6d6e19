import type { EncoderSize } from '../../synthetic/encoderShapes.ts';
import type { DeviceName, ExecutionProvider } from '../../protocol/embedder.ts';
import type { BenchRecord } from './benchRecord.ts';
import type { BenchClock } from './stopwatch.ts';

/** A call that measures a part of a comparison. */
export interface BenchPiece {
  /** What earlier calls measured, of this model and of others; added to. */
  readonly records: BenchRecord[];
  /** Keeps the records; called after every pass. */
  readonly save: () => Promise<void>;
}

export interface BenchOptions {
  /** Folder of a model, or `synthetic:SIZE` or `synthetic:SIZE:int8` with a size of ENCODER_SIZES. */
  readonly model: string;
  /** Folder of the model whose tokenizer gives the lengths of real chunks. */
  readonly tokenizerModel: string;
  /** Folder with files to cut into chunks; null leaves the workloads of real chunks out. */
  readonly folder: string | null;
  /** 0: as many as the machine has. */
  readonly threads: number;
  /** `auto`: the best there is for a model's folder, the processor for a synthetic one. */
  readonly device: DeviceName;
  /** The device whose kind of graph is loaded, where that is not `device`. */
  readonly graphFor?: ExecutionProvider | undefined;
  /** What is compared: time as it passes, or (with one thread) the processor's time. */
  readonly clock: BenchClock;
  /** About how long the comparison of policies may take, loading aside; of a piece: how long the call may take. */
  readonly seconds: number;
  /** Null: everything in this call, however long it takes. */
  readonly piece: BenchPiece | null;
  /** Texts of one pass; 0: as many as show what the policies do. */
  readonly texts: number;
  /** All policies and workloads instead of those that tell most. */
  readonly full: boolean;
  /** Names of workloads; empty: as `full` says. */
  readonly workloads: readonly string[];
  /** What the names of the policies compared have in them, the tuned one aside; empty: as `full` says. */
  readonly policies: readonly string[];
  /** Texts are cut to so many tokens. */
  readonly maxTokens: number;
  readonly latencyCeilingMs: number;
  /** Chunks of the comparison of a whole index with the best fixed budget; 0 leaves it out. */
  readonly sessionChunks: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (text: string) => void;
}

/** One policy on one kind of text. Rates are medians over the repetitions. */
export interface BenchCase {
  readonly policy: string;
  readonly workload: string;
  /** Of the texts themselves, padding not counted. */
  readonly tokensPerSecond: number;
  readonly textsPerSecond: number;
  /** (padded − real) / real. */
  readonly paddingRatio: number;
  readonly runs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Most resident memory after a run, from a fresh session; 0 when it was not measured. */
  readonly peakRssMb: number;
  readonly repetitions: number;
}

/** How many times as fast one thing was as another, compared within each repetition. */
export interface BenchRatio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly repetitions: number;
}

/** The most the engine can do with the encoder's own matrix products, measured between the embedding runs. */
export interface MatrixLimit {
  readonly precision: 'float32' | 'int8';
  /** Billions of operations a second, by `rows × inner × columns`. */
  readonly shapes: readonly { readonly shape: string; readonly gflops: number }[];
  /** Operations of the tokens embedded a second, and the same if there were nothing but matrix products at these rates. */
  readonly embeddingGflops: number;
  readonly limitGflops: number;
  readonly share: BenchRatio;
}

/** A whole index embedded with the best fixed budget, with a tuner that knows nothing and with one that has learned. */
export interface SessionComparison {
  readonly workload: string;
  readonly chunks: number;
  readonly oracleBudget: number;
  readonly oracleTokensPerSecond: number;
  readonly cold: BenchRatio;
  readonly saved: BenchRatio;
  readonly coldBudget: number;
  readonly coldConvergedAfterRuns: number | null;
}

export interface BenchReport {
  readonly model: string;
  readonly device: string;
  readonly threads: number;
  readonly clock: BenchClock;
  readonly processor: string;
  readonly cases: readonly BenchCase[];
  /** `workload: policy / policy`; `best fixed policy` is the fastest besides the tuned one that keeps to the latency ceiling, compared in passes after it was chosen. */
  readonly ratios: Readonly<Record<string, BenchRatio>>;
  readonly matrixLimit: MatrixLimit | null;
  readonly sessions: readonly SessionComparison[];
  /** Whether everything asked for has been measured; false where a piece ended before. */
  readonly complete: boolean;
  readonly notes: readonly string[];
}

/** Floating-point operations for one token of a text of `length` tokens: linear layers, and attention's share that grows. */
export function operationsPerToken(size: EncoderSize, length: number): number {
  const linear = 2 * size.layers * (4 * size.hidden ** 2 + 2 * size.hidden * size.intermediate);
  return linear + 4 * size.layers * size.hidden * length;
}

/** Median and the range that all but a tenth on each side lie in. */
export function summarize(values: readonly number[]): BenchRatio {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const half = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half)] ?? 0)) / 2;
  return { median, low: at(0.1), high: at(0.9), repetitions: sorted.length };
}
