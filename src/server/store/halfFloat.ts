/**
 * IEEE 754 half precision, in which vectors are stored: half the disk and half the time of a flat search, for an error of
 * about 2⁻¹¹ per component of a unit vector. Written out because `Float16Array` is newer than the oldest runtime supported.
 */
const floatView = new Float32Array(1);
const bitsView = new Uint32Array(floatView.buffer);

/** Rounds to the nearest half, ties to even. Values beyond ±65504 become infinities. */
export function toHalf(value: number): number {
  floatView[0] = value;
  const bits = bitsView[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const halfExponent = exponent - 112;
  if (halfExponent >= 31) return sign | 0x7c00;
  if (halfExponent <= 0) {
    if (halfExponent < -10) return sign;
    return sign | shiftRounded(fraction | 0x800000, 14 - halfExponent);
  }
  // A carry out of the fraction moves into the exponent, as it should.
  return sign | ((halfExponent << 10) + shiftRounded(fraction, 13));
}

function shiftRounded(value: number, by: number): number {
  const quotient = value >>> by;
  const rest = value & ((1 << by) - 1);
  const half = 1 << (by - 1);
  return rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient;
}

let halfValues: Float32Array | undefined;

/** Values of all 65,536 halves: 256 KiB, made on first use. */
function tableOfHalves(): Float32Array {
  if (halfValues !== undefined) return halfValues;
  const table = new Float32Array(65_536);
  for (let half = 0; half < table.length; half++) {
    const sign = (half & 0x8000) === 0 ? 1 : -1;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 0) table[half] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[half] = fraction === 0 ? sign * Infinity : NaN;
    else table[half] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  halfValues = table;
  return table;
}

/** The smallest and the first too large single whose half is a normal number, by their bits without the sign. */
const FIRST_NORMAL = 113 << 23;
const FIRST_NOT_NORMAL = 143 << 23;
/** Difference of the two exponents' biases, in a single's bits. */
const REBIASED = 112 << 23;

/** Writes `source` as halves into `target` from `offset`, each as `toHalf` does. */
export function writeHalves(source: Float32Array, target: Uint16Array, offset: number): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let at = 0; at < source.length; at++) {
    const own = bits[at] ?? 0;
    const size = own & 0x7fffffff;
    // Nearly all components of a vector: no branch but this one. Half of the last place is added, a tie's only where that makes it even.
    target[offset + at] =
      size >= FIRST_NORMAL && size < FIRST_NOT_NORMAL
        ? ((own >>> 16) & 0x8000) | ((size - REBIASED + 0xfff + ((size >>> 13) & 1)) >>> 13)
        : toHalf(source[at] ?? 0);
  }
}

/** Reads `target.length` halves of `source` from `offset`. */
export function readHalves(source: Uint16Array, offset: number, target: Float32Array): void {
  const table = tableOfHalves();
  for (let at = 0; at < target.length; at++) target[at] = table[source[offset + at] ?? 0] ?? 0;
}
