import { InferenceSession, Tensor } from './onnxRuntime.ts';

/** Matrix products on the engine's CPU provider: what it can do at a shape when nothing else is in the way. */
export class MatrixProduct {
  readonly #session: InferenceSession;
  readonly #input: Tensor;

  private constructor(session: InferenceSession, input: Tensor) {
    this.#session = session;
    this.#input = input;
  }

  /** `model` has an input `input` of shape `[rows, inner]` and one output (see `buildMatrixProducts`). */
  static async open(
    model: Uint8Array,
    input: { readonly values: Float32Array; readonly rows: number; readonly inner: number },
    threads: number,
  ): Promise<MatrixProduct> {
    const session = await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    return new MatrixProduct(session, new Tensor('float32', input.values, [input.rows, input.inner]));
  }

  async run(): Promise<void> {
    await this.#session.run({ input: this.#input });
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}
