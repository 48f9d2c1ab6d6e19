import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfCancelled, type CancellationSignal } from '../../base/cancellation.ts';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { ChunkIndex, type IndexableFile, type VectorShape } from '../../search/chunkIndex.ts';
import type { ChunkReader, ChunkWithVector, FileRecord } from '../store/chunkStore.ts';

/** Files read from the store at a time: the store's own advice. */
const FILES_PER_READ = 300;
/** Chunks put into one segment while loading: fewer segments answer faster. */
const CHUNKS_PER_SEGMENT = 4_000;

interface Block {
  readonly block: readonly FileRecord[];
  readonly rows: readonly ChunkWithVector[];
}

/** A `ChunkIndex` that follows a chunk table: before each search it takes over what was committed since. */
export class MemoryIndex {
  readonly #reader: ChunkReader;
  readonly #logger: Logger;
  readonly #index: ChunkIndex;
  /** Each file as it is in the index. */
  readonly #contents = new Map<string, FileRecord>();
  #version: string | undefined;
  /** Tail of the refreshes: one after the other. */
  #refreshing: Promise<void> = Promise.resolve();

  constructor(reader: ChunkReader, shape: VectorShape, logger: Logger) {
    this.#reader = reader;
    this.#logger = logger;
    this.#index = new ChunkIndex(shape);
  }

  /** The index as of the newest commit. Later it changes: what is read of it before and after an `await` may not agree. */
  async current(signal?: CancellationSignal): Promise<ChunkIndex> {
    const refresh = this.#refreshing.then(() => this.#refresh());
    // Nobody waits for the merging but the next search.
    this.#refreshing = refresh.then(
      () => this.#merge(),
      () => undefined,
    );
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
    const changed = [...files.values()].filter((file) => !isSameContent(file, this.#contents.get(file.path)));
    await this.#load(changed);
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
    const flush = async () => {
      await this.#index.addInSteps(waiting, nextTurn);
      for (const record of records) this.#contents.set(record.path, record);
      waiting = [];
      records = [];
      chunks = 0;
    };
    let reading = this.#readBlock(files, 0);
    for (let from = 0; reading !== undefined; from += FILES_PER_READ) {
      const { block, rows } = await reading;
      // The disk has work while the block is taken in.
      reading = this.#readBlock(files, from + FILES_PER_READ);
      reading?.catch(() => undefined);
      for (const file of indexableFiles(rows)) {
        waiting.push(file);
        chunks += file.chunks.length;
      }
      // A file that lost its chunks leaves the index; one that never had any was not in it.
      this.#index.remove(block.filter((file) => file.chunks === 0).map(({ path }) => path));
      // Noted only with the chunks, so that a read that fails is made up for by the next refresh.
      records.push(...block);
      if (chunks >= CHUNKS_PER_SEGMENT) await flush();
    }
    await flush();
  }

  /** Undefined when there are no more files. */
  #readBlock(files: readonly FileRecord[], from: number): Promise<Block> | undefined {
    const block = files.slice(from, from + FILES_PER_READ);
    const withChunks = block.filter((file) => file.chunks > 0).map(({ path }) => path);
    return block.length === 0
      ? undefined
      : this.#reader.chunksWithVectors(withChunks).then((rows) => ({ block, rows }));
  }

  /** Never rejects: what is not merged now is merged later. */
  async #merge(): Promise<void> {
    const worth = this.#index.filesWorthMerging();
    if (worth.length === 0) return;
    const startedAt = performance.now();
    try {
      const files = await this.#reader.files();
      await this.#load(worth.flatMap((path) => files.get(path) ?? []));
      const tookMs = Math.round(performance.now() - startedAt);
      this.#logger.debug('search index merged', { files: worth.length, tookMs });
    } catch (error) {
      this.#logger.warn('parts of the search index were not merged', { error: errorMessage(error) });
    }
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

function isSameContent(file: FileRecord, known: FileRecord | undefined): boolean {
  return file === known || (file.fileHash === known?.fileHash && file.chunks === known.chunks);
}
