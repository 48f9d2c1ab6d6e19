import path from 'node:path';
import type { CancellationSignal } from '../base/cancellation.ts';
import type { Clock } from '../base/clock.ts';
import { Disposable } from '../base/disposable.ts';
import { TesseraError, errorMessage, isTesseraError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Chunker } from '../indexing/document.ts';
import type { ChildHandle } from '../process/childProcess.ts';
import type { EmbedderSettings } from '../protocol/embedder.ts';
import type { IndexSettings, SearchParams, SearchResult, SimilarParams } from '../protocol/server.ts';
import type { Embedder } from './embedder/embedder.ts';
import { createEmbedder } from './embedder/createEmbedder.ts';
import { FolderIndex } from './folderIndex.ts';
import type { FolderSearch, SearchedFolder } from './folderSearch.ts';
import { TypingRest } from './indexer/typingRest.ts';
import { IndexableOverlays } from './search/indexableOverlays.ts';
import { NOTHING_YET, mergeResults } from './search/mergeResults.ts';
import { RememberingEmbedder } from './rememberingEmbedder.ts';
import type { Scanner } from './scanner/entries.ts';
import { DiskEmbeddingCache, type EmbeddingCache } from './store/embeddingCache.ts';
import type { LanceChunkStore } from './store/lanceChunkStore.ts';
import {
  defaultIndexDir,
  embeddingCacheDir,
  rememberedModelsFile,
  searchImagesDir,
  tunerStateFile,
} from './store/indexLocation.ts';

export interface EngineOptions {
  /** Named to whoever finds an index locked: `VS Code`, `tessera index`. */
  readonly program: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly chunker: Chunker;
  readonly scanner: Scanner;
  readonly spawnEmbedder: () => ChildHandle;
  readonly createSearch: (embedder: Embedder) => FolderSearch;
  /** The embedder's program, when what its models are may be remembered from one process to the next (see `RememberingEmbedder`). */
  readonly rememberedFor?: string;
}

export interface OpenFolder {
  /** Absolute path. */
  readonly folder: string;
  /** Null: the default place. */
  readonly indexDir: string | null;
  readonly settings: IndexSettings;
}

/** An embedder and what belongs to it; folders with the same settings share one. */
interface UsedEmbedder {
  readonly client: Embedder;
  readonly search: FolderSearch;
}

interface OpenedFolder {
  readonly index: FolderIndex;
  /** Settings of its embedder, by which it is found. */
  readonly embedderKey: string;
}

const OUTDATED_INDEX = 'The index is of another model and is being replaced: only words and names were compared.';

/** A vector costs about 550 bytes: room for the chunks of some fifty large repositories. */
const CACHE_MAX_BYTES = 1 << 30;

/** Indexes of several folders in this process, over one embedder as long as their settings agree: what the index server and the command line are made of. */
export class Engine extends Disposable {
  readonly #options: EngineOptions;
  readonly #folders = new Map<string, OpenedFolder>();
  /** Folders that are being closed: their last pass may still hold the writer's lock. */
  readonly #closing = new Map<string, Promise<void>>();
  readonly #caches = new Map<string, EmbeddingCache>();
  readonly #embedders = new Map<string, UsedEmbedder>();
  readonly #rest: TypingRest;
  readonly #unsaved: IndexableOverlays;

  constructor(options: EngineOptions) {
    super();
    this.#options = options;
    this.#rest = new TypingRest(options.clock);
    this.#unsaved = new IndexableOverlays({
      clock: options.clock,
      logger: options.logger.child('search'),
      judge: async (folder, paths, signal) => this.opened(folder).judge(paths, signal),
    });
  }

  /** A key was pressed in an editor: for a moment, little begins that nobody waits for. */
  noteTyping(): void {
    this.#rest.noteKey();
  }

  /** The folder's index, made (but not opened yet) when this is the first time. Settings of an open one are replaced. */
  async folder(request: OpenFolder): Promise<FolderIndex> {
    const { folder, indexDir, settings } = request;
    if (!path.isAbsolute(folder)) {
      throw new TesseraError('invalid-argument', `${folder} is not an absolute path.`, { details: { folder } });
    }
    this.#unsaved.forget(folder);
    const root = indexDir ?? defaultIndexDir();
    const { tunerStateFile: stateFile } = settings.embedder;
    const embedderSettings = { ...settings.embedder, tunerStateFile: stateFile ?? tunerStateFile(root) };
    const embedderKey = JSON.stringify(embedderSettings);
    for (let closing = this.#closing.get(folder); closing !== undefined; closing = this.#closing.get(folder)) {
      // Whoever closes it learns of a failure.
      await closing.catch(() => undefined);
    }
    const known = this.#folders.get(folder);
    if (known?.embedderKey === embedderKey && known.index.indexDir === root) {
      known.index.applySettings(settings);
      return known.index;
    }
    // Another model, device or place: another index.
    if (known !== undefined) {
      await this.closeFolder(folder);
      return this.folder(request);
    }
    const { client } = this.#useEmbedder(embedderKey, embedderSettings, root);
    const cache = this.#cacheOf(root);
    const index = new FolderIndex({
      ...this.#options,
      folder,
      indexDir: root,
      settings,
      embedder: client,
      cache,
      rest: this.#rest,
    });
    this.#folders.set(folder, { index, embedderKey });
    return index;
  }

  /** @throws TesseraError `not-indexed` when the folder has not been opened. */
  opened(folder: string): FolderIndex {
    return this.#opened(folder).index;
  }

  /** Searches the folders that have an index. Without one there are no hits yet while one is being made, else it rejects with `not-indexed`. */
  async search(params: SearchParams, signal?: CancellationSignal): Promise<SearchResult> {
    const folders = await this.#searched(params.folders);
    if (folders.length === 0) {
      const asked = params.folders.map((folder) => this.opened(folder));
      if (asked.some((index) => index.isBeingIndexed)) return NOTHING_YET;
      asked[0]?.requireReader();
      return NOTHING_YET;
    }
    // Beside the embedding of the query, since it may start git. A search that fails before needs it no more.
    const overlays = this.#unsaved.pick(params.overlays ?? [], signal);
    overlays.catch(() => undefined);
    const asked = { ...params, overlays };
    const result = await this.#withFreshReaders(folders, async (fresh) => {
      const groups = this.#bySearch(fresh).map(([search, own]) => search.search(asked, own, signal));
      return mergeResults(await Promise.all(groups), params.limit);
    });
    const isOutdated = folders.some(({ reader }) => !reader.hasVectors);
    return {
      ...result,
      complete: result.complete && folders.length === params.folders.length,
      degraded: result.degraded ?? (isOutdated ? OUTDATED_INDEX : null),
    };
  }

  /** Gets an open folder ready to be searched. Never rejects: a search will say what is wrong. */
  async prepareSearch(folder: string): Promise<void> {
    try {
      await this.#withFreshReaders(await this.#searched([folder]), async ([searched]) => {
        if (searched !== undefined) await this.#used(folder).search.prepare(searched);
      });
    } catch (error) {
      this.#options.logger.debug('the search was not prepared', { error: errorMessage(error) });
    }
  }

  async similar(params: SimilarParams, signal?: CancellationSignal): Promise<SearchResult> {
    const folders = await this.#searched([params.folder]);
    return this.#withFreshReaders(folders, async ([found]) => {
      const index = this.opened(params.folder);
      const folder = found ?? searchedFolder(index, index.requireReader());
      return this.#used(params.folder).search.similar(params, folder, signal);
    });
  }

  /** Stops the folder's work, keeping what is finished. */
  closeFolder(folder: string): Promise<void> {
    const known = this.#folders.get(folder);
    this.#folders.delete(folder);
    if (known === undefined) return this.#closing.get(folder) ?? Promise.resolve();
    const closing = known.index.close().finally(() => {
      this.#closing.delete(folder);
      this.#dropUnusedEmbedders();
    });
    this.#closing.set(folder, closing);
    return closing;
  }

  /** Stops all work, keeping what is finished, and the embedders. */
  async close(): Promise<void> {
    const folders = new Set([...this.#folders.keys(), ...this.#closing.keys()]);
    await Promise.all([...this.#folders.keys()].map((folder) => this.#used(folder).search.settled()));
    await Promise.all([...folders].map((folder) => this.closeFolder(folder)));
    await Promise.all([...this.#caches.values()].map((cache) => cache.flush()));
    this.dispose();
  }

  override dispose(): void {
    for (const { index } of this.#folders.values()) index.dispose();
    this.#folders.clear();
    this.#dropUnusedEmbedders();
    super.dispose();
  }

  #opened(folder: string): OpenedFolder {
    const known = this.#folders.get(folder);
    if (known === undefined) {
      throw new TesseraError('not-indexed', `${folder} is not open.`, { details: { folder } });
    }
    return known;
  }

  /** Those that have an index, also one that another process has made since. */
  async #searched(folders: readonly string[]): Promise<readonly SearchedFolder[]> {
    const missing = folders.map((folder) => this.opened(folder)).filter(({ reader }) => reader === undefined);
    await Promise.all(missing.map((index) => index.refresh()));
    return folders.flatMap((folder) => {
      const index = this.opened(folder);
      return index.reader === undefined ? [] : [searchedFolder(index, index.reader)];
    });
  }

  /** Asks once more when another process has replaced an index that was being read. */
  async #withFreshReaders<T>(
    folders: readonly SearchedFolder[],
    ask: (folders: readonly SearchedFolder[]) => Promise<T>,
  ): Promise<T> {
    try {
      return await ask(folders);
    } catch (error) {
      if (!isTesseraError(error, 'store-failed')) throw error;
      await Promise.all(folders.map(({ folder }) => this.opened(folder).refresh()));
      const fresh = await this.#searched(folders.map(({ folder }) => folder));
      if (fresh.every(({ reader }, index) => reader === folders[index]?.reader)) throw error;
      return ask(fresh);
    }
  }

  #bySearch(folders: readonly SearchedFolder[]): readonly (readonly [FolderSearch, readonly SearchedFolder[]])[] {
    const groups = new Map<FolderSearch, SearchedFolder[]>();
    for (const folder of folders) {
      const { search } = this.#used(folder.folder);
      const group = groups.get(search);
      if (group === undefined) groups.set(search, [folder]);
      else group.push(folder);
    }
    return [...groups];
  }

  #used(folder: string): UsedEmbedder {
    const used = this.#embedders.get(this.#opened(folder).embedderKey);
    if (used === undefined) throw new TesseraError('internal', 'An open folder has no embedder.');
    return used;
  }

  #useEmbedder(key: string, settings: EmbedderSettings, root: string): UsedEmbedder {
    let used = this.#embedders.get(key);
    if (used === undefined) {
      const { spawnEmbedder: spawn, clock, createSearch, rememberedFor: entry } = this.#options;
      const logger = this.#options.logger.child('embedder');
      const embedder = createEmbedder({ settings, spawn, clock, logger });
      const file = rememberedModelsFile(root);
      const client =
        entry === undefined ? embedder : new RememberingEmbedder({ embedder, settings, entry, file, logger });
      used = { client, search: createSearch(client) };
      this.#embedders.set(key, used);
    }
    return used;
  }

  #dropUnusedEmbedders(): void {
    const inUse = new Set([...this.#folders.values()].map(({ embedderKey }) => embedderKey));
    for (const [key, { client }] of this.#embedders) {
      if (inUse.has(key)) continue;
      this.#embedders.delete(key);
      client.dispose();
    }
  }

  #cacheOf(root: string): EmbeddingCache {
    let cache = this.#caches.get(root);
    if (cache === undefined) {
      const logger = this.#options.logger.child('cache');
      cache = new DiskEmbeddingCache(embeddingCacheDir(root), { maxBytes: CACHE_MAX_BYTES, logger });
      this.#caches.set(root, cache);
    }
    return cache;
  }
}

function searchedFolder({ folder, dir }: FolderIndex, reader: LanceChunkStore): SearchedFolder {
  return { folder, reader, imagesDir: searchImagesDir(dir, reader.name) };
}
