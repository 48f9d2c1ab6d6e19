import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { type Connection, connect } from '@lancedb/lancedb';
import type { DisposableLike } from '../../base/disposable.ts';
import { TesseraError, errorMessage, isTesseraError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ModelInfo } from '../../protocol/embedder.ts';
import type { Scope } from '../../protocol/scope.ts';
import { errorCode } from '../scanner/fileErrors.ts';
import type { IndexFacts } from './indexFacts.ts';
import { SEARCH_IMAGES, searchImagesDir } from './indexLocation.ts';
import { lockIndex } from './indexLock.ts';
import { LanceChunkStore } from './lanceChunkStore.ts';
import { SCHEMA_VERSION } from './rowEncoding.ts';
import { storeFailure } from './storeFailure.ts';
import { NO_VECTOR_SPACES, type VectorSpaces, vectorSpaces } from './vectorSpaces.ts';

/** What an index was made by; another maker's rows can't be mixed with ours, so it is the index's name. */
export interface IndexMaker {
  readonly models: Readonly<Record<Scope, ModelInfo>>;
  readonly chunkerVersion: number;
}

/** What a pass is for: a new table, all of the folder, or some changed files. */
export type PassKind = 'rebuild' | 'full' | 'changes';

const TABLE_NAME = /^chunks-s(?<schema>\d+)-m(?<model>[0-9a-f]+)-c(?<chunker>\d+)-g(?<generation>\d+)$/;

/** What searches should use, and why it is not there when it should be. */
export interface Serving {
  /** Undefined when there is none that can be read. */
  readonly store: LanceChunkStore | undefined;
  /** Why the newest index that came first could not be read; undefined when it could, or there is none. */
  readonly damage: TesseraError | undefined;
}

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
  #connection: Promise<Connection> | undefined;
  readonly #folder: string;
  readonly #maker: IndexMaker | null;
  readonly #makerName: string;
  readonly #modelHash: string;
  readonly #logger: Logger;

  /**
   * Nothing is made on the disk before something is written.
   *
   * @param maker null when it is not known, since its models cannot be opened: any index may then serve, by its words, and none be written
   */
  constructor(dir: string, folder: string, maker: IndexMaker | null, logger: Logger) {
    this.dir = dir;
    this.spaces = maker === null ? NO_VECTOR_SPACES : vectorSpaces(maker.models);
    this.#folder = folder;
    this.#maker = maker;
    this.#modelHash = maker === null ? '' : modelHash(maker.models);
    this.#makerName = maker === null ? '' : `chunks-s${SCHEMA_VERSION}-m${this.#modelHash}-c${maker.chunkerVersion}`;
    this.#logger = logger;
  }

  /** Rejects with `store-locked` while another process writes. */
  lock(program: string): Promise<DisposableLike> {
    return lockIndex(this.dir, program);
  }

  /**
   * The index searches should use now: the newest finished one of this maker, else of an earlier chunker with the same models,
   * else of other models (whose vectors can't be compared with our queries': words only), else the unfinished one.
   */
  async openServing(): Promise<Serving> {
    let unfinished: LanceChunkStore | undefined;
    let damage: TesseraError | undefined;
    for (const table of await this.#servable()) {
      const opened = await this.#tryOpen(table);
      if (opened instanceof TesseraError) {
        damage ??= opened;
        continue;
      }
      if (opened.isComplete) {
        unfinished?.close();
        return { store: opened, damage };
      }
      const isOurs = this.#maker === null || table.maker === this.#makerName;
      if (unfinished === undefined && isOurs) unfinished = opened;
      else opened.close();
    }
    return { store: unfinished, damage };
  }

  /**
   * The index to bring up to date, made when there is none. A rebuild starts a new one, unless one was started and not
   * finished. All of what memory knows is read again, but for changed files only when somebody else has written since: it grows with the folder. A damaged index is moved aside, and `damaged` says so. When `serving` is the one, it is returned itself, so
   * that what searches have made from it stays good. Only for the lock's holder.
   */
  async openForWriting(
    kind: PassKind,
    serving: LanceChunkStore | undefined,
  ): Promise<{ readonly store: LanceChunkStore; readonly damaged: string | null }> {
    const maker = this.#maker;
    if (maker === null) throw new TesseraError('internal', 'An index was to be written without its models.');
    const tables = await this.#tables();
    const own = tables.filter((table) => table.maker === this.#makerName);
    let damaged: string | null = null;
    const [newest] = own;
    if (newest !== undefined) {
      try {
        const store =
          serving?.name === newest.name
            ? serving
            : await LanceChunkStore.open(await this.#connect(), newest.name, this.spaces, this.#logger);
        if (kind !== 'changes' || !(await store.isAsLeft())) await store.reread();
        if (kind !== 'rebuild' || !store.isComplete) return { store, damaged };
      } catch (error) {
        // That something could not be written says nothing about what is there.
        if (isTesseraError(error, 'disk-full')) throw error;
        damaged = await this.#moveAside(newest.name, error);
      }
    }
    const generation = Math.max(0, ...tables.map((table) => table.generation)) + 1;
    const facts: IndexFacts = {
      folder: this.#folder,
      models: [...new Set([maker.models.code.name, maker.models.docs.name])],
      complete: false,
    };
    const name = `${this.#makerName}-g${generation}`;
    const connection = await this.#connect();
    return { store: await LanceChunkStore.create(connection, name, this.spaces, facts, this.#logger), damaged };
  }

  /** Whether this is the index that passes bring up to date, and still there. Rejects with `store-failed`. */
  async isWritable(serving: LanceChunkStore): Promise<boolean> {
    const tables = await this.#tables();
    return tables.find((table) => table.maker === this.#makerName)?.name === serving.name;
  }

  /**
   * This index with what others have written to it; nothing is made, and nothing moved aside. Rejects with `not-indexed` when
   * `isWritable` no longer holds, and with `store-failed`. Only for the lock's holder.
   */
  async openServingForWriting(serving: LanceChunkStore): Promise<LanceChunkStore> {
    if (!(await this.isWritable(serving))) {
      throw new TesseraError('not-indexed', `The index of ${this.#folder} has gone.`);
    }
    if (!(await serving.isAsLeft())) await serving.reread();
    return serving;
  }

  /** Removes every index but this one. Only for the lock's holder. */
  async dropOthers(keep: LanceChunkStore): Promise<void> {
    const names = await readdir(this.dir).catch(noneWhenMissing);
    const images = names.filter((name) => name.endsWith(SEARCH_IMAGES));
    const tables = (await this.#tables()).map(({ name }) => `${name}.lance`);
    for (const name of [...tables, ...images]) {
      if (path.parse(name).name === keep.name) continue;
      try {
        await rm(path.join(this.dir, name), { recursive: true, force: true, maxRetries: 5 });
      } catch (error) {
        // In use by another process where the system minds; the next full pass tries again.
        this.#logger.warn('a replaced index could not be removed', { name, error: errorMessage(error) });
      }
    }
  }

  removeSearchImages(table: string): Promise<void> {
    return storeFailure('remove', () =>
      rm(searchImagesDir(this.dir, table), { recursive: true, force: true, maxRetries: 5 }),
    );
  }

  dispose(): void {
    // One that could not be made has failed whoever asked for it.
    void this.#connection?.then((connection) => connection.close()).catch(() => undefined);
    this.#connection = undefined;
  }

  #connect(): Promise<Connection> {
    // Interval 0: every read looks for the newest commit, another process's too.
    this.#connection ??= connect(this.dir, { readConsistencyInterval: 0 });
    return this.#connection;
  }

  /** Newest first. */
  async #tables(): Promise<TableName[]> {
    const names = await storeFailure('list', () => readdir(this.dir).catch(noneWhenMissing), this.dir);
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

  async #tryOpen({ name, model }: TableName): Promise<LanceChunkStore | TesseraError> {
    const spaces = model === this.#modelHash ? this.spaces : undefined;
    try {
      return await LanceChunkStore.open(await this.#connect(), name, spaces, this.#logger);
    } catch (error) {
      this.#logger.warn('an index cannot be read', { name, error: errorMessage(error) });
      return new TesseraError('store-failed', `The index of ${this.#folder} is damaged and cannot be read.`, {
        cause: error,
        details: { folder: this.#folder, name },
      });
    }
  }

  /** Null when the table never came to be (killed while it was made): then there is nothing to keep. */
  async #moveAside(name: string, reason: unknown): Promise<string | null> {
    const table = path.join(this.dir, `${name}.lance`);
    await this.removeSearchImages(name);
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

/** A folder whose index was never made has no tables. */
function noneWhenMissing(error: unknown): string[] {
  if (errorCode(error) === 'ENOENT') return [];
  throw error;
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
