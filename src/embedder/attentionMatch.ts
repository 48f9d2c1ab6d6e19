import type { GraphNodes } from './graphNodes.ts';
import type { GraphNode } from './onnxFile.ts';

/** `[batch, sequence, heads, size]` to `[batch, heads, sequence, size]` and back. */
const BY_HEAD = [0, 2, 1, 3];
const KEYS_DIRECTLY = [0, 2, 3, 1];
const KEYS_AFTERWARDS = [0, 1, 3, 2];

/** One attention of the graph as separate operators. */
export interface Attention {
  /** Give `[batch, sequence, heads, size]` each. */
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly heads: number;
  readonly size: number;
  readonly scale: number;
  /** Added to the scores. */
  readonly bias: string;
  /** From the heads to what `last` joins, in order. */
  readonly parts: readonly GraphNode[];
  /** Joins the heads again. */
  readonly last: GraphNode;
}

/** The attention whose shares this `Softmax` makes, if it is one. */
export function matchAttention(graph: GraphNodes, softmax: GraphNode): Attention | undefined {
  const axis = softmax.integers.get('axis')?.[0] ?? -1;
  const sum = graph.producer(softmax.inputs[0], 'Add');
  if ((axis !== -1 && axis !== 3) || sum === undefined) return undefined;
  const shares = withoutGuard(graph, softmax);
  const mixed = shares && graph.onlyConsumer(shares, 'MatMul');
  const turned = mixed && graph.onlyConsumer(mixed, 'Transpose');
  const last = turned && graph.onlyConsumer(turned, 'Reshape');
  if (mixed?.inputs[0] !== shares?.outputs[0] || !hasOrder(turned, BY_HEAD) || last?.inputs[0] !== turned?.outputs[0])
    return undefined;
  const value = headsOf(graph, mixed?.inputs[1]);
  for (const [scores, bias] of [sum.inputs, [...sum.inputs].reverse()]) {
    const scaled = withoutScale(graph, scores);
    const product = graph.producer(scaled.name, 'MatMul');
    if (product === undefined || value === undefined || last === undefined || bias === undefined) continue;
    const query = withoutScale(graph, product.inputs[0]);
    const key = withoutScale(graph, product.inputs[1]);
    const queryHeads = headsOf(graph, query.name);
    const keyHeads = keysOf(graph, key.name);
    if (queryHeads === undefined || keyHeads === undefined) continue;
    const { heads, size } = queryHeads;
    const scale = scaled.scale * query.scale * key.scale * keyHeads.scale;
    if ([keyHeads, value].some((other) => other.heads !== heads || other.size !== size)) continue;
    const names = { query: queryHeads.name, key: keyHeads.name, value: value.name, bias };
    const parts = graph.between(Object.values(names), last.inputs[0] ?? '');
    return parts && { ...names, heads, size, scale, parts, last };
  }
  return undefined;
}

/** Past what makes shares of tokens that see nothing zero: no text is empty. */
function withoutGuard(graph: GraphNodes, softmax: GraphNode): GraphNode | undefined {
  const consumers = graph.consumers(softmax);
  if (consumers.length === 1) return softmax;
  const test = consumers.find(({ type }) => type === 'IsNaN');
  const choice = consumers.find(({ type }) => type === 'Where');
  if (consumers.length !== 2 || test === undefined || choice === undefined) return undefined;
  const [condition, ifEmpty, otherwise] = choice.inputs;
  const isGuard = condition === test.outputs[0] && otherwise === softmax.outputs[0] && graph.scalar(ifEmpty) === 0;
  return isGuard && graph.onlyConsumer(test, 'Where') === choice ? choice : undefined;
}

/** What a value is a multiple of. */
function withoutScale(
  graph: GraphNodes,
  name: string | undefined,
): { readonly name: string | undefined; readonly scale: number } {
  const quotient = graph.producer(name, 'Div');
  const divisor = graph.scalar(quotient?.inputs[1]);
  if (quotient !== undefined && divisor !== undefined) return { name: quotient.inputs[0], scale: 1 / divisor };
  const product = graph.producer(name, 'Mul');
  for (const [value, factor] of product === undefined ? [] : [product.inputs, [...product.inputs].reverse()]) {
    const scale = graph.scalar(factor);
    if (scale !== undefined) return { name: value, scale };
  }
  return { name, scale: 1 };
}

interface Heads {
  /** `[batch, sequence, heads, size]`. */
  readonly name: string;
  readonly heads: number;
  readonly size: number;
}

function headsOf(graph: GraphNodes, name: string | undefined): Heads | undefined {
  const turned = graph.producer(name, 'Transpose');
  return hasOrder(turned, BY_HEAD) ? shapedHeads(graph, turned?.inputs[0]) : undefined;
}

function keysOf(graph: GraphNodes, name: string | undefined): (Heads & { readonly scale: number }) | undefined {
  const turned = graph.producer(name, 'Transpose');
  if (hasOrder(turned, KEYS_DIRECTLY)) {
    const heads = shapedHeads(graph, turned?.inputs[0]);
    return heads && { ...heads, scale: 1 };
  }
  if (!hasOrder(turned, KEYS_AFTERWARDS)) return undefined;
  const before = withoutScale(graph, turned?.inputs[0]);
  const heads = headsOf(graph, before.name);
  return heads && { ...heads, scale: before.scale };
}

function hasOrder(node: GraphNode | undefined, order: readonly number[]): boolean {
  return node?.integers.get('perm')?.join() === order.join();
}

/** Heads and their size from the shape a projection is given, or from the projection where the shape leaves it open. */
function shapedHeads(graph: GraphNodes, name: string | undefined): Heads | undefined {
  const reshape = graph.producer(name, 'Reshape');
  if (reshape === undefined || name === undefined) return undefined;
  const shape = lastSizes(graph, reshape.inputs[1]);
  const size = shape?.[1] ?? 0;
  const width = widthOf(graph, reshape.inputs[0]);
  const heads = shape?.[0] === -1 && width !== undefined ? width / size : (shape?.[0] ?? 0);
  return size > 0 && heads > 0 && Number.isInteger(heads) ? { name, heads, size } : undefined;
}

/** The last two of four sizes. */
function lastSizes(graph: GraphNodes, shape: string | undefined): readonly [number, number] | undefined {
  const values = graph.constant(shape)?.values;
  if (values?.length === 4) return [values[2] ?? 0, values[3] ?? 0];
  const parts = graph.producer(shape, 'Concat')?.inputs ?? [];
  const heads = graph.scalar(parts[2]);
  const size = graph.scalar(parts[3]);
  return parts.length === 4 && heads !== undefined && size !== undefined ? [heads, size] : undefined;
}

/** Length of the last dimension, where the layer that made the value tells. */
function widthOf(graph: GraphNodes, name: string | undefined): number | undefined {
  const sum = graph.producer(name, 'Add');
  const bias = sum?.inputs.map((input) => graph.constant(input)).find((tensor) => tensor?.dims.length === 1);
  const weight = graph.constant(graph.producer(name, 'MatMul')?.inputs[1]);
  return bias?.dims[0] ?? (weight?.dims.length === 2 ? weight.dims[1] : undefined);
}
