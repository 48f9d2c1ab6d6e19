import type { Scope } from '../protocol/scope.ts';
import { ChunkEntry, IndexSegment, fileEntry } from './chunkIndex.ts';
import { LexicalSegment } from './lexicalSegment.ts';
import { VectorMatrix } from './vectorMatrix.ts';

// In every engine Tessera runs in; the pure layers are compiled without the types of any.
declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> };
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

/** To be raised with every change of what a segment is made of: words, stems, weights of file means, fields, this layout. A test tells. */
export const IMAGE_FORMAT = 1;

/** A segment, and for each of its files what the file held, in the words of whoever wrote it down; null for one that is gone. */
export interface SegmentWithContents {
  readonly segment: IndexSegment;
  readonly contents: readonly (string | null)[];
}

const SECTIONS = {
  lines: Uint32Array,
  fileStarts: Uint32Array,
  offsets: Uint32Array,
  documents: Uint32Array,
  frequencies: Uint32Array,
  bodyLengths: Uint32Array,
  chunkFiles: Uint32Array,
  rows: Int8Array,
  scales: Float32Array,
  lengths: Float32Array,
} as const;
type Section = keyof typeof SECTIONS;
type SectionArray = Uint32Array | Int8Array | Float32Array;
const SECTION_NAMES = Object.keys(SECTIONS) as Section[];

/** The part that is JSON. */
interface Header {
  readonly format: number;
  readonly space: Scope;
  /** Of the vectors; 0 when there are none. */
  readonly dimension: number;
  readonly files: readonly (readonly [path: string, scope: Scope, language: string, content: string | null])[];
  readonly chunks: readonly (readonly [id: string, symbol: string, names: readonly string[]])[];
  readonly terms: readonly string[];
  /** Values of each section. */
  readonly sizes: Readonly<Record<Section, number>>;
}

/** Sections begin at multiples of it, so that they can be read where they are. */
const ALIGNMENT = 8;

/** Bytes of a segment: length of the header (uint32, little-endian as all numbers), header (UTF-8 JSON), sections. */
export function encodeSegment({ segment, contents }: SegmentWithContents): Uint8Array<ArrayBuffer> {
  const { space, files, chunks, fileStarts, lexical, vectors } = segment;
  const { terms, offsets, documents, frequencies, bodyLengths, files: chunkFiles } = lexical.parts;
  const matrix = vectors?.parts;
  const arrays: Readonly<Record<Section, SectionArray>> = {
    lines: Uint32Array.from(chunks.flatMap(({ startLine, endLine }) => [startLine, endLine])),
    fileStarts,
    offsets,
    documents,
    frequencies,
    bodyLengths,
    chunkFiles,
    rows: matrix?.rows ?? new Int8Array(),
    scales: matrix?.scales ?? new Float32Array(),
    lengths: matrix?.lengths ?? new Float32Array(),
  };
  const header: Header = {
    format: IMAGE_FORMAT,
    space,
    dimension: vectors?.dimension ?? 0,
    files: files.map(({ path, scope, language }, number) => [path, scope, language, contents[number] ?? null]),
    chunks: chunks.map(({ id, symbol, names }) => [id, symbol, names]),
    terms: [...terms.keys()],
    sizes: Object.fromEntries(SECTION_NAMES.map((name) => [name, arrays[name].length])) as Header['sizes'],
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  let length = aligned(4 + json.length);
  for (const name of SECTION_NAMES) length += aligned(arrays[name].byteLength);
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  let at = aligned(4 + json.length);
  for (const name of SECTION_NAMES) {
    const { buffer, byteOffset, byteLength } = arrays[name];
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += aligned(byteLength);
  }
  return bytes;
}

/**
 * The segment of these bytes, whose arrays it goes on to use; undefined when they are of another format.
 *
 * @param bytes at a multiple of 8 in their buffer
 * @throws Error when they are no segment; that they are whole is for the caller to know
 */
export function decodeSegment(bytes: Uint8Array<ArrayBuffer>): SegmentWithContents | undefined {
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const json = new TextDecoder().decode(bytes.subarray(4, 4 + headerLength));
  const header = JSON.parse(json) as Header;
  if (header.format !== IMAGE_FORMAT) return undefined;
  let at = aligned(4 + headerLength);
  const arrays = {} as Record<Section, SectionArray>;
  for (const name of SECTION_NAMES) {
    const array = new SECTIONS[name](bytes.buffer, bytes.byteOffset + at, header.sizes[name]);
    arrays[name] = array;
    at += aligned(array.byteLength);
  }
  const { lines, fileStarts, offsets, documents, frequencies, bodyLengths, chunkFiles } = arrays as Record<
    Section,
    Uint32Array
  >;
  const { rows, scales, lengths } = arrays as { rows: Int8Array; scales: Float32Array; lengths: Float32Array };
  const { terms, space, dimension } = header;
  const segment = new IndexSegment({
    space,
    files: header.files.map(([path, scope, language]) => fileEntry({ path, scope, language })),
    chunks: header.chunks.map(([id, symbol, names], number) => {
      const [startLine = 0, endLine = 0] = lines.subarray(2 * number, 2 * number + 2);
      return new ChunkEntry({ id, symbol, names, startLine, endLine });
    }),
    fileStarts,
    lexical: new LexicalSegment({
      terms: new Map(terms.map((term, number) => [term, number])),
      offsets,
      documents,
      frequencies,
      bodyLengths,
      files: chunkFiles,
    }),
    vectors: dimension === 0 ? null : new VectorMatrix(dimension, fileStarts, { rows, scales, lengths }),
  });
  const contents = header.files.map(([, , , content]) => content);
  contents.forEach((content, number) => {
    if (content === null) segment.gone.add(number);
  });
  return { segment, contents };
}

function aligned(length: number): number {
  return ALIGNMENT * Math.ceil(length / ALIGNMENT);
}
