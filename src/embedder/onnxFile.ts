/**
 * Reads and writes what an ONNX file says about its graph, leaving everything else as the bytes it came in.
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3, wire format: https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** One field of a message: its number, its content, and all of it with its key. */
interface Field {
  readonly number: number;
  readonly value: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

export interface GraphNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers and lists of integers by name. */
  readonly integers: ReadonlyMap<string, readonly number[]>;
  readonly hasSubgraph: boolean;
  /** Only of a `Constant`. */
  readonly tensor: GraphTensor | undefined;
  /** The encoded node. */
  readonly bytes: Uint8Array;
}

/** A constant of the graph. */
export interface GraphTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** Number of the element type: 1 float32, 7 int64, 10 float16. */
  readonly type: number;
  /** Values of up to eight elements of float32 or int64, stored inline; else undefined. */
  readonly values: readonly number[] | undefined;
}

const MOST_VALUES = 8;
const FLOAT32 = 1;
const INT64 = 7;
const EXTERNAL = 1;
/** Smaller weights stay in the model: the engine wants some of them at hand while it loads. */
const LEAST_APART_BYTES = 4096;

/** The parts of a model's file. */
export interface OnnxFile {
  readonly nodes: readonly GraphNode[];
  readonly initializers: ReadonlyMap<string, GraphTensor>;
  readonly outputs: readonly string[];
  /** Version of the operators by domain; the usual ones are of domain ''. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Weights lie in files of their own. */
  readonly isSplit: boolean;
  /**
   * Encodes the model with other nodes and further operator sets. Large weights are not in it: it tells where they lie in the file
   * of this name, so that nobody copies them.
   */
  encode(nodes: readonly Uint8Array[], opsets: Readonly<Record<string, number>>, fileName: string): Uint8Array;
}

/** @throws RangeError for bytes that are no protocol buffer. */
export function readOnnxFile(file: Uint8Array): OnnxFile {
  const model = [...readFields(file)];
  const graph = model.filter(({ number }) => number === 7).flatMap(({ content }) => [...readFields(content)]);
  const of = (number: number): readonly Field[] => graph.filter((field) => field.number === number);
  const tensors = of(5).map(({ content }) => readTensor(content));
  const opsets = model
    .filter(({ number }) => number === 8)
    .map(({ content }) => {
      const fields = [...readFields(content)];
      return [text(fields, 1), fields.find(({ number }) => number === 2)?.value ?? 0] as const;
    });
  return {
    nodes: of(1).map(({ content }) => readNode(content)),
    initializers: new Map(tensors.map(({ tensor }) => [tensor.name, tensor])),
    outputs: of(12).map(({ content }) => text([...readFields(content)], 1)),
    opsets: new Map(opsets),
    isSplit: tensors.some(({ isExternal }) => isExternal),
    encode: (nodes, added, fileName) => {
      const others = graph
        .filter(({ number }) => number !== 1)
        .map((field) => (field.number === 5 ? weightIn(file, fileName, field) : field.raw));
      const changed = [...nodes.map((node) => message(1, [node])), ...others];
      const rest = model.filter(({ number }) => number !== 7).map(({ raw }) => raw);
      const sets = Object.entries(added).map(([domain, version]) =>
        message(8, [string(1, domain), integer(2, version)]),
      );
      return concat([...rest, ...sets, message(7, changed)]);
    },
  };
}

/** An initializer that says where in the file its values are, when they are many. */
function weightIn(file: Uint8Array, fileName: string, { content, raw }: Field): Uint8Array {
  const fields = [...readFields(content)];
  const values = fields.find(({ number }) => number === 9)?.content;
  if (values === undefined || values.length < LEAST_APART_BYTES) return raw;
  const entry = (key: string, value: string): Uint8Array => message(13, [string(1, key), string(2, value)]);
  return message(5, [
    ...fields.filter(({ number }) => number !== 9).map((field) => field.raw),
    entry('location', fileName),
    entry('offset', String(values.byteOffset - file.byteOffset)),
    entry('length', String(values.length)),
    integer(14, EXTERNAL),
  ]);
}

/** An attribute of a new node. */
export type NewAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly graph: NewGraph };

/** A graph within a node, without inputs and with one output of float32. */
export interface NewGraph {
  readonly nodes: readonly Uint8Array[];
  readonly output: string;
}

export interface NewNode {
  readonly type: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, NewAttribute>>;
}

export function encodeNode({ type, domain = '', inputs, output, attributes = {} }: NewNode): Uint8Array {
  return concat([
    ...inputs.map((name) => string(1, name)),
    string(2, output),
    string(3, `tessera/${output}`),
    string(4, type),
    ...Object.entries(attributes).map(([name, attribute]) =>
      message(5, [string(1, name), ...attributeFields(attribute)]),
    ),
    ...(domain === '' ? [] : [string(7, domain)]),
  ]);
}

/** A node that gives these int64 numbers. */
export function encodeConstant(output: string, integers: readonly number[]): Uint8Array {
  const data = BigInt64Array.from(integers, (value) => BigInt(value));
  const tensor = [integer(1, integers.length), integer(2, INT64), bytes(9, new Uint8Array(data.buffer))];
  return concat([
    string(2, output),
    string(3, `tessera/${output}`),
    string(4, 'Constant'),
    message(5, [string(1, 'value'), message(5, tensor), integer(20, 4)]),
  ]);
}

function attributeFields(attribute: NewAttribute): Uint8Array[] {
  if ('int' in attribute) return [integer(3, attribute.int), integer(20, 2)];
  if ('float' in attribute) {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setFloat32(0, attribute.float, true);
    return [varint(2 * 8 + FIXED32), value, integer(20, 1)];
  }
  if ('ints' in attribute) return [...attribute.ints.map((value) => integer(8, value)), integer(20, 7)];
  const { nodes, output } = attribute.graph;
  const floats = message(2, [message(1, [integer(1, FLOAT32)])]);
  const graph = [
    ...nodes.map((node) => message(1, [node])),
    string(2, output),
    message(12, [string(1, output), floats]),
  ];
  return [message(6, graph), integer(20, 5)];
}

function readNode(content: Uint8Array): GraphNode {
  const fields = [...readFields(content)];
  const all = (number: number): string[] =>
    fields.filter((field) => field.number === number).map((field) => decoder.decode(field.content));
  const integers = new Map<string, readonly number[]>();
  let hasSubgraph = false;
  let tensor: GraphTensor | undefined;
  for (const { content: attribute } of fields.filter(({ number }) => number === 5)) {
    const parts = [...readFields(attribute)];
    const numbers = parts.filter(({ number }) => number === 3 || number === 8);
    // A list may be packed into one field.
    const values = numbers.flatMap((part) => (part.content.length > 0 ? readVarints(part.content) : [part.value]));
    if (values.length > 0) integers.set(text(parts, 1), values);
    hasSubgraph ||= parts.some(({ number }) => number === 6 || number === 11);
    const value = parts.find(({ number }) => number === 5);
    if (value !== undefined) tensor = readTensor(value.content).tensor;
  }
  return {
    type: text(fields, 4),
    domain: text(fields, 7),
    inputs: all(1),
    outputs: all(2),
    integers,
    hasSubgraph,
    tensor,
    bytes: content,
  };
}

function readTensor(content: Uint8Array): { readonly tensor: GraphTensor; readonly isExternal: boolean } {
  const fields = [...readFields(content)];
  const numbers = (number: number): number[] =>
    fields
      .filter((field) => field.number === number)
      .flatMap((part) => (part.content.length > 0 ? readVarints(part.content) : [part.value]));
  const dims = numbers(1);
  const type = numbers(2)[0] ?? 0;
  const count = dims.reduce((product, size) => product * size, 1);
  const raw = fields.find(({ number }) => number === 9)?.content;
  const tensor = { name: text(fields, 8), dims, type, values: count <= MOST_VALUES ? values() : undefined };
  return { tensor, isExternal: numbers(14)[0] === EXTERNAL };

  function values(): readonly number[] | undefined {
    if (type === INT64 && raw === undefined) return numbers(7);
    if (raw === undefined) return undefined;
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    if (type === FLOAT32) return Array.from({ length: count }, (_, index) => view.getFloat32(4 * index, true));
    if (type === INT64) return Array.from({ length: count }, (_, index) => Number(view.getBigInt64(8 * index, true)));
    return undefined;
  }
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function text(fields: readonly Field[], number: number): string {
  const field = fields.find((one) => one.number === number);
  return field === undefined ? '' : decoder.decode(field.content);
}

const NOTHING: Uint8Array = new Uint8Array(0);

function* readFields(content: Uint8Array): Generator<Field> {
  let at = 0;
  const next = (): number => {
    // Negative numbers take ten bytes and wrap at 64 bits.
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = content[at++];
      if (byte === undefined) throw new RangeError('A field ends too early.');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < content.length) {
    const start = at;
    const key = next();
    const wire = key & 7;
    let value = 0;
    let own = NOTHING;
    if (wire === VARINT) value = next();
    else {
      const length = wire === BYTES ? next() : wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : -1;
      if (length < 0 || at + length > content.length) throw new RangeError(`A field of kind ${wire} cannot be read.`);
      own = content.subarray(at, at + length);
      at += length;
    }
    yield { number: key >>> 3, value, content: own, raw: content.subarray(start, at) };
  }
}

function readVarints(content: Uint8Array): number[] {
  const numbers: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of content) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    numbers.push(Number(BigInt.asIntN(64, value)));
    value = 0n;
    shift = 0n;
  }
  return numbers;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function varint(value: number): Uint8Array {
  const parts: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) parts.push(Number(rest & 127n) + 128);
  return Uint8Array.from([...parts, Number(rest)]);
}

function integer(field: number, value: number): Uint8Array {
  return concat([varint(field * 8 + VARINT), varint(value)]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return concat([varint(field * 8 + BYTES), varint(value.length), value]);
}

function string(field: number, value: string): Uint8Array {
  return bytes(field, encoder.encode(value));
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return bytes(field, concat(parts));
}
