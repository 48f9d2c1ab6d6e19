import type { GraphNode, GraphTensor, OnnxFile } from './onnxFile.ts';

/** Who gives and who takes what. */
export class GraphNodes {
  readonly #model: OnnxFile;
  readonly #producers = new Map<string, GraphNode>();
  readonly #consumers = new Map<string, GraphNode[]>();

  constructor(model: OnnxFile) {
    this.#model = model;
    for (const node of model.nodes) {
      for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of new Set(node.inputs))
        this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
    }
  }

  /** The node that gives a value, if it is of this type. */
  producer(name: string | undefined, type: string): GraphNode | undefined {
    const node = this.#producers.get(name ?? '');
    return node?.type === type && node.domain === '' ? node : undefined;
  }

  consumers(node: GraphNode): readonly GraphNode[] {
    return this.#consumers.get(node.outputs[0] ?? '') ?? [];
  }

  /** The only one that takes what a node gives, if it is of this type. */
  onlyConsumer(node: GraphNode, type: string): GraphNode | undefined {
    const [first, ...others] = this.consumers(node);
    const isOutput = this.#model.outputs.includes(node.outputs[0] ?? '');
    return others.length === 0 && !isOutput && first?.type === type ? first : undefined;
  }

  /** The nodes that make `to` of `from` and constants, in order; undefined when others read anything in between. */
  between(from: readonly string[], to: string): readonly GraphNode[] | undefined {
    const found = new Set<GraphNode>();
    const visit = (name: string): void => {
      const node = this.#producers.get(name);
      if (node === undefined || from.includes(name) || this.constant(name) !== undefined) return;
      node.inputs.forEach(visit);
      found.add(node);
    };
    visit(to);
    const inner = [...found].filter(({ outputs }) => outputs[0] !== to);
    const isOwn = inner.every((node) => this.consumers(node).every((reader) => found.has(reader)));
    return isOwn ? [...found] : undefined;
  }

  constant(name: string | undefined): GraphTensor | undefined {
    const node = this.#producers.get(name ?? '');
    if (node?.type === 'Identity') return this.constant(node.inputs[0]);
    return node === undefined ? this.#model.initializers.get(name ?? '') : node.tensor;
  }

  /** A constant's only number. */
  scalar(name: string | undefined): number | undefined {
    const values = this.constant(name)?.values;
    return values?.length === 1 ? values[0] : undefined;
  }

  /** The same for values that are the same by how they are made: exports make the mask anew in each layer. */
  identity(name: string): string {
    const values = this.constant(name)?.values;
    if (values !== undefined) return `[${values.join()}]`;
    const node = this.producer(name, 'Where');
    return node === undefined ? name : `Where(${node.inputs.map((input) => this.identity(input)).join()})`;
  }
}
