import { Deferred } from '../base/deferred.ts';
import type { DisposableLike } from '../base/disposable.ts';
import { TesseraError, isTesseraError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { FileTurns } from './indexer/fileTurns.ts';
import type { FileRecord } from './store/chunkStore.ts';
import { clearIndex } from './store/clearIndex.ts';
import { IndexCatalog, type IndexMaker, type PassKind } from './store/indexCatalog.ts';
import type { LanceChunkStore } from './store/lanceChunkStore.ts';

/** The writing side of a folder's index, for as long as a pass needs it. */
export interface IndexWriter {
  readonly store: LanceChunkStore;
  readonly turns: FileTurns;
}

interface OpenWriter extends IndexWriter {
  readonly lock: DisposableLike;
}

export interface IndexStoresOptions {
  readonly dir: string;
  readonly folder: string;
  /** Named to whoever finds the index locked. */
  readonly program: string;
  readonly logger: Logger;
  readonly onDamaged: (error: TesseraError) => void;
}

/**
 * The tables of one folder in use: the one searches read, and the one passes write, which is the same except while an index is made
 * anew. The writer's lock is held from the first pass to the last of those that overlap.
 */
export class IndexStores implements DisposableLike {
  readonly #options: IndexStoresOptions;
  #catalog: IndexCatalog | undefined;
  #hasMaker = false;
  #serving: LanceChunkStore | undefined;
  #damage: TesseraError | undefined;
  #opening: Promise<void> | undefined;
  #isWanted = false;
  #writer: Promise<OpenWriter> | undefined;
  /** Passes that use the writer or wait for it. */
  #passes = 0;
  /** Settles when the last of the present passes has let go. */
  #released = new Deferred<void>();
  /** While the table that serves is opened to be written, which may fail as for a pass it would not; settles then, and never rejects. */
  #openingServing: Promise<void> | undefined;

  constructor(options: IndexStoresOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#catalog !== undefined;
  }

  /** Whether it was opened and not disposed since; asked anew after an `await`. */
  private get isWanted(): boolean {
    return this.#isWanted;
  }

  get isBeingWritten(): boolean {
    return this.#passes > 0;
  }

  /** Settles when no pass uses the writer or waits for it any more. */
  get released(): Promise<void> {
    return this.isBeingWritten ? this.#released.promise : Promise.resolve();
  }

  /** What searches read; undefined when nothing is indexed. */
  get serving(): LanceChunkStore | undefined {
    return this.#serving;
  }

  /** Why there is an index on the disk and none that serves; undefined while one does, or none was ever made. */
  get damage(): TesseraError | undefined {
    return this.#serving === undefined ? this.#damage : undefined;
  }

  /**
   * Looks for the index to serve, once; again when `maker` was null before and is known now. Makes nothing on the disk. Rejects with
   * `store-failed`.
   *
   * @param maker null when its models cannot be opened: whatever is there is read by its words, and nothing can be written
   */
  open(maker: IndexMaker | null): Promise<void> {
    if (this.#opening !== undefined) return this.#opening.then(() => this.open(maker));
    if (this.#catalog !== undefined && (maker === null || this.#hasMaker)) return Promise.resolve();
    this.#opening = this.#open(maker).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(maker: IndexMaker | null): Promise<void> {
    const { dir, folder, logger } = this.#options;
    const catalog = new IndexCatalog(dir, folder, maker, logger);
    this.#isWanted = true;
    const { store, damage } = await catalog.openServing();
    // Closed meanwhile: nobody would close what was opened.
    if (!this.isWanted) {
      store?.close();
      catalog.dispose();
      throw new TesseraError('disposed', 'The folder was closed while its index was opened.');
    }
    this.#serving?.close();
    this.#catalog?.dispose();
    this.#serving = store;
    this.#damage = damage;
    this.#catalog = catalog;
    this.#hasMaker = maker !== null;
  }

  /** Looks again for the index to serve: another process may have made, replaced or deleted it. */
  async refresh(): Promise<void> {
    if (this.#passes > 0) return;
    const catalog = this.#opened();
    const { store: found, damage } = await catalog.openServing();
    // Meanwhile closed, or a pass of our own serves what it writes: that is newer than what was found.
    if (this.#catalog !== catalog || this.#passes > 0) {
      found?.close();
      return;
    }
    this.#damage = damage;
    if (found === undefined || found.name !== this.#serving?.name) this.#serving = found;
    else found.close();
  }

  /**
   * Runs a pass with the writer, opening it (and taking the lock) for the first and letting it go after the last. A rebuild writes
   * another table and so waits for passes before it. Rejects with `store-locked` while another process writes.
   */
  async write<T>(kind: PassKind, pass: (writer: IndexWriter) => Promise<T>): Promise<T> {
    while (this.#openingServing !== undefined || (kind === 'rebuild' && this.#passes > 0)) {
      await (this.#openingServing ?? this.#released.promise);
    }
    return this.#use(() => this.#openWriter(kind), pass);
  }

  /**
   * Works on the table that serves, as its writer, and does nothing when there is none, when it is not the one passes write, when it
   * has gone from the disk, or while a pass of ours works. Makes nothing and moves nothing aside. Rejects with `store-locked` while
   * another process writes, and with `store-failed`.
   */
  async writeServing(work: (store: LanceChunkStore) => Promise<void>): Promise<void> {
    const serving = this.#serving;
    if (serving === undefined || this.#passes > 0) return;
    const catalog = this.#opened();
    // Asked before the lock is taken too: taking it makes the folder.
    if (!(await catalog.isWritable(serving)) || this.#serving !== serving || this.isBeingWritten) return;
    const open = async (): Promise<OpenWriter> => {
      const lock = await catalog.lock(this.#options.program);
      try {
        return { store: await catalog.openServingForWriting(serving), turns: new FileTurns(), lock };
      } catch (error) {
        lock.dispose();
        throw error;
      }
    };
    const opened = new Deferred<void>();
    this.#openingServing = opened.promise;
    const letIn = () => {
      this.#openingServing = undefined;
      opened.resolve();
    };
    try {
      await this.#use(open, ({ store }) => {
        letIn();
        return work(store);
      });
    } catch (error) {
      // Cleared by another process meanwhile.
      if (!isTesseraError(error, 'not-indexed')) throw error;
    } finally {
      letIn();
    }
  }

  async #use<T>(open: () => Promise<OpenWriter>, pass: (writer: IndexWriter) => Promise<T>): Promise<T> {
    if (this.#passes === 0) this.#released = new Deferred<void>();
    this.#passes += 1;
    this.#writer ??= open();
    const opening = this.#writer;
    try {
      return await pass(await opening);
    } finally {
      this.#passes -= 1;
      if (this.#passes === 0) {
        this.#writer = undefined;
        await opening.then(
          ({ lock }) => lock.dispose(),
          () => undefined,
        );
        this.#released.resolve();
      }
    }
  }

  /** Lets searches use a finished index (one that is under way keeps its handle until it is done) and removes the ones it replaces. */
  async serve(store: LanceChunkStore): Promise<void> {
    this.#serving = store;
    await this.#opened().dropOthers(store);
  }

  /**
   * Every file of the index that serves; none when nothing is indexed. Looks again when it cannot be read, for another process may have
   * cleared or replaced it. Rejects with `store-failed` when it is still the one that cannot be read.
   */
  async files(): Promise<ReadonlyMap<string, FileRecord>> {
    const read = this.#serving;
    try {
      return (await read?.files()) ?? new Map<string, FileRecord>();
    } catch (error) {
      if (!isTesseraError(error, 'store-failed')) throw error;
      if (this.#serving === read) await this.refresh();
      if (this.#serving === read) throw error;
      return (await this.#serving?.files()) ?? new Map<string, FileRecord>();
    }
  }

  /** What searches have kept of this table is made anew by the next process. Only for the writer. */
  removeSearchImages(store: LanceChunkStore): Promise<void> {
    return this.#opened().removeSearchImages(store.name);
  }

  /** Deletes everything; afterwards it is not open. Needs no models. Rejects with `store-locked` while another process writes, and with `store-failed`. */
  async clear(): Promise<void> {
    await clearIndex(this.#options.dir, this.#options.program, () => this.dispose());
  }

  dispose(): void {
    this.#isWanted = false;
    this.#serving?.close();
    this.#serving = undefined;
    this.#catalog?.dispose();
    this.#catalog = undefined;
  }

  async #openWriter(kind: PassKind): Promise<OpenWriter> {
    const catalog = this.#opened();
    const lock = await catalog.lock(this.#options.program);
    try {
      const { store, damaged } = await catalog.openForWriting(kind, this.#serving);
      if (damaged !== null) {
        this.#options.onDamaged(
          new TesseraError('store-failed', `The index was damaged. It was moved to ${damaged} and is made anew.`),
        );
      }
      // Nothing finished to search: what is written can be searched at once.
      if (this.#serving === undefined || damaged !== null || !this.#serving.isComplete) this.#serving = store;
      return { store, turns: new FileTurns(), lock };
    } catch (error) {
      lock.dispose();
      throw error;
    }
  }

  #opened(): IndexCatalog {
    if (this.#catalog === undefined) throw new TesseraError('not-indexed', 'The folder is not open.');
    return this.#catalog;
  }
}
