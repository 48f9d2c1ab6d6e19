/** How the bytes of a file are to be read as text. */
export type Encoding = 'utf8' | 'utf16le' | 'utf16be' | 'windows1252';

export type EncodingGuess =
  | { readonly kind: 'text'; readonly encoding: Encoding }
  /** No text at all. `detail` is a clause for a person. */
  | { readonly kind: 'binary'; readonly detail: string }
  /** Text, most likely, in an encoding that cannot be told from others. */
  | { readonly kind: 'unsupported'; readonly detail: string };

/**
 * Tells text from binary and finds its encoding: a byte order mark, else NULs in every other byte (UTF-16), else UTF-8 when
 * it is valid, else Windows-1252 when few enough bytes are outside ASCII that a wrong guess spoils no more than some letters.
 * `isUtf8` says whether all of it is valid UTF-8, which the caller's platform knows to tell many times faster.
 */
export function guessEncoding(bytes: Uint8Array, isUtf8: boolean): EncodingGuess {
  if (startsWith(bytes, [0xff, 0xfe, 0, 0]) || startsWith(bytes, [0, 0, 0xfe, 0xff])) {
    return { kind: 'unsupported', detail: 'UTF-32' };
  }
  if (startsWith(bytes, [0xff, 0xfe])) return { kind: 'text', encoding: 'utf16le' };
  if (startsWith(bytes, [0xfe, 0xff])) return { kind: 'text', encoding: 'utf16be' };
  const magic = MAGIC.find((entry) => startsWith(bytes, entry.bytes));
  if (magic !== undefined) return { kind: 'binary', detail: magic.what };
  if (bytes.includes(0)) return guessWithNul(bytes);

  const sample = bytes.subarray(0, SAMPLE_BYTES);
  let control = 0;
  for (let index = 0; index < sample.length; index++) if (isControl(sample[index] ?? 0)) control++;
  if (control > sample.length * MAX_CONTROL_SHARE) return { kind: 'binary', detail: 'control characters throughout' };
  if (isUtf8) return { kind: 'text', encoding: 'utf8' };
  const counts = countUtf8(bytes);
  // A few broken bytes in a file of good UTF-8 (a truncated file, a test's data) are a damaged UTF-8 file.
  if (counts.invalid * 10 < counts.multibyte) return { kind: 'text', encoding: 'utf8' };
  if (counts.nonAscii > bytes.length * MAX_LEGACY_SHARE) {
    return { kind: 'unsupported', detail: 'neither UTF-8 nor UTF-16, and mostly outside ASCII' };
  }
  return { kind: 'text', encoding: 'windows1252' };
}

/** Enough to tell binary from text. */
const SAMPLE_BYTES = 8192;
/** Terminals' escape sequences in a log stay below this, compressed data is far above: 27 of 256 byte values are controls. */
const MAX_CONTROL_SHARE = 0.05;
/** Western European prose has 2–10 % of its letters outside ASCII; Cyrillic, Greek, Chinese or Japanese ones more than half. */
const MAX_LEGACY_SHARE = 0.25;

/** UTF-16 without a byte order mark has its NULs in one half of the byte pairs; anything else with a NUL is binary. */
function guessWithNul(bytes: Uint8Array): EncodingGuess {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  let [even, odd] = [0, 0];
  for (let index = 0; index < sample.length; index++) {
    if (sample[index] !== 0) continue;
    if (index % 2 === 0) even++;
    else odd++;
  }
  const pairs = sample.length / 2;
  if (bytes.length % 2 === 0 && odd > pairs * 0.5 && even < pairs * 0.02) return checkUtf16(sample, 0, 'utf16le');
  if (bytes.length % 2 === 0 && even > pairs * 0.5 && odd < pairs * 0.02) return checkUtf16(sample, 1, 'utf16be');
  return { kind: 'binary', detail: 'holds NUL bytes' };
}

/** Small numbers in a binary table look like UTF-16 too, but they are control characters. `low` is the offset of the low byte. */
function checkUtf16(sample: Uint8Array, low: 0 | 1, encoding: 'utf16le' | 'utf16be'): EncodingGuess {
  let control = 0;
  for (let index = 0; index + 1 < sample.length; index += 2) {
    if (sample[index + 1 - low] === 0 && isControl(sample[index + low] ?? 0)) control++;
  }
  if (control > (sample.length / 2) * MAX_CONTROL_SHARE) return { kind: 'binary', detail: 'holds NUL bytes' };
  return { kind: 'text', encoding };
}

interface Utf8Counts {
  /** Well-formed sequences of two bytes and more. */
  readonly multibyte: number;
  /** Bytes that belong to no well-formed sequence. */
  readonly invalid: number;
  readonly nonAscii: number;
}

function countUtf8(bytes: Uint8Array): Utf8Counts {
  let [multibyte, invalid, nonAscii] = [0, 0, 0];
  for (let index = 0; index < bytes.length;) {
    const lead = bytes[index] ?? 0;
    if (lead < 0x80) {
      index++;
      continue;
    }
    const length = sequenceLength(bytes, index, lead);
    if (length === 0) {
      invalid++;
      nonAscii++;
      index++;
    } else {
      multibyte++;
      nonAscii += length;
      index += length;
    }
  }
  return { multibyte, invalid, nonAscii };
}

/** Bytes of the well-formed sequence at `index`, 0 when it is none (Unicode 17, table 3-7). */
function sequenceLength(bytes: Uint8Array, index: number, lead: number): number {
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const second = bytes[index + 1] ?? 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let offset = 2; offset < length; offset++) {
    if (((bytes[index + offset] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Control characters that no text has: all but backspace, tab, line feed, vertical tab, form feed, carriage return and escape. */
function isControl(code: number): boolean {
  return code < 0x20 ? !(code >= 8 && code <= 13) && code !== 0x1b : code === 0x7f;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte);
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** Formats that may have an innocent name, or none, and hold no NUL at their start. */
const MAGIC: readonly { readonly bytes: readonly number[]; readonly what: string }[] = [
  { bytes: [0x89, ...ascii('PNG')], what: 'PNG image' },
  { bytes: ascii('GIF8'), what: 'GIF image' },
  { bytes: [0xff, 0xd8, 0xff], what: 'JPEG image' },
  { bytes: ascii('%PDF-'), what: 'PDF document' },
  { bytes: [...ascii('PK'), 3, 4], what: 'ZIP archive' },
  { bytes: [0x1f, 0x8b], what: 'gzip archive' },
  { bytes: [...ascii('7z'), 0xbc, 0xaf], what: '7-Zip archive' },
  { bytes: [0xfd, ...ascii('7zXZ')], what: 'xz archive' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: 'Zstandard archive' },
  { bytes: ascii('BZh9'), what: 'bzip2 archive' },
  { bytes: [0x7f, ...ascii('ELF')], what: 'compiled program' },
  { bytes: ascii('!<arch>\n'), what: 'static library' },
  { bytes: [0xca, 0xfe, 0xba, 0xbe], what: 'compiled program' },
  { bytes: ascii('wOF2'), what: 'font' },
  { bytes: ascii('OggS'), what: 'audio or video' },
  { bytes: ascii('SQLite format 3'), what: 'SQLite database' },
  { bytes: ascii('version https://git-lfs'), what: 'pointer to a file in Git LFS' },
];
