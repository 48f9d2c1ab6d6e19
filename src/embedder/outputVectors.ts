import type { Tensor } from 'onnxruntime-node';
import { TesseraError } from '../base/errors.ts';
import type { RunOutput } from '../embedding/pooling.ts';

/** Every half-precision number by its bits; built when the first such output is met. */
let halves: Float32Array | undefined;

/**
 * A graph's output as single-precision numbers. Scales of whole-number outputs are left alone: vectors are brought to
 * unit length afterwards.
 *
 * @param zeroPoint What stands for 0 in unsigned bytes.
 * @throws TesseraError `model-unsupported` for other types, `model-invalid` for other ranks.
 */
export function readOutput(tensor: Tensor, name: string, zeroPoint: number): RunOutput {
  const { dims } = tensor;
  const [count, second, third] = dims;
  const values = toFloats(tensor, name, zeroPoint);
  if (dims.length === 2 && count !== undefined && second !== undefined)
    return { values, count, length: 1, width: second };
  if (dims.length === 3 && count !== undefined && second !== undefined && third !== undefined) {
    return { values, count, length: second, width: third };
  }
  throw new TesseraError(
    'model-invalid',
    `The model’s output ${name} has ${dims.length} dimensions; 2 or 3 were expected.`,
    {
      details: { output: name, rank: dims.length },
    },
  );
}

function toFloats(tensor: Tensor, name: string, zeroPoint: number): Float32Array {
  const { data, type } = tensor;
  if (data instanceof Float32Array) return data;
  if (type === 'float16') return fromHalves(data as ArrayBufferView);
  if (data instanceof Int8Array || data instanceof Float64Array) return Float32Array.from(data);
  if (data instanceof Uint8Array) return Float32Array.from(data, (value) => value - zeroPoint);
  throw new TesseraError(
    'model-unsupported',
    `The model’s output ${name} has the type ${type}, which is not supported.`,
    {
      details: { output: name, type },
    },
  );
}

/** The runtime gives `Uint16Array`, or `Float16Array` where the engine has one; the bits are the same. */
function fromHalves(data: ArrayBufferView): Float32Array {
  const bits = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const table = (halves ??= halfTable());
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i] ?? 0] ?? 0;
  return values;
}

/** IEEE 754 binary16: 1 bit sign, 5 exponent, 10 fraction. */
function halfTable(): Float32Array {
  return Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const sign = bits >> 15 === 0 ? 1 : -1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
