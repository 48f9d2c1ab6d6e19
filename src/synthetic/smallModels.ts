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

/**
 * Matrix products `[rows, inner] × [inner, columns]` of one input with several constant right sides, as the layers of an
 * encoder have: the most an engine can do at this shape. The output is `[products, columns]`, the last row of each: handing
 * whole products over to JavaScript takes longer than making them.
 */
export function buildMatrixProducts(options: {
  inner: number;
  columns: number;
  products: number;
  precision: 'float32' | 'int8';
  seed: number;
}): Uint8Array {
  const { inner, columns, products, precision, seed } = options;
  const graph = new OnnxGraph();
  const layers = new LinearLayers(graph, seed, precision);
  const input = graph.input('input', 'float32', ['rows', inner]);
  const first = graph.integers([-1]);
  const end = graph.integers([Number.MAX_SAFE_INTEGER]);
  const rows = Array.from({ length: products }, (_, index) => {
    const product = layers.linear(input, `product.${index}`, inner, columns, false);
    return graph.op('Slice', [product, first, end, graph.integers([0])]);
  });
  graph.output('output', graph.op('Concat', rows, { axis: { int: 0 } }), 'float32', [products, columns]);
  return graph.encode();
}

/** Values for the input of `buildMatrixProducts`. */
export function randomMatrix(rows: number, inner: number, seed: number): Float32Array {
  return new SeededRandom(seed).floats(rows * inner, 1);
}
