import { type Attention, matchAttention } from './attentionMatch.ts';
import { GraphNodes } from './graphNodes.ts';
import { type GraphNode, type NewGraph, type OnnxFile, encodeConstant, encodeNode, readOnnxFile } from './onnxFile.ts';

const MICROSOFT = 'com.microsoft';
const FLOAT16 = 10;
const BOOLEAN = 9;

/**
 * The same model with each attention as the engine's one operator `MultiHeadAttention` for runs in which nothing is added to the scores,
 * as there is no padding; null when there is no attention to be found. The operator never stores the scores of all tokens, which would
 * leave the caches. The engine itself does not find attentions in what current exporters write.
 *
 * With something added the operator is slower than its parts (measured: by a tenth at 128 tokens), which stay for that. Results are the
 * same but for rounding.
 *
 * @param file An ONNX file.
 * @param fileName Its name, under which the new model looks for the weights.
 * @throws RangeError when it is no ONNX file.
 */
export function fuseAttention(file: Uint8Array, fileName: string): Uint8Array | null {
  const model = readOnnxFile(file);
  if (!isKnown(model)) return null;
  const graph = new GraphNodes(model);
  const found = new Map<GraphNode, Attention>();
  for (const node of model.nodes) {
    const attention = node.type === 'Softmax' ? matchAttention(graph, node) : undefined;
    if (attention !== undefined) found.set(attention.last, attention);
  }
  if (found.size === 0) return null;
  const writer = new FusedWriter(graph);
  const written = model.nodes.map((node) => {
    const attention = found.get(node);
    return attention === undefined ? [{ node, bytes: node.bytes }] : writer.write(attention);
  });
  const opsets = model.opsets.has(MICROSOFT) ? {} : { [MICROSOFT]: 1 };
  return model.encode(onlyNeeded(written.flat(), model.outputs), opsets, fileName);
}

/** Nodes without graphs inside, weights inside the file, nothing in half precision, which the operator does not know. */
function isKnown({ nodes, initializers, isSplit, opsets }: OnnxFile): boolean {
  if (isSplit || (opsets.get('') ?? 0) < 13) return false;
  return (
    !nodes.some(({ hasSubgraph }) => hasSubgraph) && ![...initializers.values()].some(({ type }) => type === FLOAT16)
  );
}

/** A node to be written, with what it reads and gives. */
interface Written {
  readonly node: Pick<GraphNode, 'inputs' | 'outputs'>;
  readonly bytes: Uint8Array;
}

class FusedWriter {
  readonly #graph: GraphNodes;
  /** Whether a bias is other than zero, by its identity. */
  readonly #biases = new Map<string, string>();
  #count = 0;

  constructor(graph: GraphNodes) {
    this.#graph = graph;
  }

  write({ query, key, value, heads, size, scale, bias, parts, last }: Attention): Written[] {
    const nodes: Written[] = [];
    const width = this.#constant(nodes, [0, 0, heads * size]);
    const joined = this.#name();
    const attributes = {
      then_branch: this.#parts(parts, last.inputs[0] ?? '', width),
      else_branch: this.#operator([query, key, value], width, heads, scale),
    };
    const isBiased = this.#isBiased(nodes, bias);
    nodes.push({
      node: { inputs: [isBiased, width, query, key, value, ...readBy(parts)], outputs: [joined] },
      bytes: encodeNode({ type: 'If', inputs: [isBiased], output: joined, attributes }),
    });
    const shape = last.inputs[1] ?? '';
    const output = last.outputs[0] ?? '';
    const bytes = encodeNode({ type: 'Reshape', inputs: [joined, shape], output });
    nodes.push({ node: { inputs: [joined, shape], outputs: [output] }, bytes });
    return nodes;
  }

  #parts(parts: readonly GraphNode[], result: string, width: string): { readonly graph: NewGraph } {
    const output = this.#name();
    const join = encodeNode({ type: 'Reshape', inputs: [result, width], output });
    return { graph: { nodes: [...parts.map(({ bytes }) => bytes), join], output } };
  }

  #operator(heads: readonly string[], width: string, count: number, scale: number): { readonly graph: NewGraph } {
    const rows = heads.map(() => this.#name());
    const output = this.#name();
    const attributes = { num_heads: { int: count }, scale: { float: scale } };
    const nodes = heads.map((name, at) =>
      encodeNode({ type: 'Reshape', inputs: [name, width], output: rows[at] ?? '' }),
    );
    nodes.push(encodeNode({ type: 'MultiHeadAttention', domain: MICROSOFT, inputs: rows, output, attributes }));
    return { graph: { nodes, output } };
  }

  /** Whether what is added is other than zero anywhere: a value of the graph, made once for all layers. */
  #isBiased(nodes: Written[], bias: string): string {
    const identity = this.#graph.identity(bias);
    const known = this.#biases.get(identity);
    if (known !== undefined) return known;
    const most = this.#add(nodes, 'ReduceMax', [this.#add(nodes, 'Abs', [bias])], { keepdims: { int: 0 } });
    const isBiased = this.#add(nodes, 'Cast', [most], { to: { int: BOOLEAN } });
    this.#biases.set(identity, isBiased);
    return isBiased;
  }

  #add(
    nodes: Written[],
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, { readonly int: number }>> = {},
  ): string {
    const output = this.#name();
    nodes.push({ node: { inputs, outputs: [output] }, bytes: encodeNode({ type, inputs, output, attributes }) });
    return output;
  }

  #constant(nodes: Written[], integers: readonly number[]): string {
    const output = this.#name();
    nodes.push({ node: { inputs: [], outputs: [output] }, bytes: encodeConstant(output, integers) });
    return output;
  }

  #name(): string {
    return `tessera_${this.#count++}`;
  }
}

/** What nodes read of the graph around them. */
function readBy(parts: readonly GraphNode[]): string[] {
  const own = new Set(parts.flatMap(({ outputs }) => outputs));
  return parts.flatMap(({ inputs }) => inputs).filter((input) => !own.has(input));
}

/** The engine would run what nobody reads. */
function onlyNeeded(nodes: readonly Written[], outputs: readonly string[]): Uint8Array[] {
  const needed = new Set(outputs);
  const kept: Uint8Array[] = [];
  for (const { node, bytes } of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    kept.push(bytes);
  }
  return kept.reverse();
}
