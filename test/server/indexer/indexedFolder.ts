import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Clock } from '../../../src/base/clock.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { IndexSettings } from '../../../src/protocol/server.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import { FolderIndex } from '../../../src/server/folderIndex.ts';
import { TypingRest } from '../../../src/server/indexer/typingRest.ts';
import { FILE_SCANNER } from '../../../src/server/scanner/fileScanner.ts';
import { DiskEmbeddingCache } from '../../../src/server/store/embeddingCache.ts';
import { embeddingCacheDir } from '../../../src/server/store/indexLocation.ts';
import { HashEmbedder } from '../../fakes/hashEmbedder.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

/** Without a save, until upkeep begins. */
const REST_BEFORE_UPKEEP_MS = 5_000;

export const SETTINGS: IndexSettings = {
  embedder: {
    models: { code: '', docs: '' },
    device: 'cpu',
    threads: 1,
    sessions: 1,
    batchSize: 0,
    memoryCeilingMb: 0,
    latencyCeilingMs: 100,
    tunerStateFile: null,
  },
  maxFileBytes: 1 << 20,
  exclude: [],
  useIgnoreFiles: true,
};

/** A folder in a temporary place, with its index; everything real but the model. */
export class IndexedFolder {
  readonly root: string;
  readonly indexDir: string;
  embedder = new HashEmbedder();
  /** Time as far as typing is concerned. */
  readonly typingClock = new ManualClock();
  readonly rest = new TypingRest(this.typingClock);
  /** Time as far as rest before upkeep is concerned. */
  readonly #restClock = new ManualClock();
  index: FolderIndex;
  readonly #others: FolderIndex[] = [];

  private constructor(root: string, indexDir: string) {
    this.root = root;
    this.indexDir = path.join(root, indexDir);
    this.index = this.#create(this.folder);
  }

  static async create(files: Readonly<Record<string, string>>, indexDir = 'index'): Promise<IndexedFolder> {
    const root = await mkdtemp(path.join(os.tmpdir(), 'tessera-index-'));
    await mkdir(path.join(root, 'work'));
    const folder = new IndexedFolder(root, indexDir);
    for (const [name, text] of Object.entries(files)) await folder.write(name, text);
    return folder;
  }

  get folder(): string {
    return path.join(this.root, 'work');
  }

  /** Writes a file that is a minute old, so that its time can be trusted; `ageMs` says otherwise. */
  async write(name: string, text: string, ageMs = 60_000): Promise<void> {
    const file = path.join(this.folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    const time = (Date.now() - ageMs) / 1_000 + 0.123;
    await utimes(file, time, time);
  }

  async remove(name: string): Promise<void> {
    await rm(path.join(this.folder, name), { recursive: true });
  }

  /** Ends this process's use of the index and begins anew, as after a restart; another model's index with `modelId`. */
  async restart(modelId = 'hash'): Promise<void> {
    await this.index.close();
    this.embedder = new HashEmbedder(modelId);
    this.index = this.#create(this.folder);
  }

  /** The index of another folder with the same cache. */
  other(folder: string): FolderIndex {
    const other = this.#create(folder);
    this.#others.push(other);
    return other;
  }

  run(request: { rebuild?: boolean; firstPaths?: readonly string[] } = {}, signal?: AbortSignal) {
    return this.index.index({ rebuild: false, ...request }, signal);
  }

  /** Tells the index of changes and waits until it has followed. */
  async change(...paths: string[]): Promise<void> {
    this.index.changed(paths);
    await this.index.settled();
  }

  /** `path:firstLine` of every chunk in the index. */
  async rows(): Promise<string[]> {
    const reader = this.index.reader;
    const rows: string[] = [];
    for (const file of (await reader?.files())?.keys() ?? []) {
      for (const chunk of (await reader?.chunksOf(file)) ?? []) rows.push(`${file}:${chunk.text.split('\n')[0] ?? ''}`);
    }
    return rows.sort();
  }

  /** Lets pass the time without a save after which upkeep begins, and waits for it. */
  async restFromSaving(): Promise<void> {
    this.#restClock.advance(REST_BEFORE_UPKEEP_MS);
    await this.index.settled();
  }

  async verify(): Promise<readonly string[]> {
    const { differences } = await this.index.verify({ repair: false });
    return differences.map(({ path: file, kind }) => `${file}: ${kind}`);
  }

  async dispose(): Promise<void> {
    for (const index of [this.index, ...this.#others]) await index.close();
    await rm(this.root, { recursive: true, force: true });
  }

  get #clock(): Clock {
    return {
      ...SYSTEM_CLOCK,
      after: (delayMs, callback) =>
        (delayMs === REST_BEFORE_UPKEEP_MS ? this.#restClock : SYSTEM_CLOCK).after(delayMs, callback),
    };
  }

  #create(folder: string): FolderIndex {
    return new FolderIndex({
      folder,
      indexDir: this.indexDir,
      settings: SETTINGS,
      embedder: this.embedder,
      cache: new DiskEmbeddingCache(embeddingCacheDir(this.indexDir), { maxBytes: 1 << 24, logger: SILENT_LOGGER }),
      chunker: createChunker(),
      scanner: FILE_SCANNER,
      rest: this.rest,
      clock: this.#clock,
      logger: SILENT_LOGGER,
      program: 'a test',
    });
  }
}
