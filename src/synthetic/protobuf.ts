/**
 * Writes protocol buffers: just what an ONNX file needs. Large byte fields are kept as they are and copied once, at the end.
 * Wire format: https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];
  #byteLength = 0;

  /** Field of type int64, int32 or enum. */
  integer(field: number, value: number): this {
    this.#push(varint(field * 8));
    this.#push(varint(value));
    return this;
  }

  float(field: number, value: number): this {
    this.#push(varint(field * 8 + 5));
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#push(bytes);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#push(varint(field * 8 + 2));
    this.#push(varint(value.byteLength));
    this.#push(value);
    return this;
  }

  /** ASCII only: names and operator types. */
  string(field: number, value: string): this {
    return this.bytes(
      field,
      Uint8Array.from(value, (character) => character.charCodeAt(0)),
    );
  }

  message(field: number, value: ProtobufWriter): this {
    this.#push(varint(field * 8 + 2));
    this.#push(varint(value.#byteLength));
    for (const part of value.#parts) this.#push(part);
    return this;
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#byteLength);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.byteLength;
    }
    return result;
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#byteLength += part.byteLength;
  }
}

function varint(value: number): Uint8Array {
  if (value < 0) return negativeVarint(value);
  const bytes: number[] = [];
  let rest = value;
  // Arithmetic instead of shifts: sizes may pass 2^31.
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Ten bytes of two's complement, as int64 wants. */
function negativeVarint(value: number): Uint8Array {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Uint8Array.from({ length: 10 }, (_, index) => {
    const low = Number((bits >> BigInt(7 * index)) & 127n);
    return index < 9 ? low + 128 : low;
  });
}
