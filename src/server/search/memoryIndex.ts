import { throwIfCancelled, type CancellationSignal } from '../../base/cancellation.ts';
import type { Logger } from '../../base/logger.ts';
import { ChunkIndex, type IndexableFile, type VectorShape } from '../../search/chunkIndex.ts';
import type { ChunkReader, ChunkWithVector, FileRecord } from '../store/chunkStore.ts';

/** Files read from the store at a time: the store's own advice. */
const FILES_PER_READ = 300;
/** Chunks put into one segment while loading: fewer segments answer faster, larger ones hold the thread longer. */
const CHUNKS_PER_SEGMENT = 4_000;

/** A `ChunkIndex` that follows a chunk table: before each search it takes over what was committed since. */
export class MemoryIndex {
  readonly #reader: ChunkReader;
  readonly #logger: Logger;
  readonly #index: ChunkIndex;
  /** Content of each file as it is in the index. */
  readonly #contents = new Map<string, string>();
  #version: string | undefined;
  /** Tail of the refreshes: one after the other. */
  #refreshing: Promise<void> = Promise.resolve();

  constructor(reader: ChunkReader, shape: VectorShape, logger: Logger) {
    this.#reader = reader;
    this.#logger = logger;
    this.#index = new ChunkIndex(shape);
  }

  /** The index as of the newest commit. */
  async current(signal?: CancellationSignal): Promise<ChunkIndex> {
    const refresh = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = refresh.catch(() => undefined);
    await refresh;
    throwIfCancelled(signal);
    return this.#index;
  }

  async #refresh(): Promise<void> {
    const version = await this.#reader.version();
    if (version === this.#version) return;
    const startedAt = performance.now();
    const files = await this.#reader.files();
    const gone = [...this.#contents.keys()].filter((path) => !files.has(path));
    this.#index.remove(gone);
    for (const path of gone) this.#contents.delete(path);
    const changed = [...files.values()].filter((file) => this.#contents.get(file.path) !== contentOf(file));
    await this.#load(changed);
    await this.#merge(files);
    this.#version = version;
    this.#logger.debug('search index refreshed', {
      changed: changed.length,
      gone: gone.length,
      chunks: this.#index.chunkCount,
      arraysMb: Math.round(this.#index.byteLength / 1e6),
      tookMs: Math.round(performance.now() - startedAt),
    });
  }

  async #load(files: readonly FileRecord[]): Promise<void> {
    let waiting: IndexableFile[] = [];
    let records: FileRecord[] = [];
    let chunks = 0;
    const flush = () => {
      this.#index.add(waiting);
      for (const record of records) this.#contents.set(record.path, contentOf(record));
      waiting = [];
      records = [];
      chunks = 0;
    };
    for (let from = 0; from < files.length; from += FILES_PER_READ) {
      const block = files.slice(from, from + FILES_PER_READ);
      const withChunks = block.filter((file) => file.chunks > 0).map(({ path }) => path);
      for (const file of indexableFiles(await this.#reader.chunksWithVectors(withChunks))) {
        waiting.push(file);
        chunks += file.chunks.length;
      }
      // A file that lost its chunks leaves the index; one that never had any was not in it.
      this.#index.remove(block.filter((file) => file.chunks === 0).map(({ path }) => path));
      // Noted only with the chunks, so that a read that fails is made up for by the next refresh.
      records.push(...block);
      if (chunks >= CHUNKS_PER_SEGMENT) flush();
    }
    flush();
  }

  async #merge(files: ReadonlyMap<string, FileRecord>): Promise<void> {
    const worth = this.#index.filesWorthMerging();
    if (worth.length > 0) await this.#load(worth.flatMap((path) => files.get(path) ?? []));
  }
}

/** Chunks of several files, a file's following each other, as files. */
export function indexableFiles(chunks: readonly ChunkWithVector[]): IndexableFile[] {
  const files: (IndexableFile & { chunks: ChunkWithVector[] })[] = [];
  for (const chunk of chunks) {
    const last = files.at(-1);
    if (last?.path === chunk.path) last.chunks.push(chunk);
    else files.push({ path: chunk.path, scope: chunk.scope, language: chunk.language, chunks: [chunk] });
  }
  return files;
}

function contentOf({ fileHash, chunks }: FileRecord): string {
  return `${fileHash}:${chunks}`;
}
