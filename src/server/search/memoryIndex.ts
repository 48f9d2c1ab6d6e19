import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfCancelled, type CancellationSignal } from '../../base/cancellation.ts';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { ChunkIndex, type IndexSegment, type IndexableFile, type VectorShape } from '../../search/chunkIndex.ts';
import type { ChunkReader, ChunkWithVector, FileRecord } from '../store/chunkStore.ts';
import type { SegmentImages } from './segmentImages.ts';

/** Files read from the store at a time: the store's own advice. */
const FILES_PER_READ = 300;
/** Chunks put into one segment while loading: fewer segments answer faster. */
const CHUNKS_PER_SEGMENT = 4_000;
/** Smaller segments are merged soon, and made of the table in no time. */
const MIN_CHUNKS_KEPT = 500;

interface Block {
  readonly block: readonly FileRecord[];
  readonly rows: readonly ChunkWithVector[];
}

/**
 * A `ChunkIndex` that follows a chunk table: before each search it takes over what was committed since. Its larger segments are kept
 * as images; the next process takes those over but for files the table has other rows of.
 */
export class MemoryIndex {
  readonly #reader: ChunkReader;
  readonly #logger: Logger;
  readonly #index: ChunkIndex;
  /** Each file as it is in the index. */
  readonly #contents = new Map<string, FileRecord>();
  readonly #images: SegmentImages | undefined;
  /** Segments that were read while nobody wrote, so that their rows are surely those of the files' records. */
  readonly #sure = new WeakSet<IndexSegment>();
  #version: string | undefined;
  /** Tail of the refreshes: one after the other. */
  #refreshing: Promise<void> = Promise.resolve();
  #keeping: Promise<void> | undefined;
  #hasAdopted = false;

  /** @param images where its segments are kept; undefined when they are not to be */
  constructor(reader: ChunkReader, shape: VectorShape, logger: Logger, images?: SegmentImages) {
    this.#reader = reader;
    this.#logger = logger;
    this.#index = new ChunkIndex(shape);
    this.#images = images;
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

  /** When what was begun on the side is done: merging, and keeping segments. Never rejects. */
  async settled(): Promise<void> {
    await this.#refreshing;
    await this.#keeping;
  }

  async #refresh(): Promise<void> {
    const version = await this.#reader.version();
    if (version === this.#version) return;
    const startedAt = performance.now();
    const files = await this.#reader.files();
    await this.#adoptOnce(files);
    const gone = [...this.#contents.keys()].filter((path) => !files.has(path));
    this.#index.remove(gone);
    for (const path of gone) this.#contents.delete(path);
    const changed = [...files.values()].filter((file) => !isSameContent(file, this.#contents.get(file.path)));
    await this.#load(changed, version);
    this.#version = version;
    this.#logger.debug('search index refreshed', {
      changed: changed.length,
      gone: gone.length,
      chunks: this.#index.chunkCount,
      arraysMb: Math.round(this.#index.byteLength / 1e6),
      tookMs: Math.round(performance.now() - startedAt),
    });
  }

  /** Takes over the segments an earlier process kept, of those files that are as they were. */
  async #adoptOnce(files: ReadonlyMap<string, FileRecord>): Promise<void> {
    // Not again when the first refresh failed: by then the index has files of its own, whose rows may be older than these records.
    if (this.#images === undefined || this.#hasAdopted) return;
    this.#hasAdopted = true;
    const usable: IndexSegment[] = [];
    for (const { segment, contents } of await this.#images.load()) {
      segment.files.forEach(({ path }, number) => {
        const record = files.get(path);
        if (record === undefined || contents[number] !== contentOf(record)) segment.gone.add(number);
      });
      if (2 * segment.gone.size <= segment.files.length) usable.push(segment);
    }
    this.#index.adopt(usable);
    for (const [path, record] of files) if (this.#index.place(path) !== undefined) this.#contents.set(path, record);
  }

  /** @param version of the table when the records were read */
  async #load(files: readonly FileRecord[], version: string): Promise<void> {
    const before = new Set(this.#index.segments);
    await this.#read(files);
    if (this.#images === undefined || files.length === 0 || (await this.#reader.version()) !== version) return;
    for (const segment of this.#index.segments) if (!before.has(segment)) this.#sure.add(segment);
  }

  async #read(files: readonly FileRecord[]): Promise<void> {
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
    await this.#mergeParts();
    // Beside the next search, which need not wait for the disk.
    this.#keeping ??= this.#keep().finally(() => {
      this.#keeping = undefined;
    });
  }

  /** Never rejects. */
  async #keep(): Promise<void> {
    if (this.#images === undefined) return;
    for (const segment of this.#index.segments) {
      const isWorthIt = segment.chunks.length >= MIN_CHUNKS_KEPT && this.#sure.has(segment);
      if (!isWorthIt || this.#images.has(segment)) continue;
      const contents = segment.files.map(({ path }, number) => {
        const record = segment.gone.has(number) ? undefined : this.#contents.get(path);
        return record === undefined ? null : contentOf(record);
      });
      await this.#images.save({ segment, contents });
    }
    await this.#images.keepOnly(this.#index.segments);
  }

  async #mergeParts(): Promise<void> {
    const worth = this.#index.filesWorthMerging();
    if (worth.length === 0) return;
    const startedAt = performance.now();
    try {
      const version = await this.#reader.version();
      const files = await this.#reader.files();
      await this.#load(
        worth.flatMap((path) => files.get(path) ?? []),
        version,
      );
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

/** What decides whether a file's rows are the same in a table: a table is of one model and one way of cutting. */
function contentOf({ fileHash, chunks, scope, language, skipped }: FileRecord): string {
  return [fileHash, chunks, scope, language, skipped?.detail ?? ''].join(':');
}

function isSameContent(file: FileRecord, known: FileRecord | undefined): boolean {
  return file === known || (file.fileHash === known?.fileHash && file.chunks === known.chunks);
}
