import { forEachToken } from './identifierTokens.ts';
import { pathFields, type SearchableChunk } from './searchText.ts';

/** A chunk as the lexical index takes it; chunks of one file must follow each other. */
export interface LexicalDocument {
  /** Number of the file it belongs to; any two chunks of a file carry the same. */
  readonly file: number;
  readonly path: string;
  readonly chunk: SearchableChunk;
}

/** How often a term occurs in each field of a chunk, packed into 32 bits: body 8, the four others 6 each. Counts saturate. */
export const FIELDS = {
  body: { shift: 0, max: 255 },
  definitions: { shift: 8, max: 63 },
  enclosing: { shift: 14, max: 63 },
  stem: { shift: 20, max: 63 },
  folders: { shift: 26, max: 63 },
} as const;
export type Field = keyof typeof FIELDS;

export interface TermPostings {
  /** Chunk numbers, ascending, and what `FIELDS` says of the term there. */
  readonly documents: Uint32Array;
  readonly frequencies: Uint32Array;
}

/** What a segment is made of. Compressed rows: the postings of term `t` are those from `offsets[t]` up to `offsets[t + 1]`. */
export interface LexicalParts {
  /** In the order of their numbers. */
  readonly terms: ReadonlyMap<string, number>;
  readonly offsets: Uint32Array;
  readonly documents: Uint32Array;
  readonly frequencies: Uint32Array;
  readonly bodyLengths: Uint32Array;
  readonly files: Uint32Array;
}

const NO_POSTINGS: TermPostings = { documents: new Uint32Array(0), frequencies: new Uint32Array(0) };

/**
 * Immutable inverted index over a run of chunks (compressed rows: one array for all terms). About 8 bytes a posting
 * and one map entry a term.
 */
export class LexicalSegment {
  readonly parts: LexicalParts;
  readonly totalLength: number;

  constructor(parts: LexicalParts) {
    this.parts = parts;
    this.totalLength = parts.bodyLengths.reduce((sum, length) => sum + length, 0);
  }

  /** Words in the body of each chunk. */
  get bodyLengths(): Uint32Array {
    return this.parts.bodyLengths;
  }

  /** File number of each chunk. */
  get files(): Uint32Array {
    return this.parts.files;
  }

  /** Chunks whose own or whose file's name is this word: it starts there as a definition, or it is the file's stem. */
  named(term: string): number[] {
    const { documents, frequencies } = this.postings(term);
    return [...documents].filter((_, at) => {
      const packed = frequencies[at] ?? 0;
      return (
        ((packed >>> FIELDS.definitions.shift) & FIELDS.definitions.max) +
          ((packed >>> FIELDS.stem.shift) & FIELDS.stem.max) >
        0
      );
    });
  }

  get size(): number {
    return this.files.length;
  }

  postings(term: string): TermPostings {
    const { terms, offsets, documents, frequencies } = this.parts;
    const id = terms.get(term);
    if (id === undefined) return NO_POSTINGS;
    const from = offsets[id] ?? 0;
    const to = offsets[id + 1] ?? from;
    return { documents: documents.subarray(from, to), frequencies: frequencies.subarray(from, to) };
  }

  /** Bytes of the arrays; the map of terms comes on top (about 100 bytes a term). */
  get byteLength(): number {
    const { offsets, documents, frequencies } = this.parts;
    return offsets.byteLength + documents.byteLength + frequencies.byteLength + 8 * this.size;
  }

  get termCount(): number {
    return this.parts.terms.size;
  }
}

/** Makes a segment chunk by chunk, so that other work may come in between. */
export class LexicalSegmentBuilder {
  readonly #postings = new PostingsBuilder();
  readonly #files: number[] = [];
  readonly #bodyLengths: number[] = [];

  add(document: LexicalDocument): void {
    this.#bodyLengths.push(this.#postings.add(this.#files.length, document));
    this.#files.push(document.file);
  }

  /** To be called once. */
  finish(): LexicalSegment {
    return new LexicalSegment({
      ...this.#postings.finish(),
      bodyLengths: Uint32Array.from(this.#bodyLengths),
      files: Uint32Array.from(this.#files),
    });
  }
}

class PostingsBuilder {
  readonly #terms = new Map<string, number>();
  /** Term, chunk and frequency of each posting in order of arrival. */
  #arrivals = new Uint32Array(3 * 4096);
  #count = 0;
  #counts: number[] = [];

  /** @returns words in the body. */
  add(number: number, { path, chunk }: LexicalDocument): number {
    const found = new Map<number, number>();
    const { stem, folders } = pathFields(path);
    const bodyLength = this.#addField(found, chunk.text, 'body');
    for (const name of new Set([chunk.symbol, ...chunk.definitions])) this.#addField(found, name, 'definitions');
    for (const name of chunk.enclosing) this.#addField(found, name, 'enclosing');
    this.#addField(found, stem, 'stem');
    this.#addField(found, folders, 'folders');
    for (const [term, frequency] of found) this.#push(term, number, frequency);
    return bodyLength;
  }

  finish(): Omit<LexicalParts, 'bodyLengths' | 'files'> {
    const termCount = this.#terms.size;
    const offsets = new Uint32Array(termCount + 1);
    for (let term = 0; term < termCount; term++) offsets[term + 1] = (offsets[term] ?? 0) + (this.#counts[term] ?? 0);
    const next = offsets.slice();
    const documents = new Uint32Array(this.#count);
    const frequencies = new Uint32Array(this.#count);
    for (let at = 0; at < this.#count; at++) {
      const term = this.#arrivals[3 * at] ?? 0;
      const slot = next[term] ?? 0;
      documents[slot] = this.#arrivals[3 * at + 1] ?? 0;
      frequencies[slot] = this.#arrivals[3 * at + 2] ?? 0;
      next[term] = slot + 1;
    }
    this.#arrivals = new Uint32Array(0);
    return { terms: this.#terms, offsets, documents, frequencies };
  }

  #addField(found: Map<number, number>, text: string, field: Field): number {
    const { shift, max } = FIELDS[field];
    let words = 0;
    forEachToken(text, (token) => {
      words++;
      let term = this.#terms.get(token);
      if (term === undefined) {
        term = this.#terms.size;
        this.#terms.set(token, term);
        this.#counts.push(0);
      }
      const packed = found.get(term) ?? 0;
      if (((packed >>> shift) & max) < max) found.set(term, (packed + (1 << shift)) >>> 0);
    });
    return words;
  }

  #push(term: number, document: number, frequency: number): void {
    if (3 * (this.#count + 1) > this.#arrivals.length) {
      const larger = new Uint32Array(2 * this.#arrivals.length);
      larger.set(this.#arrivals);
      this.#arrivals = larger;
    }
    this.#arrivals.set([term, document, frequency], 3 * this.#count);
    this.#count++;
    this.#counts[term] = (this.#counts[term] ?? 0) + 1;
  }
}
