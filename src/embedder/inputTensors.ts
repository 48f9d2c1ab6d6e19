import { assertNever } from '../base/errors.ts';
import type { GraphPorts, InputPort, IntegerType } from './graphPorts.ts';
import { Tensor } from './onnxRuntime.ts';
import type { TextInput } from './textInput.ts';

export interface RowLayout {
  /** Tokens of each row, padding included; at least as many as the longest text has. */
  readonly length: number;
  readonly padTokenId: number;
  /** Number of a text's first position. */
  readonly firstPosition: number;
}

/** The graph's inputs for texts: rows padded on the right, or all of them in one line for a bag. */
export function buildFeeds(ports: GraphPorts, texts: readonly TextInput[], layout: RowLayout): Record<string, Tensor> {
  return Object.fromEntries(
    ports.inputs.map((port) => [port.name, ports.isBag ? bagTensor(port, texts) : paddedTensor(port, texts, layout)]),
  );
}

function paddedTensor(port: InputPort, texts: readonly TextInput[], layout: RowLayout): Tensor {
  const { length, padTokenId, firstPosition } = layout;
  const count = texts.length;
  const dims = [count, length];
  switch (port.kind) {
    case 'ids':
      return integers(port.type, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, padTokenId, ({ ids }, at) => copyNumbers(numbers, stride, ids, at));
      });
    // Padding is not in the text: its count is 0.
    case 'counts':
    case 'firsts': {
      const { kind } = port;
      return integers(port.type, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, 0, (text, at) => copyNumbers(numbers, stride, text[kind], at));
      });
    }
    case 'mask':
      return integers(port.type, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, 0, ({ ids }, at) => {
          fillNumbers(numbers, stride, at, ids.length, 1);
        });
      });
    case 'floatMask': {
      const mask = new Float32Array(count * length);
      texts.forEach(({ ids }, row) => mask.fill(1, row * length, row * length + ids.length));
      return new Tensor('float32', mask, dims);
    }
    case 'types':
      return integers(port.type, dims, () => undefined);
    case 'positions': {
      // Padding keeps the position before the first where there is one, as RoBERTa has it.
      const padding = Math.max(0, firstPosition - 1);
      return integers(port.type, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, padding, ({ ids }, at) => {
          for (let token = 0; token < ids.length; token++) numbers[at + token * stride] = firstPosition + token;
        });
      });
    }
    case 'past': {
      const pastDims = [count, port.heads, 0, port.size];
      return port.type === 'float32'
        ? new Tensor('float32', new Float32Array(0), pastDims)
        : new Tensor('float16', new Uint16Array(0), pastDims);
    }
    case 'useCache':
      return new Tensor('bool', [false], [1]);
    case 'offsets':
      return integers(port.type, [count], () => undefined);
    default:
      return assertNever(port);
  }
}

function bagTensor(port: InputPort, texts: readonly TextInput[]): Tensor {
  const total = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  const isNumbered = port.kind === 'ids' || port.kind === 'counts' || port.kind === 'firsts';
  const type = isNumbered || port.kind === 'offsets' ? port.type : 'int64';
  if (port.kind === 'offsets') {
    return integers(type, [texts.length], (numbers, stride) => {
      let offset = 0;
      texts.forEach(({ ids }, row) => {
        numbers[row * stride] = offset;
        offset += ids.length;
      });
    });
  }
  return integers(type, [total], (numbers, stride) => {
    let at = 0;
    for (const text of texts) {
      if (isNumbered) copyNumbers(numbers, stride, text[port.kind], at);
      else fillNumbers(numbers, stride, at, text.ids.length, 1);
      at += text.ids.length * stride;
    }
  });
}

/**
 * A tensor of non-negative whole numbers below 2³¹. 64-bit ones are written as the lower halves of zeroed words, since
 * making a BigInt for each token costs more than all the rest. Every machine ONNX Runtime runs on is little-endian.
 */
function integers(
  type: IntegerType,
  dims: readonly number[],
  fill: (numbers: Int32Array, stride: number) => void,
): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (type === 'int32') {
    const numbers = new Int32Array(size);
    fill(numbers, 1);
    return new Tensor('int32', numbers, dims);
  }
  const words = new BigInt64Array(size);
  fill(new Int32Array(words.buffer), 2);
  return new Tensor('int64', words, dims);
}

/** Has each text's numbers written from the place its row begins at, and fills the rest of the row. */
function fillRows(
  numbers: Int32Array,
  stride: number,
  texts: readonly TextInput[],
  length: number,
  padding: number,
  write: (text: TextInput, at: number) => void,
): void {
  texts.forEach((text, row) => {
    const at = row * length * stride;
    write(text, at);
    // New tensors hold zeros.
    if (padding !== 0) fillNumbers(numbers, stride, at + text.ids.length * stride, length - text.ids.length, padding);
  });
}

// Plain loops over one kind of array: a look-up takes a third of a microsecond a token, and a function called for each a tenth of that.

function copyNumbers(numbers: Int32Array, stride: number, source: Int32Array, start: number): void {
  for (let token = 0, at = start; token < source.length; token++, at += stride) numbers[at] = source[token] ?? 0;
}

function fillNumbers(numbers: Int32Array, stride: number, start: number, count: number, value: number): void {
  const end = start + count * stride;
  for (let at = start; at < end; at += stride) numbers[at] = value;
}
