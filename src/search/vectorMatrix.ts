import { ROW_STEP, rowProducts } from './rowProducts.ts';

/** Weight of a file's mean vector in each of its chunks' vectors; with the centre taken away, .69 became .72 on the dev split (first model, vectors alone). */
const FILE_MEAN_WEIGHT = 0.4;

export interface MatrixParts {
  /** Row-major; a row is as long as the dimension, made up to whole steps (`ROW_STEP`) with zeros. */
  readonly rows: Int8Array;
  /** What a row's values count; 0 for a chunk without a vector. */
  readonly scales: Float32Array;
  /** Squared length of (vector + weight × file mean); 0 for a chunk without a vector. */
  readonly lengths: Float32Array;
}

/**
 * Unit vectors of a run of chunks in 8 bits a value (one scale a row; the cosine's error is about .002), and what makes
 * their similarity with a query better at no cost: each vector moves towards its file's mean, and the mean of the whole
 * repository, which says only "this is code of this project", is taken away. Both are linear, so the products with the
 * raw vectors are enough, and a changed file changes only itself.
 */
export class VectorMatrix {
  readonly dimension: number;
  /** Bytes of a row: the dimension, made up to whole steps with zeros. */
  readonly #stride: number;
  readonly #rows: Int8Array;
  readonly #scales: Float32Array;
  /** First chunk of each file, and one past the last. */
  readonly #fileStarts: Uint32Array;
  readonly #lengths: Float32Array;
  #centre: Float32Array | undefined;
  /** Length of each vector after both steps. */
  readonly #norms: Float32Array;

  constructor(dimension: number, fileStarts: Uint32Array, { rows, scales, lengths }: MatrixParts) {
    this.dimension = dimension;
    this.#fileStarts = fileStarts;
    this.#stride = strideOf(dimension);
    this.#rows = rows;
    this.#scales = scales;
    this.#lengths = lengths;
    this.#norms = new Float32Array(scales.length).fill(1);
  }

  /** @param vectors one a chunk in order, unit length; null for a chunk that has none. */
  static of(dimension: number, fileStarts: Uint32Array, vectors: readonly (Float32Array | null)[]): VectorMatrix {
    const matrix = new VectorMatrix(dimension, fileStarts, {
      rows: new Int8Array(vectors.length * strideOf(dimension)),
      scales: new Float32Array(vectors.length),
      lengths: new Float32Array(vectors.length),
    });
    vectors.forEach((vector, row) => {
      if (vector !== null) matrix.#quantize(vector, row);
    });
    for (let file = 0; file + 1 < fileStarts.length; file++) matrix.#measure(vectors, file);
    return matrix;
  }

  /** What another one like it, but without a centre, can be made of. */
  get parts(): MatrixParts {
    return { rows: this.#rows, scales: this.#scales, lengths: this.#lengths };
  }

  get size(): number {
    return this.#scales.length;
  }

  get byteLength(): number {
    return this.#rows.byteLength + 12 * this.size;
  }

  hasVector(row: number): boolean {
    return (this.#scales[row] ?? 0) > 0;
  }

  /** Adds all vectors to `sum`. @returns how many there were. */
  addTo(sum: Float64Array): number {
    let count = 0;
    for (let row = 0; row < this.size; row++) {
      const scale = this.#scales[row] ?? 0;
      if (scale === 0) continue;
      count++;
      const from = row * this.#stride;
      for (let at = 0; at < this.dimension; at++) sum[at] = (sum[at] ?? 0) + scale * (this.#rows[from + at] ?? 0);
    }
    return count;
  }

  /** Sets the mean that is taken away from every vector. */
  setCentre(centre: Float32Array): void {
    this.#centre = centre;
    const products = this.#blended(this.#products(centre));
    const square = dot(centre, centre);
    for (let row = 0; row < this.size; row++) {
      const squared = (this.#lengths[row] ?? 0) - 2 * (products[row] ?? 0) + square;
      this.#norms[row] = Math.sqrt(Math.max(squared, 1e-6));
    }
  }

  /** Similarity of every chunk with a unit-length query vector, about −1 to 1; −1 for a chunk without a vector. */
  similarities(query: Float32Array): Float32Array {
    const blended = this.#blended(this.#products(query));
    const shift = this.#centre === undefined ? 0 : dot(query, this.#centre);
    for (let row = 0; row < this.size; row++) {
      blended[row] = this.hasVector(row) ? ((blended[row] ?? 0) - shift) / (this.#norms[row] ?? 1) : -1;
    }
    return blended;
  }

  /** A chunk's own vector, unit length but for rounding. */
  vector(row: number): Float32Array {
    const scale = this.#scales[row] ?? 0;
    const from = row * this.#stride;
    return Float32Array.from(this.#rows.subarray(from, from + this.dimension), (value) => scale * value);
  }

  #quantize(vector: Float32Array, row: number): void {
    let largest = 0;
    for (const value of vector) largest = Math.max(largest, Math.abs(value));
    if (largest === 0) return;
    const scale = largest / 127;
    this.#scales[row] = scale;
    const from = row * this.#stride;
    for (let at = 0; at < this.dimension; at++) this.#rows[from + at] = Math.round((vector[at] ?? 0) / scale);
  }

  #measure(vectors: readonly (Float32Array | null)[], file: number): void {
    const from = this.#fileStarts[file] ?? 0;
    const rows = vectors.slice(from, this.#fileStarts[file + 1] ?? from);
    const mean = meanOf(rows, this.dimension);
    const meanSquare = dot(mean, mean);
    rows.forEach((vector, index) => {
      if (vector === null) return;
      this.#lengths[from + index] =
        dot(vector, vector) + 2 * FILE_MEAN_WEIGHT * dot(vector, mean) + FILE_MEAN_WEIGHT ** 2 * meanSquare;
    });
  }

  /** Product of every raw vector with `other`. */
  #products(other: Float32Array): Float32Array {
    const products = rowProducts(this.#rows, this.#stride, other);
    for (let row = 0; row < products.length; row++) products[row] = (products[row] ?? 0) * (this.#scales[row] ?? 0);
    return products;
  }

  /** Product + weight × mean product of the file: what the product with the blended vector is. In place. */
  #blended(products: Float32Array): Float32Array {
    for (let file = 0; file + 1 < this.#fileStarts.length; file++) {
      const from = this.#fileStarts[file] ?? 0;
      const to = this.#fileStarts[file + 1] ?? from;
      let sum = 0;
      let count = 0;
      for (let row = from; row < to; row++) {
        if (!this.hasVector(row)) continue;
        sum += products[row] ?? 0;
        count++;
      }
      if (count === 0) continue;
      const share = (FILE_MEAN_WEIGHT * sum) / count;
      for (let row = from; row < to; row++) products[row] = (products[row] ?? 0) + share;
    }
    return products;
  }
}

function strideOf(dimension: number): number {
  return ROW_STEP * Math.ceil(dimension / ROW_STEP);
}

function meanOf(vectors: readonly (Float32Array | null)[], dimension: number): Float32Array {
  const mean = new Float32Array(dimension);
  let count = 0;
  for (const vector of vectors) {
    if (vector === null) continue;
    count++;
    for (let at = 0; at < dimension; at++) mean[at] = (mean[at] ?? 0) + (vector[at] ?? 0);
  }
  return count === 0 ? mean : mean.map((value) => value / count);
}

function dot(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0);
  return sum;
}
