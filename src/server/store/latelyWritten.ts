import type { ChunkWithVector, FileRecord, FileToWrite } from './chunkStore.ts';
import { readHalves, writeHalves } from './halfFloat.ts';
import { chunkId } from './rowEncoding.ts';

/** Chunks kept at most: a save has a few, a group of a full pass is not worth it. */
const CHUNKS_KEPT = 512;

/**
 * The files written last, as a read of the table gives them: the search after a save takes them from here, since a read looks at every
 * row's path.
 */
export class LatelyWritten {
  /** By path, the latest last. */
  readonly #files = new Map<string, FileToWrite>();
  #chunks = 0;

  keep(files: readonly FileToWrite[]): void {
    for (const file of files) {
      this.#drop(file.record.path);
      this.#files.set(file.record.path, file);
      this.#chunks += file.chunks.length;
    }
    for (const path of this.#files.keys()) {
      if (this.#chunks <= CHUNKS_KEPT) break;
      this.#drop(path);
    }
  }

  /** Undefined unless this is the very record the file was written with. */
  chunksOf(record: FileRecord | undefined): readonly ChunkWithVector[] | undefined {
    const file = record === undefined ? undefined : this.#files.get(record.path);
    if (record === undefined || file?.record !== record) return undefined;
    const { path, fileHash, scope, language } = record;
    return file.chunks.map(({ searchText: _, vector, ...chunk }, ordinal) => ({
      ...chunk,
      id: chunkId(path, ordinal),
      path,
      ordinal,
      fileHash,
      scope,
      language,
      vector: vector === null ? null : asStored(vector),
    }));
  }

  #drop(path: string): void {
    this.#chunks -= this.#files.get(path)?.chunks.length ?? 0;
    this.#files.delete(path);
  }
}

function asStored(vector: Float32Array): Float32Array {
  const halves = new Uint16Array(vector.length);
  writeHalves(vector, halves, 0);
  const stored = new Float32Array(vector.length);
  readHalves(halves, 0, stored);
  return stored;
}
