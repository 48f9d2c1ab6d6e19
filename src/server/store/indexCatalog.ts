import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { type Connection, connect } from '@lancedb/lancedb';
import type { DisposableLike } from '../../base/disposable.ts';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { IndexFacts } from './indexFacts.ts';
import { LanceChunkStore } from './lanceChunkStore.ts';
import { SCHEMA_VERSION } from './rowEncoding.ts';
import { storeFailure } from './storeFailure.ts';
import { type VectorSpaces, vectorSpaces } from './vectorSpaces.ts';
import { acquireWriterLock } from './writerLock.ts';

/** What an index was made by; another maker's rows can't be mixed with ours, so it is the index's name. */
export interface IndexMaker {
  readonly models: Readonly<Record<Scope, ModelInfo>>;
  readonly chunkerVersion: number;
}

const TABLE_NAME = /^chunks-s(?<schema>\d+)-m(?<model>[0-9a-f]+)-c(?<chunker>\d+)-g(?<generation>\d+)$/;

interface TableName {
  readonly name: string;
  /** All but the generation. */
  readonly maker: string;
  readonly schema: number;
  readonly model: string;
  readonly generation: number;
}

/**
 * The indexes of one folder: the one that serves and, while a rebuild or a change of model, chunker or schema is under way,
 * the one being made beside it. Each is a LanceDB table; names tell makers apart and count generations, and "finished" is in the
 * table itself, so that a kill at any moment leaves a state the next start understands.
 */
export class IndexCatalog implements DisposableLike {
  readonly dir: string;
  readonly spaces: VectorSpaces;
  readonly #connection: Connection;
  readonly #folder: string;
  readonly #maker: IndexMaker;
  readonly #makerName: string;
  readonly #modelHash: string;
  readonly #logger: Logger;

  private constructor(dir: string, folder: string, maker: IndexMaker, connection: Connection, logger: Logger) {
    this.dir = dir;
    this.spaces = vectorSpaces(maker.models);
    this.#folder = folder;
    this.#maker = maker;
    this.#modelHash = modelHash(maker.models);
    this.#makerName = `chunks-s${SCHEMA_VERSION}-m${this.#modelHash}-c${maker.chunkerVersion}`;
    this.#connection = connection;
    this.#logger = logger;
  }

  static async open(dir: string, folder: string, maker: IndexMaker, logger: Logger): Promise<IndexCatalog> {
    return storeFailure('open', async () => {
      // Indexes hold the text of the code: nobody else's business.
      await mkdir(dir, { recursive: true, mode: 0o700 });
      // Interval 0: every read looks for the newest commit, another process's too.
      const connection = await connect(dir, { readConsistencyInterval: 0 });
      return new IndexCatalog(dir, folder, maker, connection, logger);
    });
  }

  /** Rejects with `store-locked` while another process writes. */
  lock(program: string): Promise<DisposableLike> {
    return acquireWriterLock(this.lockFile, program);
  }

  get lockFile(): string {
    return path.join(this.dir, 'writer.lock');
  }

  /**
   * The index searches should use now: the newest finished one of this maker, else of an earlier chunker with the same models,
   * else of other models (whose vectors can't be compared with our queries': words only), else the unfinished one; undefined when
   * there is none that can be read.
   */
  async openServing(): Promise<LanceChunkStore | undefined> {
    let unfinished: LanceChunkStore | undefined;
    for (const table of await this.#servable()) {
      const store = await this.#tryOpen(table);
      if (store === undefined) continue;
      if (store.isComplete) {
        unfinished?.close();
        return store;
      }
      if (unfinished === undefined && table.maker === this.#makerName) unfinished = store;
      else store.close();
    }
    return unfinished;
  }

  /**
   * The index to bring up to date, made when there is none. `rebuild` starts a new one, unless one was started and not
   * finished. A damaged index is moved aside, and `damaged` says so. When `serving` is the one, it is returned itself, so
   * that what searches have made from it stays good. Only for the lock's holder.
   */
  async openForWriting(
    rebuild: boolean,
    serving: LanceChunkStore | undefined,
  ): Promise<{ readonly store: LanceChunkStore; readonly damaged: string | null }> {
    const tables = await this.#tables();
    const own = tables.filter((table) => table.maker === this.#makerName);
    let damaged: string | null = null;
    const [newest] = own;
    if (newest !== undefined) {
      try {
        const store =
          serving?.name === newest.name
            ? serving
            : await LanceChunkStore.open(this.#connection, newest.name, this.spaces, this.#logger);
        await store.reread();
        await store.repairFullTextIndex();
        if (!rebuild || !store.isComplete) return { store, damaged };
      } catch (error) {
        damaged = await this.#moveAside(newest.name, error);
      }
    }
    const generation = Math.max(0, ...tables.map((table) => table.generation)) + 1;
    const facts: IndexFacts = {
      folder: this.#folder,
      models: [...new Set([this.#maker.models.code.name, this.#maker.models.docs.name])],
      complete: false,
    };
    const name = `${this.#makerName}-g${generation}`;
    return { store: await LanceChunkStore.create(this.#connection, name, this.spaces, facts, this.#logger), damaged };
  }

  /** Removes every index but this one. Only for the lock's holder. */
  async dropOthers(keep: LanceChunkStore): Promise<void> {
    for (const { name } of await this.#tables()) {
      if (name === keep.name) continue;
      try {
        await rm(path.join(this.dir, `${name}.lance`), { recursive: true, force: true });
      } catch (error) {
        // In use by another process where the system minds; the next full pass tries again.
        this.#logger.warn('a replaced index could not be removed', { name, error: errorMessage(error) });
      }
    }
  }

  dispose(): void {
    this.#connection.close();
  }

  /** Newest first. */
  async #tables(): Promise<TableName[]> {
    const names = await readdir(this.dir);
    return names
      .flatMap((file) => (file.endsWith('.lance') ? (parseTableName(file.slice(0, -'.lance'.length)) ?? []) : []))
      .sort((a, b) => b.generation - a.generation);
  }

  /** Those whose rows have the same shape: this maker's, then those with the same models, then the others. */
  async #servable(): Promise<readonly TableName[]> {
    const rank = (table: TableName) => {
      if (table.maker === this.#makerName) return 0;
      return table.model === this.#modelHash ? 1 : 2;
    };
    const usable = (await this.#tables()).filter((table) => table.schema === SCHEMA_VERSION);
    return usable.sort((a, b) => rank(a) - rank(b));
  }

  async #tryOpen({ name, model }: TableName): Promise<LanceChunkStore | undefined> {
    const spaces = model === this.#modelHash ? this.spaces : undefined;
    try {
      return await LanceChunkStore.open(this.#connection, name, spaces, this.#logger);
    } catch (error) {
      this.#logger.warn('an index cannot be read', { name, error: errorMessage(error) });
      return undefined;
    }
  }

  /** Null when the table never came to be (killed while it was made): then there is nothing to keep. */
  async #moveAside(name: string, reason: unknown): Promise<string | null> {
    const table = path.join(this.dir, `${name}.lance`);
    const versions = await readdir(path.join(table, '_versions')).catch(() => []);
    if (versions.length === 0) {
      await rm(table, { recursive: true, force: true });
      return null;
    }
    const asideDir = path.join(this.dir, 'damaged');
    const aside = path.join(asideDir, `${name}-${new Date().toISOString().replaceAll(':', '.')}`);
    // One is enough to find out what happened; more would fill the disk.
    await rm(asideDir, { recursive: true, force: true });
    await mkdir(asideDir, { recursive: true });
    await rename(table, aside);
    this.#logger.error('the index was damaged and is made anew', { movedTo: aside, error: errorMessage(reason) });
    return aside;
  }
}

function modelHash(models: IndexMaker['models']): string {
  const ids = [models.code, models.docs].map(({ id, dimension }) => `${id}:${dimension}`);
  return createHash('sha256').update(ids.join('|')).digest('hex').slice(0, 12);
}

function parseTableName(name: string): TableName | undefined {
  const groups = TABLE_NAME.exec(name)?.groups;
  if (groups === undefined) return undefined;
  return {
    name,
    maker: name.slice(0, name.lastIndexOf('-g')),
    schema: Number(groups['schema']),
    model: groups['model'] ?? '',
    generation: Number(groups['generation']),
  };
}
