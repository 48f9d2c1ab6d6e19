import type { OnnxGraph, Value } from './onnxGraph.ts';
import { SeededRandom } from './random.ts';

export interface Weight {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}
export type Weights = ReadonlyMap<string, Weight>;

/** Adds layers with random weights to a graph, and keeps the weights. */
export class LinearLayers {
  readonly weights = new Map<string, Weight>();
  readonly #graph: OnnxGraph;
  readonly #random: SeededRandom;
  readonly #precision: 'float32' | 'int8';
  /** Activations already quantised, by their float value: layers that share an input share its quantisation. */
  readonly #quantized = new Map<Value, readonly Value[]>();

  constructor(graph: OnnxGraph, seed: number, precision: 'float32' | 'int8') {
    this.#graph = graph;
    this.#random = new SeededRandom(seed);
    this.#precision = precision;
  }

  /** `input × weight + bias`; the weight is `[from, to]`. */
  linear(input: Value, name: string, from: number, to: number, bias: boolean): Value {
    // This deviation keeps the size of the activations the same from layer to layer.
    const weight = this.#random.floats(from * to, 1 / Math.sqrt(from));
    this.weights.set(`${name}.weight`, { dims: [from, to], values: weight });
    const product =
      this.#precision === 'int8'
        ? this.#integerProduct(input, weight, from, to)
        : this.#graph.op('MatMul', [input, this.#graph.float(weight, [from, to])]);
    return bias ? this.#graph.op('Add', [product, this.vector(`${name}.bias`, to, 0)]) : product;
  }

  /** A table of `rows` vectors of this size. */
  table(name: string, rows: number, size: number): Value {
    const values = this.#random.floats(rows * size, 1);
    this.weights.set(name, { dims: [rows, size], values });
    return this.#graph.float(values, [rows, size]);
  }

  /** A vector near `mean`. */
  vector(name: string, size: number, mean: number): Value {
    const values = this.#random.floats(size, 0.1, mean);
    this.weights.set(name, { dims: [size], values });
    return this.#graph.float(values, [size]);
  }

  /**
   * The product as onnxruntime's `quantize_dynamic` writes it: activations to uint8 by their range in each run, weights to
   * int8 symmetrically by their largest, one scale for the whole matrix. With `reduce_range`, as is advised for x64 without VNNI: there the
   * sum of two products of 8 bits overflows, and of 8 and 7 bits does not.
   */
  #integerProduct(input: Value, weight: Float32Array, from: number, to: number): Value {
    const graph = this.#graph;
    let quantized = this.#quantized.get(input);
    if (quantized === undefined) {
      quantized = graph.ops('DynamicQuantizeLinear', [input], 3);
      this.#quantized.set(input, quantized);
    }
    const [values = '', scale = '', zero = ''] = quantized;
    let largest = 0;
    for (const value of weight) largest = Math.max(largest, Math.abs(value));
    const step = largest / 63;
    const bytes = new Uint8Array(Int8Array.from(weight, (value) => Math.round(value / step)).buffer);
    const integers = graph.constant({ type: 'int8', dims: [from, to], bytes });
    const weightZero = graph.constant({ type: 'int8', dims: [], bytes: new Uint8Array(1) });
    const sums = graph.cast(graph.op('MatMulInteger', [values, integers, zero, weightZero]), 'float32');
    return graph.op('Mul', [sums, graph.op('Mul', [scale, graph.scalar(step)])]);
  }
}
