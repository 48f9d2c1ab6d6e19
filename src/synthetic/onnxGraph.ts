import { ProtobufWriter } from './protobuf.ts';

/** Element types with their numbers in onnx.proto3. */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export interface TensorData {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Little-endian elements, row-major. */
  readonly bytes: Uint8Array;
}

/** A size that is known, or the name of one that varies (`batch`). */
export type Dimension = number | string;
/** The name of a tensor in the graph. */
export type Value = string;

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

const IR_VERSION = 8;
/** 17 brings LayerNormalization as one operator. */
const OPSET = 17;

/** Builds one ONNX graph, operator by operator; `encode` gives the file. */
export class OnnxGraph {
  readonly #graph = new ProtobufWriter();
  #names = 0;

  input(name: string, type: ElementType, dims: readonly Dimension[]): Value {
    this.#graph.message(11, valueInfo(name, type, dims));
    return name;
  }

  /** Makes `value` an output of the graph, under this name. */
  output(name: string, value: Value, type: ElementType, dims: readonly Dimension[]): void {
    this.#node('Identity', [value], [name], {}, '');
    this.#graph.message(12, valueInfo(name, type, dims));
  }

  constant(tensor: TensorData): Value {
    const name = this.#name('c');
    const message = new ProtobufWriter();
    for (const size of tensor.dims) message.integer(1, size);
    message.integer(2, ELEMENT_TYPES[tensor.type]).string(8, name).bytes(9, tensor.bytes);
    this.#graph.message(5, message);
    return name;
  }

  float(values: Float32Array | readonly number[], dims: readonly number[]): Value {
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    return this.constant({
      type: 'float32',
      dims,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
  }

  scalar(value: number): Value {
    return this.float([value], []);
  }

  integers(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    const data = BigInt64Array.from(values, (value) => BigInt(value));
    return this.constant({ type: 'int64', dims, bytes: new Uint8Array(data.buffer) });
  }

  /** Adds an operator with one output, and returns that. */
  op(type: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}, domain = ''): Value {
    return this.ops(type, inputs, 1, attributes, domain)[0] ?? '';
  }

  /** Adds an operator with several outputs. */
  ops(
    type: string,
    inputs: readonly Value[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): readonly Value[] {
    const names = Array.from({ length: outputs }, () => this.#name('v'));
    this.#node(type, inputs, names, attributes, domain);
    return names;
  }

  cast(value: Value, type: ElementType): Value {
    return this.op('Cast', [value], { to: { int: ELEMENT_TYPES[type] } });
  }

  encode(): Uint8Array {
    this.#graph.string(2, 'tessera');
    return new ProtobufWriter()
      .integer(1, IR_VERSION)
      .string(2, 'tessera')
      .message(7, this.#graph)
      .message(8, new ProtobufWriter().string(1, '').integer(2, OPSET))
      .message(8, new ProtobufWriter().string(1, 'com.microsoft').integer(2, 1))
      .finish();
  }

  #name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  #node(
    type: string,
    inputs: readonly Value[],
    outputs: readonly Value[],
    attributes: Readonly<Record<string, Attribute>>,
    domain: string,
  ): void {
    const node = new ProtobufWriter();
    for (const input of inputs) node.string(1, input);
    for (const output of outputs) node.string(2, output);
    node.string(3, this.#name('n')).string(4, type);
    for (const [name, attribute] of Object.entries(attributes)) node.message(5, attributeMessage(name, attribute));
    if (domain !== '') node.string(7, domain);
    this.#graph.message(1, node);
  }
}

function attributeMessage(name: string, attribute: Attribute): ProtobufWriter {
  const message = new ProtobufWriter().string(1, name);
  if ('int' in attribute) return message.integer(3, attribute.int).integer(20, 2);
  if ('float' in attribute) return message.float(2, attribute.float).integer(20, 1);
  if ('string' in attribute) return message.string(4, attribute.string).integer(20, 3);
  for (const value of attribute.ints) message.integer(8, value);
  return message.integer(20, 7);
}

function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const size of dims) {
    const dimension = new ProtobufWriter();
    shape.message(1, typeof size === 'number' ? dimension.integer(1, size) : dimension.string(2, size));
  }
  const tensorType = new ProtobufWriter().integer(1, ELEMENT_TYPES[type]).message(2, shape);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensorType));
}
