import { SCOPES, type Scope } from '../protocol/scope.ts';
import { type LexicalSegment, LexicalSegmentBuilder } from './lexicalSegment.ts';
import { type PathTrait, pathTraits } from './pathTraits.ts';
import { collapseName, namePieces } from './queryTerms.ts';
import { pathFields } from './searchText.ts';
import { VectorMatrix } from './vectorMatrix.ts';

/** A chunk as the index takes it in. Its text is read once and not kept. */
export interface IndexableChunk {
  readonly id: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly symbol: string;
  readonly enclosing: readonly string[];
  readonly definitions: readonly string[];
  readonly text: string;
  /** Unit length; null when it could not be embedded. */
  readonly vector: Float32Array | null;
}

export interface IndexableFile {
  readonly path: string;
  readonly scope: Scope;
  readonly language: string;
  /** In the file's order. */
  readonly chunks: readonly IndexableChunk[];
}

export interface DefinedName {
  /** As written, without what is around it. */
  readonly name: string;
  readonly collapsed: string;
  /** Stemmed. */
  readonly pieces: readonly string[];
}

/** What is kept of a chunk. */
export interface ChunkFacts {
  readonly id: string;
  readonly startLine: number;
  readonly endLine: number;
  /** With the scopes around it: `Router.match`. */
  readonly symbol: string;
  /** Of the definitions that start in it, as written; each once. */
  readonly names: readonly string[];
}

export class ChunkEntry implements ChunkFacts {
  readonly id: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly symbol: string;
  readonly names: readonly string[];
  #definitions: readonly DefinedName[] | undefined;

  constructor({ id, startLine, endLine, symbol, names }: ChunkFacts) {
    this.id = id;
    this.startLine = startLine;
    this.endLine = endLine;
    this.symbol = symbol;
    this.names = names;
  }

  /** Taken apart when first asked for: most chunks are never a candidate. */
  get definitions(): readonly DefinedName[] {
    return (this.#definitions ??= this.names.map(definedName));
  }
}

export interface FileEntry {
  readonly path: string;
  readonly scope: Scope;
  readonly language: string;
  /** File name without its ending. */
  readonly stem: { readonly collapsed: string; readonly pieces: readonly string[] };
  /** Stemmed words of the folders. */
  readonly folderWords: ReadonlySet<string>;
  readonly traits: ReadonlySet<PathTrait>;
}

/** What a segment is made of. */
interface SegmentPlan {
  readonly files: readonly IndexableFile[];
  /** Whose model made the vectors. */
  readonly space: Scope;
  /** Of the vectors; 0 when there are none. */
  readonly dimension: number;
}

/** A segment's parts; chunks and files in order. */
export interface SegmentParts {
  readonly space: Scope;
  readonly files: readonly FileEntry[];
  readonly chunks: readonly ChunkEntry[];
  readonly fileStarts: Uint32Array;
  readonly lexical: LexicalSegment;
  readonly vectors: VectorMatrix | null;
}

/** Some 20 ms of work. */
const CHUNKS_PER_STEP = 128;

/** One run of files, immutable. Chunks of file `f` are those from `fileStarts[f]` up to `fileStarts[f + 1]`. */
export class IndexSegment {
  readonly files: readonly FileEntry[];
  readonly chunks: readonly ChunkEntry[];
  readonly fileStarts: Uint32Array;
  readonly lexical: LexicalSegment;
  /** Whose model made the vectors. */
  readonly space: Scope;
  /** Null when no chunk has a vector. */
  readonly vectors: VectorMatrix | null;
  /** Files replaced or removed since, by number. */
  readonly gone = new Set<number>();

  constructor({ space, files, chunks, fileStarts, lexical, vectors }: SegmentParts) {
    this.space = space;
    this.files = files;
    this.chunks = chunks;
    this.fileStarts = fileStarts;
    this.lexical = lexical;
    this.vectors = vectors;
  }

  /** Reads the files one after the other; each step is the work on some chunks, the last one gives the segment. */
  static *inSteps({ files, space, dimension }: SegmentPlan): Generator<undefined, IndexSegment> {
    const entries: FileEntry[] = [];
    const chunks: ChunkEntry[] = [];
    const lexical = new LexicalSegmentBuilder();
    const fileStarts = new Uint32Array(files.length + 1);
    for (const [number, file] of files.entries()) {
      entries.push(fileEntry(file));
      for (const chunk of file.chunks) {
        chunks.push(chunkEntry(chunk));
        lexical.add({ file: number, path: file.path, chunk });
        if (chunks.length % CHUNKS_PER_STEP === 0) yield;
      }
      fileStarts[number + 1] = chunks.length;
    }
    const vectors = files.flatMap((file) => file.chunks.map(({ vector }) => vector));
    const hasVectors = dimension > 0 && vectors.some((vector) => vector !== null);
    return new IndexSegment({
      space,
      files: entries,
      chunks,
      fileStarts,
      lexical: lexical.finish(),
      vectors: hasVectors ? VectorMatrix.of(dimension, fileStarts, vectors) : null,
    });
  }

  static of(plan: SegmentPlan): IndexSegment {
    const steps = IndexSegment.inSteps(plan);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  chunksOf(file: number): { readonly from: number; readonly to: number } {
    return { from: this.fileStarts[file] ?? 0, to: this.fileStarts[file + 1] ?? 0 };
  }
}

/** What a search reads: the segments of one folder, or of several. */
export interface SegmentedIndex {
  readonly segments: readonly IndexSegment[];
  readonly chunkCount: number;
}

/** Length of a vector by scope, and whether one model made them all. */
export interface VectorShape {
  readonly dimensions: Readonly<Record<Scope, number>>;
  readonly hasOneSpace: boolean;
}

/**
 * What search knows of one folder, in memory: postings, 8-bit vectors, names; no texts. A changed file goes into a new
 * small segment and is marked gone in its old one, so that a save costs the file and not the folder.
 */
export class ChunkIndex implements SegmentedIndex {
  readonly #shape: VectorShape;
  #segments: IndexSegment[] = [];
  readonly #places = new Map<string, { readonly segment: IndexSegment; readonly file: number }>();
  readonly #centres: Readonly<Record<Scope, Centre>> = { code: new Centre(), docs: new Centre() };

  constructor(shape: VectorShape) {
    this.#shape = shape;
  }

  get segments(): readonly IndexSegment[] {
    return this.#segments;
  }

  get chunkCount(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.chunks.length, 0);
  }

  get fileCount(): number {
    return this.#places.size;
  }

  /** About what the arrays take; the names come on top. */
  get byteLength(): number {
    return this.#segments.reduce(
      (sum, { lexical, vectors }) => sum + lexical.byteLength + (vectors?.byteLength ?? 0),
      0,
    );
  }

  place(path: string): { readonly segment: IndexSegment; readonly file: number } | undefined {
    return this.#places.get(path);
  }

  /** Adds files; one that is there already is replaced. */
  add(files: readonly IndexableFile[]): void {
    this.#replace(
      files,
      this.#plans(files).map((plan) => IndexSegment.of(plan)),
    );
  }

  /** The same for very many files: `pause` lets other work come in between. What is searched meanwhile does not have them yet. */
  async addInSteps(files: readonly IndexableFile[], pause: () => Promise<void>): Promise<void> {
    const segments: IndexSegment[] = [];
    for (const plan of this.#plans(files)) {
      const steps = IndexSegment.inSteps(plan);
      let step = steps.next();
      while (step.done !== true) {
        await pause();
        step = steps.next();
      }
      segments.push(step.value);
    }
    this.#replace(files, segments);
  }

  /**
   * Adds segments that were made before; what is gone of them stays so, and of a file that is in two, or in the index already, the one
   * that came first counts.
   */
  adopt(segments: readonly IndexSegment[]): void {
    const taken = new Set<string>(this.#places.keys());
    for (const segment of segments) {
      segment.files.forEach(({ path }, number) => {
        if (taken.has(path)) segment.gone.add(number);
        else if (!segment.gone.has(number)) taken.add(path);
      });
    }
    this.#addSegments(segments.filter(({ gone, files }) => gone.size < files.length));
  }

  /** Segments of files that are not to be part of the index, comparable with its own. */
  segmentsBeside(files: readonly IndexableFile[]): IndexSegment[] {
    return this.#plans(files).map((plan) => {
      const segment = IndexSegment.of(plan);
      this.#centres[plan.space].apply(segment);
      return segment;
    });
  }

  #plans(files: readonly IndexableFile[]): readonly SegmentPlan[] {
    const plans = SCOPES.map((space) => ({
      files: files.filter(({ scope }) => (this.#shape.hasOneSpace ? 'code' : scope) === space),
      space,
      dimension: this.#shape.dimensions[space],
    }));
    return plans.filter((plan) => plan.files.length > 0);
  }

  #replace(files: readonly IndexableFile[], segments: readonly IndexSegment[]): void {
    this.remove(files.map(({ path }) => path));
    this.#addSegments(segments);
  }

  remove(paths: Iterable<string>): void {
    for (const path of paths) {
      const place = this.#places.get(path);
      if (place === undefined) continue;
      place.segment.gone.add(place.file);
      this.#places.delete(path);
    }
    this.#segments = this.#segments.filter((segment) => segment.gone.size < segment.files.length);
  }

  /**
   * Paths of the files in segments worth merging, which adding these files anew does: segments with more gone than there, and
   * small ones of about a size once they are many, so that a file is taken in anew only a few times. Empty when nothing is.
   */
  filesWorthMerging(): readonly string[] {
    const small = this.#segments.filter((segment) => segment.chunks.length < SMALL_SEGMENT_CHUNKS);
    const alike = [
      ...Map.groupBy(small, ({ chunks }) => Math.floor(Math.log2(Math.max(1, chunks.length)) / 3)).values(),
    ];
    const merged = new Set(alike.filter((segments) => segments.length > SEGMENTS_ALIKE).flat());
    for (const segment of this.#segments) if (2 * segment.gone.size > segment.files.length) merged.add(segment);
    return [...merged].flatMap(({ files, gone }) =>
      files.filter((_, number) => !gone.has(number)).map(({ path }) => path),
    );
  }

  #addSegments(segments: readonly IndexSegment[]): void {
    this.#segments.push(...segments);
    for (const segment of segments) {
      segment.files.forEach((file, number) => {
        if (!segment.gone.has(number)) this.#places.set(file.path, { segment, file: number });
      });
    }
    for (const space of SCOPES) {
      const ofSpace = (segment: IndexSegment) => segment.space === space;
      const added = segments.filter(ofSpace);
      if (added.length > 0) {
        this.#centres[space].add(added, this.#segments.filter(ofSpace), this.#shape.dimensions[space]);
      }
    }
  }
}

const SMALL_SEGMENT_CHUNKS = 2_000;
/** Segments that differ in size by less than eight times. */
const SEGMENTS_ALIKE = 8;

/** The mean of all vectors of one model, which every vector is freed of. */
class Centre {
  #mean: Float32Array | undefined;
  #chunksThen = 0;
  #chunksSince = 0;

  apply(segment: IndexSegment): void {
    if (this.#mean !== undefined) segment.vectors?.setCentre(this.#mean);
  }

  /** It moves little with a file: it is measured anew once a fiftieth of the chunks has changed. A new segment always gets the mean in use. */
  add(added: readonly IndexSegment[], all: readonly IndexSegment[], dimension: number): void {
    this.#chunksSince += added.reduce((total, { chunks }) => total + chunks.length, 0);
    if (this.#mean !== undefined && this.#chunksSince * 50 < this.#chunksThen) {
      for (const segment of added) this.apply(segment);
      return;
    }
    const sum = new Float64Array(dimension);
    const count = all.reduce((total, { vectors }) => total + (vectors?.addTo(sum) ?? 0), 0);
    if (count === 0) return;
    const mean = Float32Array.from(sum, (value) => value / count);
    for (const { vectors } of all) vectors?.setCentre(mean);
    this.#mean = mean;
    this.#chunksThen = all.reduce((total, { chunks }) => total + chunks.length, 0);
    this.#chunksSince = 0;
  }
}

export function fileEntry({ path, scope, language }: Pick<IndexableFile, 'path' | 'scope' | 'language'>): FileEntry {
  const { stem, folders } = pathFields(path);
  return {
    path,
    scope,
    language,
    stem: { collapsed: collapseName(stem), pieces: [...new Set(namePieces(stem))] },
    folderWords: new Set(namePieces(folders)),
    traits: pathTraits(path),
  };
}

function chunkEntry(chunk: IndexableChunk): ChunkEntry {
  const { id, startLine, endLine, symbol, enclosing } = chunk;
  return new ChunkEntry({
    id,
    startLine,
    endLine,
    symbol: [...enclosing, symbol].filter((part) => part !== '').join('.'),
    names: [...new Set([symbol, ...chunk.definitions])].filter((name) => name !== ''),
  });
}

function definedName(written: string): DefinedName {
  // `Foo.bar`, `Foo::bar`, `M:bar`: the last part is what it is called.
  const name = written.split(/[.:#\s]+/).findLast((part) => part !== '') ?? written;
  return { name, collapsed: collapseName(name), pieces: [...new Set(namePieces(name))] };
}
