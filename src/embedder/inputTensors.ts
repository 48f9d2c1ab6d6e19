import { TesseraError, assertNever } from '../base/errors.ts';
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

/**
 * Memory of a graph's inputs, used again by run after run. Arrays made for each are outside the engine's heap, and what they add up to has it collect
 * garbage, beside the runs and at their cost: with look-ups after every hundred.
 */
export class InputMemory {
  readonly #buffers = new Map<string, ArrayBuffer>();

  /** At least so many bytes for an input. What an earlier run wrote is still there. */
  take(name: string, bytes: number): ArrayBuffer {
    const known = this.#buffers.get(name);
    if (known !== undefined && known.byteLength >= bytes) return known;
    const buffer = new ArrayBuffer(2 ** Math.ceil(Math.log2(Math.max(LEAST_BYTES, bytes))));
    this.#buffers.set(name, buffer);
    return buffer;
  }
}

const LEAST_BYTES = 64;

/** The graph's inputs for texts: rows padded on the right, or all of them in one line for a bag. They are good until `memory` is used again. */
export function buildFeeds(
  ports: GraphPorts,
  texts: readonly TextInput[],
  layout: RowLayout,
  memory: InputMemory,
): Record<string, Tensor> {
  return Object.fromEntries(
    ports.inputs.map((port) => [
      port.name,
      ports.isBag ? bagTensor(port, texts, memory) : paddedTensor(port, texts, layout, memory),
    ]),
  );
}

function paddedTensor(port: InputPort, texts: readonly TextInput[], layout: RowLayout, memory: InputMemory): Tensor {
  const { length, padTokenId, firstPosition } = layout;
  const count = texts.length;
  const dims = [count, length];
  switch (port.kind) {
    case 'ids':
      return integers(memory, port, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, padTokenId, ({ ids }, at) => copyNumbers(numbers, stride, ids, at));
      });
    // Padding is not in the text: its count is 0.
    case 'counts':
    case 'firsts': {
      const { kind } = port;
      return integers(memory, port, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, 0, (text, at) => copyNumbers(numbers, stride, text[kind], at));
      });
    }
    case 'mask':
      return integers(memory, port, dims, (numbers, stride) => {
        fillRows(numbers, stride, texts, length, 0, ({ ids }, at) => {
          fillNumbers(numbers, stride, at, ids.length, 1);
        });
      });
    case 'floatMask': {
      const size = count * length;
      const mask = new Float32Array(memory.take(port.name, size * Float32Array.BYTES_PER_ELEMENT), 0, size);
      texts.forEach(({ ids }, row) => {
        const start = row * length;
        mask.fill(1, start, start + ids.length).fill(0, start + ids.length, start + length);
      });
      return new Tensor('float32', mask, dims);
    }
    case 'types':
      return integers(memory, port, dims, (numbers) => numbers.fill(0));
    case 'positions': {
      // Padding keeps the position before the first where there is one, as RoBERTa has it.
      const padding = Math.max(0, firstPosition - 1);
      return integers(memory, port, dims, (numbers, stride) => {
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
      return integers(memory, port, [count], (numbers) => numbers.fill(0));
    default:
      return assertNever(port);
  }
}

function bagTensor(port: InputPort, texts: readonly TextInput[], memory: InputMemory): Tensor {
  const total = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  switch (port.kind) {
    case 'offsets':
      return integers(memory, port, [texts.length], (numbers, stride) => {
        let offset = 0;
        texts.forEach(({ ids }, row) => {
          numbers[row * stride] = offset;
          offset += ids.length;
        });
      });
    case 'ids':
    case 'counts':
    case 'firsts': {
      const { kind } = port;
      return integers(memory, port, [total], (numbers, stride) => {
        let at = 0;
        for (const text of texts) {
          copyNumbers(numbers, stride, text[kind], at);
          at += text.ids.length * stride;
        }
      });
    }
    case 'mask':
      return integers(memory, port, [total], (numbers, stride) => fillNumbers(numbers, stride, 0, total, 1));
    case 'types':
      return integers(memory, port, [total], (numbers) => numbers.fill(0));
    // Graphs that want these are refused when they are opened.
    case 'floatMask':
    case 'positions':
    case 'past':
    case 'useCache':
      throw new TesseraError('internal', `A bag has no input ${port.name}.`);
    default:
      return assertNever(port);
  }
}

/**
 * A tensor of non-negative whole numbers below 2³¹, all of which `fill` has to write. 64-bit ones are written as the lower halves of words whose
 * upper ones stay zero, since making a BigInt for each token costs more than all the rest. Every machine ONNX Runtime runs on is little-endian.
 */
function integers(
  memory: InputMemory,
  { name, type }: { readonly name: string; readonly type: IntegerType },
  dims: readonly number[],
  fill: (numbers: Int32Array, stride: number) => void,
): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const stride = type === 'int32' ? 1 : 2;
  const buffer = memory.take(name, stride * size * Int32Array.BYTES_PER_ELEMENT);
  const numbers = new Int32Array(buffer, 0, stride * size);
  fill(numbers, stride);
  return type === 'int32'
    ? new Tensor('int32', numbers, dims)
    : new Tensor('int64', new BigInt64Array(buffer, 0, size), dims);
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
    fillNumbers(numbers, stride, at + text.ids.length * stride, length - text.ids.length, padding);
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
