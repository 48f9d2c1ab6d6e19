import { MatrixProduct } from '../../embedder/matrixProduct.ts';
import type { EncoderSize } from '../../synthetic/encoderShapes.ts';
import { buildMatrixProducts, randomMatrix } from '../../synthetic/smallModels.ts';
import type { MatrixSamples } from './benchRecord.ts';
import { type MatrixLimit, operationsPerToken, summarize } from './benchReport.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Rows of the products: the padded tokens of a good run, and of a larger one. */
const ROWS = [512, 2048];
/** Products of one run, each with weights of its own as each layer has. */
const PRODUCTS = 4;
/** How long one shape is timed in each sample. */
const SAMPLE_MS = 40;

interface TimedProduct {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly product: MatrixProduct;
  /** Operations a second, one value for each sample. */
  readonly rates: number[];
}

/**
 * Times the encoder's own matrix products by themselves, a little in each repetition of the comparison, so that both
 * see the same machine. Nothing comes between the products here, so that their input stays in the caches: the limit is generous.
 */
export class MatrixLimitMeter {
  readonly #size: EncoderSize;
  readonly #precision: 'float32' | 'int8';
  readonly #products: readonly TimedProduct[];
  readonly #now: Stopwatch;
  readonly #samples: MatrixSamples;

  private constructor(
    size: EncoderSize,
    precision: 'float32' | 'int8',
    products: readonly TimedProduct[],
    now: Stopwatch,
    samples: MatrixSamples,
  ) {
    this.#now = now;
    this.#samples = samples;
    this.#size = size;
    this.#precision = precision;
    this.#products = products;
  }

  /** Adds to `samples`. */
  static async open(
    size: EncoderSize,
    precision: 'float32' | 'int8',
    threads: number,
    now: Stopwatch,
    samples: MatrixSamples,
  ): Promise<MatrixLimitMeter> {
    const { hidden, intermediate } = size;
    const kinds = [
      [hidden, hidden],
      [hidden, intermediate],
      [intermediate, hidden],
    ] as const;
    const products: TimedProduct[] = [];
    for (const [inner, columns] of kinds) {
      const model = buildMatrixProducts({ inner, columns, products: PRODUCTS, precision, seed: 1 });
      for (const rows of ROWS) {
        const input = { values: randomMatrix(rows, inner, 2), rows, inner };
        const product = await MatrixProduct.open(model, input, threads);
        products.push({
          rows,
          inner,
          columns,
          product,
          rates: (samples.rates[`${rows} × ${inner} × ${columns}`] ??= []),
        });
      }
    }
    return new MatrixLimitMeter(size, precision, products, now, samples);
  }

  /** Times every product, and compares with a pass of `tokensPerSecond` real tokens of this mean length. */
  async sample(tokensPerSecond: number, meanLength: number): Promise<void> {
    for (const timed of this.#products) {
      const { product, rows, inner, columns } = timed;
      await product.run();
      const startedMs = this.#now();
      let runs = 0;
      while (this.#now() - startedMs < SAMPLE_MS) {
        await product.run();
        runs++;
      }
      const seconds = (this.#now() - startedMs) / 1000;
      timed.rates.push((runs * PRODUCTS * 2 * rows * inner * columns) / seconds);
    }
    const operations = operationsPerToken(this.#size, meanLength);
    const limit = operations / this.#secondsPerToken(operations);
    this.#samples.embedding.push(tokensPerSecond * operations);
    this.#samples.limits.push(limit);
    this.#samples.shares.push((tokensPerSecond * operations) / limit);
  }

  report(): MatrixLimit {
    return {
      precision: this.#precision,
      shapes: Object.entries(this.#samples.rates).map(([shape, rates]) => ({
        shape,
        gflops: summarize(rates).median / 1e9,
      })),
      embeddingGflops: summarize(this.#samples.embedding).median / 1e9,
      limitGflops: summarize(this.#samples.limits).median / 1e9,
      share: summarize(this.#samples.shares),
    };
  }

  async dispose(): Promise<void> {
    for (const { product } of this.#products) await product.dispose();
  }

  /** Time of one token if there were only matrix products, each at the best rate of its shape in the last sample. */
  #secondsPerToken(operations: number): number {
    const { layers, hidden, intermediate } = this.#size;
    const rate = (inner: number, columns: number): number =>
      Math.max(
        ...this.#products
          .filter((timed) => timed.inner === inner && timed.columns === columns)
          .map((timed) => timed.rates.at(-1) ?? 0),
      );
    const square = (2 * layers * 4 * hidden ** 2) / rate(hidden, hidden);
    const up = (2 * layers * hidden * intermediate) / rate(hidden, intermediate);
    const down = (2 * layers * hidden * intermediate) / rate(intermediate, hidden);
    // Attention's own products are counted at the rate of the square ones.
    const linear = 2 * layers * (4 * hidden ** 2 + 2 * hidden * intermediate);
    return square + up + down + (operations - linear) / rate(hidden, hidden);
  }
}
