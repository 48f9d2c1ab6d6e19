import type { SyntheticModel } from './encoderModel.ts';
import { LinearLayers } from './linearLayers.ts';
import { OnnxGraph } from './onnxGraph.ts';
import { SeededRandom } from './random.ts';

/** A static model: the mean of a vector per token, as model2vec's and similar exports; inputs `input_ids` and `attention_mask`. */
export function buildPaddedStaticModel(options: { vocabulary: number; hidden: number; seed: number }): SyntheticModel {
  const graph = new OnnxGraph();
  const layers = new LinearLayers(graph, options.seed, 'float32');
  const ids = graph.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = graph.input('attention_mask', 'int64', ['batch', 'sequence']);
  const table = layers.table('embeddings.word', options.vocabulary, options.hidden);
  const weights = graph.op('Unsqueeze', [graph.cast(mask, 'float32'), graph.integers([2])]);
  const axes = graph.integers([1]);
  const keep = { keepdims: { int: 0 } };
  const sum = graph.op('ReduceSum', [graph.op('Mul', [graph.op('Gather', [table, ids]), weights]), axes], keep);
  const mean = graph.op('Div', [sum, graph.op('ReduceSum', [weights, axes], keep)]);
  graph.output('embeddings', mean, 'float32', ['batch', options.hidden]);
  return { model: graph.encode(), weights: layers.weights };
}

/**
 * A static model without padding, as `torch.nn.EmbeddingBag` is exported by model2vec: `input_ids` int64 `[tokens]` of all
 * texts one after another, `offsets` int64 `[batch]` where each begins.
 */
export function buildBagModel(options: { vocabulary: number; hidden: number; seed: number }): SyntheticModel {
  const graph = new OnnxGraph();
  const layers = new LinearLayers(graph, options.seed, 'float32');
  const ids = graph.input('input_ids', 'int64', ['tokens']);
  const offsets = graph.input('offsets', 'int64', ['batch']);
  const table = layers.table('embeddings.word', options.vocabulary, options.hidden);
  // Running sums of the vectors; a text's sum is the difference at its two ends.
  const vectors = graph.op('Gather', [table, ids]);
  const first = graph.float(new Float32Array(options.hidden), [1, options.hidden]);
  const sums = graph.op('Concat', [first, graph.op('CumSum', [vectors, graph.integers([0], [])])], {
    axis: { int: 0 },
  });
  const ends = graph.op(
    'Concat',
    [
      graph.op('Slice', [offsets, graph.integers([1]), graph.integers([Number.MAX_SAFE_INTEGER]), graph.integers([0])]),
      graph.op('Shape', [ids]),
    ],
    { axis: { int: 0 } },
  );
  const sum = graph.op('Sub', [graph.op('Gather', [sums, ends]), graph.op('Gather', [sums, offsets])]);
  const counts = graph.cast(graph.op('Sub', [ends, offsets]), 'float32');
  const mean = graph.op('Div', [
    sum,
    graph.op('Unsqueeze', [graph.op('Max', [counts, graph.scalar(1)]), graph.integers([1])]),
  ]);
  graph.output('embeddings', mean, 'float32', ['batch', options.hidden]);
  return { model: graph.encode(), weights: layers.weights };
}

/** One matrix product `[rows, inner] × [inner, columns]` with a constant right side: the most an engine can do at this shape. */
export function buildMatrixProduct(options: {
  inner: number;
  columns: number;
  precision: 'float32' | 'int8';
  seed: number;
}): Uint8Array {
  const graph = new OnnxGraph();
  const layers = new LinearLayers(graph, options.seed, options.precision);
  const input = graph.input('input', 'float32', ['rows', options.inner]);
  graph.output('output', layers.linear(input, 'product', options.inner, options.columns, false), 'float32', [
    'rows',
    options.columns,
  ]);
  return graph.encode();
}

/** Values for the input of `buildMatrixProduct`. */
export function randomMatrix(rows: number, inner: number, seed: number): Float32Array {
  return new SeededRandom(seed).floats(rows * inner, 1);
}
