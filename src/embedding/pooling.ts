import { TesseraError } from '../base/errors.ts';

/** How a text's vector comes out of its tokens' vectors; `none` when the graph has done it. */
export const POOLINGS = ['none', 'mean', 'cls', 'lastToken'] as const;
export type Pooling = (typeof POOLINGS)[number];

/** What a run gave: `count × length × width` token vectors, or `count × width` pooled ones (`length` is 1 then). */
export interface RunOutput {
  /** Nobody else's: pooling may take this memory for its vectors. */
  readonly values: Float32Array;
  readonly count: number;
  /** Tokens of each row, padding included. */
  readonly length: number;
  /** Numbers of one vector. */
  readonly width: number;
}

/**
 * One unit vector of `dimension` numbers for each text, row-major. Padding is on the right and never looked at:
 * `tokenCounts` says how many tokens of each row are the text's own. Dimensions beyond `dimension` are dropped first
 * (Matryoshka), so that what is left has unit length. A vector of zeros stays zero. Where nothing is to be taken together or dropped, the output's
 * own memory becomes the vectors'.
 *
 * @throws TesseraError `embedder-failed` when a text's vector is not finite; `model-invalid` when there are fewer dimensions.
 */
export function poolToUnitVectors(
  output: RunOutput,
  tokenCounts: ArrayLike<number>,
  pooling: Pooling,
  dimension: number,
): Float32Array {
  const { values, count, length, width } = output;
  if (dimension > width) {
    throw new TesseraError('model-invalid', `The model gives ${width} numbers a text; ${dimension} were asked for.`, {
      details: { width, dimension },
    });
  }
  if (pooling === 'none' && length === 1 && width === dimension) return normalizeRows(values, dimension);
  const vectors = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dimension, (row + 1) * dimension);
    const start = row * length * width;
    const tokens = Math.min(length, tokenCounts[row] ?? 0);
    if (pooling === 'mean') addTokens(vector, values, start, tokens, width);
    else {
      const token = pooling === 'lastToken' ? Math.max(0, tokens - 1) : 0;
      const from = start + token * width;
      vector.set(values.subarray(from, from + dimension));
    }
    normalize(vector);
  }
  return vectors;
}

function normalizeRows(vectors: Float32Array, dimension: number): Float32Array {
  for (let at = 0; at < vectors.length; at += dimension) normalize(vectors.subarray(at, at + dimension));
  return vectors;
}

/**
 * A unit vector of `dimension` numbers for each token of each text, texts one after another, without padding.
 *
 * @throws TesseraError `embedder-failed` when one is not finite.
 */
export function unitTokenVectors(
  { values, length, width }: RunOutput,
  tokenCounts: readonly number[],
  dimension: number,
): Float32Array {
  const total = tokenCounts.reduce((sum, count) => sum + count, 0);
  const vectors = new Float32Array(total * dimension);
  let at = 0;
  tokenCounts.forEach((count, row) => {
    for (let token = 0; token < count; token++, at += dimension) {
      const from = (row * length + token) * width;
      const vector = vectors.subarray(at, at + dimension);
      vector.set(values.subarray(from, from + dimension));
      normalize(vector);
    }
  });
  return vectors;
}

/** Sum rather than mean: the length is set to one afterwards anyway. */
function addTokens(vector: Float32Array, values: Float32Array, start: number, tokens: number, width: number): void {
  const dimension = vector.length;
  for (let token = 0; token < tokens; token++) {
    const from = start + token * width;
    for (let i = 0; i < dimension; i++) vector[i] = (vector[i] ?? 0) + (values[from + i] ?? 0);
  }
}

/**
 * Scales to unit length in place; zeros stay. Sums in double precision, which no square of a finite number overflows.
 *
 * @throws TesseraError `embedder-failed` for a vector that is not finite: stored, it would make every comparison with it
 *   meaningless, and never be made again.
 */
export function normalize(vector: Float32Array): void {
  const { length } = vector;
  let squares = 0;
  for (let i = 0; i < length; i++) {
    const value = vector[i] ?? 0;
    squares += value * value;
  }
  if (squares === 0) return;
  if (!Number.isFinite(squares)) {
    throw new TesseraError(
      'embedder-failed',
      'The model gave a vector that is not finite; choose a graph of single precision ("onnxFile" in tessera.json) or another device.',
    );
  }
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < length; i++) vector[i] = (vector[i] ?? 0) * scale;
}
