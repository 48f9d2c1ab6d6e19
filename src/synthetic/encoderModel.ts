import { ENCODER_FAMILIES, type EncoderOptions, type EncoderTraits, ROBERTA_PADDING_ID } from './encoderShapes.ts';
import { LinearLayers, type Weights } from './linearLayers.ts';
import { OnnxGraph, type Value } from './onnxGraph.ts';

export interface SyntheticModel {
  /** An ONNX file. */
  readonly model: Uint8Array;
  /** Every random weight by name, for a reference implementation. */
  readonly weights: Weights;
}

/** Base of the angles of rotary positions (RoFormer, arXiv 2104.09864). */
export const ROTARY_BASE = 10_000;
const EPSILON = 1e-12;
/** Added to the scores of masked tokens; large enough to vanish in the softmax, small enough for half precision. */
const MASKED = -10_000;

/**
 * An encoder of the given family and size with random weights: the operators that an export of a real one has, so that
 * speed, memory and the engine's graph optimisations are those of the real one.
 * Inputs `input_ids`, `attention_mask`, and `token_type_ids` or `position_ids` where the family has them: int64 `[batch, sequence]`.
 */
export function buildEncoder(options: EncoderOptions): SyntheticModel {
  const graph = new OnnxGraph();
  const layers = new LinearLayers(graph, options.seed, options.weights);
  new EncoderBuilder(graph, layers, options).build();
  return { model: graph.encode(), weights: layers.weights };
}

class EncoderBuilder {
  readonly #graph: OnnxGraph;
  readonly #layers: LinearLayers;
  readonly #options: EncoderOptions;
  readonly #traits: EncoderTraits;

  constructor(graph: OnnxGraph, layers: LinearLayers, options: EncoderOptions) {
    this.#graph = graph;
    this.#layers = layers;
    this.#options = options;
    this.#traits = ENCODER_FAMILIES[options.family];
  }

  build(): void {
    const graph = this.#graph;
    const dims = ['batch', 'sequence'];
    const ids = graph.input('input_ids', 'int64', dims);
    const mask = graph.input('attention_mask', 'int64', dims);
    const types = this.#traits.tokenTypes > 0 ? graph.input('token_type_ids', 'int64', dims) : undefined;
    const positionIds = this.#traits.positionIds ? graph.input('position_ids', 'int64', dims) : undefined;
    const length = graph.op('Gather', [graph.op('Shape', [ids]), graph.integers([1])]);

    const bias = this.#attentionBias(mask, length);
    const rotation = this.#traits.positions === 'rotary' ? this.#rotation(length, positionIds) : undefined;
    let state = this.#embeddings(ids, types, length);
    for (let layer = 0; layer < this.#options.layers; layer++) state = this.#layer(state, bias, rotation, layer);
    if (this.#traits.normalization === 'before') state = this.#norm(state, 'final.norm');
    this.#outputs(state, mask);
  }

  #embeddings(ids: Value, types: Value | undefined, length: Value): Value {
    const graph = this.#graph;
    const { vocabulary, hidden, maxPositions } = this.#options;
    let sum = graph.op('Gather', [this.#layers.table('embeddings.word', vocabulary, hidden), ids]);
    if (types !== undefined) {
      const table = this.#layers.table('embeddings.type', this.#traits.tokenTypes, hidden);
      sum = graph.op('Add', [sum, graph.op('Gather', [table, types])]);
    }
    if (this.#traits.positions === 'learned') {
      const table = this.#layers.table('embeddings.position', maxPositions, hidden);
      const first = graph.op('Slice', [table, graph.integers([0]), length, graph.integers([0])]);
      sum = graph.op('Add', [sum, first]);
    } else if (this.#traits.positions === 'roberta') {
      const table = this.#layers.table('embeddings.position', maxPositions + ROBERTA_PADDING_ID + 1, hidden);
      sum = graph.op('Add', [sum, graph.op('Gather', [table, this.#robertaPositions(ids)])]);
    }
    return this.#norm(sum, 'embeddings.norm');
  }

  /** Places counted over tokens that are not padding, from the padding id + 1; padding keeps the padding id. */
  #robertaPositions(ids: Value): Value {
    const graph = this.#graph;
    const padding = graph.integers([ROBERTA_PADDING_ID], []);
    const real = graph.cast(graph.op('Not', [graph.op('Equal', [ids, padding])]), 'int64');
    const places = graph.op('Mul', [graph.op('CumSum', [real, graph.integers([1], [])]), real]);
    return graph.op('Add', [places, padding]);
  }

  /** What is added to the attention scores: `[batch or 1, heads or 1, sequence or 1, sequence]`. */
  #attentionBias(mask: Value, length: Value): Value {
    const graph = this.#graph;
    const masked = graph.op('Sub', [graph.scalar(1), graph.cast(mask, 'float32')]);
    let bias = graph.op('Mul', [graph.op('Unsqueeze', [masked, graph.integers([1, 2])]), graph.scalar(MASKED)]);
    if (!this.#traits.causal && this.#traits.positions !== 'alibi') return bias;
    const places = this.#places(length);
    const distance = graph.op('Sub', [
      graph.op('Unsqueeze', [places, graph.integers([0])]),
      graph.op('Unsqueeze', [places, graph.integers([1])]),
    ]);
    if (this.#traits.causal) {
      const later = graph.cast(graph.op('Greater', [distance, graph.scalar(0)]), 'float32');
      bias = graph.op('Add', [bias, graph.op('Mul', [later, graph.scalar(MASKED)])]);
    }
    if (this.#traits.positions === 'alibi') {
      const slopes = graph.float(alibiSlopes(this.#options.heads), [this.#options.heads, 1, 1]);
      bias = graph.op('Sub', [bias, graph.op('Mul', [graph.op('Abs', [distance]), slopes])]);
    }
    return bias;
  }

  /** 0, 1, … as float32 `[sequence]`. */
  #places(length: Value): Value {
    const graph = this.#graph;
    const end = graph.op('Squeeze', [length, graph.integers([0])]);
    return graph.cast(graph.op('Range', [graph.integers([0], []), end, graph.integers([1], [])]), 'float32');
  }

  /** Cosines and sines for rotary positions: `[batch or 1, 1, sequence, head]`. */
  #rotation(length: Value, positionIds: Value | undefined): { readonly cos: Value; readonly sin: Value } {
    const graph = this.#graph;
    const size = this.#headSize;
    const frequencies = Array.from({ length: size / 2 }, (_, index) => ROTARY_BASE ** ((-2 * index) / size));
    const places =
      positionIds === undefined
        ? graph.op('Unsqueeze', [this.#places(length), graph.integers([0, 1, 3])])
        : graph.op('Unsqueeze', [graph.cast(positionIds, 'float32'), graph.integers([1, 3])]);
    const half = graph.op('Mul', [places, graph.float(frequencies, [size / 2])]);
    const angles = graph.op('Concat', [half, half], { axis: { int: -1 } });
    return { cos: graph.op('Cos', [angles]), sin: graph.op('Sin', [angles]) };
  }

  #layer(input: Value, bias: Value, rotation: { cos: Value; sin: Value } | undefined, layer: number): Value {
    const graph = this.#graph;
    const name = `layer.${layer}`;
    if (this.#traits.normalization === 'before') {
      const attended = this.#attention(this.#norm(input, `${name}.attention.norm`), bias, rotation, name);
      const middle = graph.op('Add', [input, attended]);
      return graph.op('Add', [middle, this.#feedForward(this.#norm(middle, `${name}.ffn.norm`), name)]);
    }
    const attended = this.#attention(input, bias, rotation, name);
    const middle = this.#norm(graph.op('Add', [attended, input]), `${name}.attention.norm`);
    return this.#norm(graph.op('Add', [this.#feedForward(middle, name), middle]), `${name}.ffn.norm`);
  }

  #attention(
    input: Value,
    bias: Value,
    rotation: { readonly cos: Value; readonly sin: Value } | undefined,
    name: string,
  ): Value {
    const graph = this.#graph;
    const { hidden, heads } = this.#options;
    const split = (part: string, order: readonly number[]): Value => {
      const projected = this.#linear(input, `${name}.${part}`, hidden, hidden);
      const shaped = graph.op('Reshape', [projected, graph.integers([0, 0, heads, this.#headSize])]);
      return graph.op('Transpose', [shaped], { perm: { ints: order } });
    };
    let query = split('query', [0, 2, 1, 3]);
    let key = split('key', rotation === undefined ? [0, 2, 3, 1] : [0, 2, 1, 3]);
    const value = split('value', [0, 2, 1, 3]);
    if (rotation !== undefined) {
      query = this.#rotate(query, rotation);
      key = graph.op('Transpose', [this.#rotate(key, rotation)], { perm: { ints: [0, 1, 3, 2] } });
    }
    const scores = graph.op('Div', [graph.op('MatMul', [query, key]), graph.scalar(Math.sqrt(this.#headSize))]);
    const shares = graph.op('Softmax', [graph.op('Add', [scores, bias])], { axis: { int: -1 } });
    const mixed = graph.op('Transpose', [graph.op('MatMul', [shares, value])], { perm: { ints: [0, 2, 1, 3] } });
    const joined = graph.op('Reshape', [mixed, graph.integers([0, 0, hidden])]);
    return this.#linear(joined, `${name}.output`, hidden, hidden);
  }

  #rotate(value: Value, rotation: { readonly cos: Value; readonly sin: Value }): Value {
    const graph = this.#graph;
    const [first = '', second = ''] = graph.ops('Split', [value], 2, { axis: { int: -1 } });
    const turned = graph.op('Concat', [graph.op('Neg', [second]), first], { axis: { int: -1 } });
    return graph.op('Add', [graph.op('Mul', [value, rotation.cos]), graph.op('Mul', [turned, rotation.sin])]);
  }

  #feedForward(input: Value, name: string): Value {
    const graph = this.#graph;
    const { hidden, intermediate } = this.#options;
    let inner = this.#linear(input, `${name}.up`, hidden, intermediate);
    if (this.#traits.feedForward === 'gelu') {
      inner = this.#gelu(inner);
    } else {
      const gate = this.#linear(input, `${name}.gate`, hidden, intermediate);
      const active =
        this.#traits.feedForward === 'geglu' ? this.#gelu(gate) : graph.op('Mul', [gate, graph.op('Sigmoid', [gate])]);
      inner = graph.op('Mul', [active, inner]);
    }
    return this.#linear(inner, `${name}.down`, intermediate, hidden);
  }

  /** x · (1 + erf(x / √2)) / 2, spelt as exports spell it, so that the engine finds and fuses it. */
  #gelu(value: Value): Value {
    const graph = this.#graph;
    const erf = graph.op('Erf', [graph.op('Div', [value, graph.scalar(Math.SQRT2)])]);
    const scaled = graph.op('Mul', [value, graph.op('Add', [erf, graph.scalar(1)])]);
    return graph.op('Mul', [scaled, graph.scalar(0.5)]);
  }

  #norm(value: Value, name: string): Value {
    const graph = this.#graph;
    const { hidden } = this.#options;
    const scale = this.#layers.vector(`${name}.weight`, hidden, 1);
    if (this.#traits.norm === 'layer') {
      const shift = this.#layers.vector(`${name}.bias`, hidden, 0);
      return graph.op('LayerNormalization', [value, scale, shift], { axis: { int: -1 }, epsilon: { float: EPSILON } });
    }
    const square = graph.op('Mul', [value, value]);
    const mean = graph.op('ReduceMean', [square], { axes: { ints: [-1] }, keepdims: { int: 1 } });
    const root = graph.op('Sqrt', [graph.op('Add', [mean, graph.scalar(EPSILON)])]);
    return graph.op('Mul', [graph.op('Div', [value, root]), scale]);
  }

  #outputs(state: Value, mask: Value): void {
    const { outputs, projection, hidden } = this.#options;
    const tokens = projection === 0 ? state : this.#linear(state, 'projection', hidden, projection);
    const size = projection === 0 ? hidden : projection;
    if (outputs !== 'pooled') this.#output('last_hidden_state', tokens, ['batch', 'sequence', size]);
    if (outputs !== 'tokens') this.#output('sentence_embedding', this.#pooled(tokens, mask), ['batch', size]);
  }

  #pooled(tokens: Value, mask: Value): Value {
    const graph = this.#graph;
    const weights = graph.op('Unsqueeze', [graph.cast(mask, 'float32'), graph.integers([2])]);
    const axes = graph.integers([1]);
    const keep = { keepdims: { int: 0 } };
    const sum = graph.op('ReduceSum', [graph.op('Mul', [tokens, weights]), axes], keep);
    const mean = graph.op('Div', [sum, graph.op('ReduceSum', [weights, axes], keep)]);
    if (!this.#options.normalized) return mean;
    return graph.op('LpNormalization', [mean], { axis: { int: 1 }, p: { int: 2 } });
  }

  #output(name: string, value: Value, dims: readonly (number | string)[]): void {
    const graph = this.#graph;
    const type = this.#options.outputType;
    let typed = value;
    if (type === 'float16') typed = graph.cast(value, 'float16');
    if (type === 'int8') {
      const rounded = graph.op('Round', [graph.op('Mul', [value, graph.scalar(127)])]);
      typed = graph.cast(graph.op('Clip', [rounded, graph.scalar(-127), graph.scalar(127)]), 'int8');
    }
    graph.output(name, typed, type, dims);
  }

  #linear(input: Value, name: string, from: number, to: number): Value {
    return this.#layers.linear(input, name, from, to, this.#traits.bias);
  }

  get #headSize(): number {
    return this.#options.hidden / this.#options.heads;
  }
}

/** Slopes of ALiBi (arXiv 2108.12409) for a number of heads that is a power of two. */
export function alibiSlopes(heads: number): number[] {
  return Array.from({ length: heads }, (_, index) => 2 ** ((-8 * (index + 1)) / heads));
}
