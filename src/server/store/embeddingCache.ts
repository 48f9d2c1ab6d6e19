import { type Connection, type Table, connect } from '@lancedb/lancedb';
import {
  Table as ArrowTable,
  Field,
  FixedSizeList,
  Float16,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  makeData,
  vectorFromArray,
} from 'apache-arrow';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { writeHalves } from './halfFloat.ts';
import { makeFolder } from './makeFolder.ts';
import { decodeVectors } from './rowDecoding.ts';
import { sqlIn } from './sqlText.ts';

/** Vectors by embedding key, kept beyond the index they were made for. */
export interface EmbeddingCache {
  /** The vectors known for these keys. Never fails: what can't be read is not known. */
  lookup(dimension: number, keys: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
  /** Remembers vectors; they reach the disk in large groups and at `flush`. Never fails. */
  add(dimension: number, entries: ReadonlyMap<string, Float32Array>): void;
  flush(): Promise<void>;
}

/** Bytes of a row besides its halves: key and column overhead. */
const ROW_OVERHEAD_BYTES = 40;
/** An append costs some 30 ms and a file however small it is. */
const ROWS_PER_WRITE = 2_048;
/** Lookups read every file of a generation: 45 ms for 512 keys in 100 files of 2,048 rows, 15 ms in one. */
const WRITES_BEFORE_COMPACTION = 16;
/** Another process may be reading what a compaction replaced. */
const OLD_VERSIONS_KEPT_MS = 60_000;
/** After a failure to open the cache (no file descriptors left, a disk that is away), until it is tried again. */
const RETRY_AFTER_MS = 60_000;

/** The two tables of one vector length. */
interface Generations {
  /** Where new rows go. */
  readonly young: Table;
  readonly youngNumber: number;
  /** The one before; what is found here is still used and moves to the young one. */
  readonly old: Table | undefined;
}

/**
 * An embedding cache on disk, shared by every folder, branch, worktree and process of a user. Its size is bounded by generations:
 * when the young table has half of the allowance it becomes the old one and the previous old one is deleted, so that what has
 * not been used for a generation goes, without counting uses. Lost, it costs time and nothing else, but a failure never deletes it:
 * most pass by themselves (a full disk), and a table that stays unreadable is followed by a new generation, and goes with its own.
 */
export class DiskEmbeddingCache implements EmbeddingCache {
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #logger: Logger;
  readonly #generations = new Map<number, Promise<Generations | undefined>>();
  /** Tables this process could not read: not asked again. */
  readonly #unreadable = new Set<string>();
  /** LanceDB refuses to tell a table's name while the table is being written to. */
  readonly #names = new WeakMap<Table, string>();
  readonly #pending = new Map<number, Map<string, Float32Array>>();
  #connection: Promise<Connection> | undefined;
  #work: Promise<void> = Promise.resolve();
  #writes = 0;

  constructor(dir: string, options: { readonly maxBytes: number; readonly logger: Logger }) {
    this.#dir = dir;
    this.#maxBytes = options.maxBytes;
    this.#logger = options.logger;
  }

  async lookup(dimension: number, keys: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    const pending = this.#pending.get(dimension);
    for (const key of keys) {
      const vector = pending?.get(key);
      if (vector !== undefined) found.set(key, vector);
    }
    const generations = await this.#open(dimension);
    if (generations === undefined) return found;
    const { young, old } = generations;
    const missing = () => keys.filter((key) => !found.has(key));
    const known = await this.#read(young, dimension, missing());
    for (const [key, vector] of known ?? []) found.set(key, vector);
    if (old !== undefined) {
      const revived = (await this.#read(old, dimension, missing())) ?? new Map<string, Float32Array>();
      this.add(dimension, revived);
      for (const [key, vector] of revived) found.set(key, vector);
    }
    // What cannot be read must not be added to.
    if (known === undefined) await this.#replaceYoung(dimension, generations);
    return found;
  }

  add(dimension: number, entries: ReadonlyMap<string, Float32Array>): void {
    let pending = this.#pending.get(dimension);
    if (pending === undefined) this.#pending.set(dimension, (pending = new Map<string, Float32Array>()));
    for (const [key, vector] of entries) pending.set(key, vector);
    if (pending.size >= ROWS_PER_WRITE) void this.flush();
  }

  flush(): Promise<void> {
    this.#work = this.#work.then(async () => {
      for (const dimension of this.#pending.keys()) await this.#write(dimension);
    });
    return this.#work;
  }

  async #write(dimension: number): Promise<void> {
    const entries = this.#pending.get(dimension);
    const generations = await this.#open(dimension);
    // What cannot be kept must not pile up.
    if (generations === undefined) entries?.clear();
    if (entries === undefined || entries.size === 0 || generations === undefined) return;
    const written = new Map(entries);
    try {
      await generations.young.add(encode(written, dimension));
      for (const [key, vector] of written) if (entries.get(key) === vector) entries.delete(key);
      this.#writes += 1;
      if (this.#writes % WRITES_BEFORE_COMPACTION === 0) {
        await generations.young.optimize({ cleanupOlderThan: new Date(Date.now() - OLD_VERSIONS_KEPT_MS) });
      }
      const rows = await generations.young.countRows();
      if (rows * (dimension * 2 + ROW_OVERHEAD_BYTES) > this.#maxBytes / 2)
        await this.#turnOver(dimension, generations);
    } catch (error) {
      entries.clear();
      this.#warn('embeddings could not be kept', error);
    }
  }

  /** Undefined when the table cannot be read, now or before. */
  async #read(
    table: Table,
    dimension: number,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, Float32Array> | undefined> {
    const name = this.#names.get(table) ?? '';
    if (this.#unreadable.has(name)) return new Map();
    try {
      return await read(table, dimension, keys);
    } catch {
      // Once more: another process may have compacted it meanwhile.
      try {
        await table.checkoutLatest();
        return await read(table, dimension, keys);
      } catch (error) {
        this.#unreadable.add(name);
        this.#warn('kept embeddings cannot be read', error);
        return undefined;
      }
    }
  }

  async #replaceYoung(dimension: number, generations: Generations): Promise<void> {
    try {
      await this.#turnOver(dimension, generations);
    } catch (error) {
      this.#warn('embeddings cannot be kept', error);
    }
  }

  async #turnOver(dimension: number, { youngNumber }: Generations): Promise<void> {
    const connection = await this.#connect();
    await openOrCreate(connection, tableName(dimension, youngNumber + 1), dimension);
    this.#generations.delete(dimension);
    await this.#open(dimension);
  }

  #open(dimension: number): Promise<Generations | undefined> {
    let generations = this.#generations.get(dimension);
    if (generations === undefined) {
      generations = this.#openTables(dimension).catch((error: unknown) => {
        this.#warn('kept embeddings cannot be used', error);
        this.#connection = undefined;
        setTimeout(() => this.#generations.delete(dimension), RETRY_AFTER_MS).unref();
        return undefined;
      });
      this.#generations.set(dimension, generations);
    }
    return generations;
  }

  async #openTables(dimension: number): Promise<Generations> {
    const connection = await this.#connect();
    const numbers = (await connection.listTables()).tables
      .flatMap((name) => generationOf(name, dimension) ?? [])
      .sort((a, b) => b - a);
    const [newest = 1, ...others] = numbers;
    const { young, youngNumber } = await this.#openYoung(connection, dimension, newest);
    let old: Table | undefined;
    for (const number of youngNumber === newest ? others : numbers) {
      const name = tableName(dimension, number);
      if (old !== undefined) await connection.dropTable(name);
      else
        old = await connection
          .openTable(name)
          .then((table) => this.#named(name, table))
          .catch((error: unknown) => this.#pass(name, error));
    }
    return { young, youngNumber, old };
  }

  /** The newest table, or a newer one when that cannot be opened. */
  async #openYoung(
    connection: Connection,
    dimension: number,
    newest: number,
  ): Promise<{ readonly young: Table; readonly youngNumber: number }> {
    const open = async (youngNumber: number) => {
      const name = tableName(dimension, youngNumber);
      return { young: this.#named(name, await openOrCreate(connection, name, dimension)), youngNumber };
    };
    try {
      return await open(newest);
    } catch (error) {
      this.#pass(tableName(dimension, newest), error);
      return open(newest + 1);
    }
  }

  #named(name: string, table: Table): Table {
    this.#names.set(table, name);
    return table;
  }

  #pass(name: string, error: unknown): undefined {
    this.#unreadable.add(name);
    this.#warn('kept embeddings cannot be read', error);
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= makeFolder(this.#dir).then(() => connect(this.#dir, { readConsistencyInterval: 0 }));
    return this.#connection;
  }

  #warn(what: string, error: unknown): void {
    const message = errorMessage(error).slice(0, 300);
    this.#logger.warn(`${what}: texts seen before may be embedded again`, { folder: this.#dir, error: message });
  }
}

/** A cache that knows nothing. */
export const NO_EMBEDDING_CACHE: EmbeddingCache = {
  lookup: () => Promise.resolve(new Map()),
  add: () => undefined,
  flush: () => Promise.resolve(),
};

function tableName(dimension: number, generation: number): string {
  return `vectors-d${dimension}-g${generation}`;
}

function generationOf(name: string, dimension: number): number | undefined {
  const prefix = tableName(dimension, 0).slice(0, -1);
  return name.startsWith(prefix) ? Number(name.slice(prefix.length)) : undefined;
}

function schemaOf(dimension: number): Schema {
  const vector = new FixedSizeList(dimension, new Field('item', new Float16(), true));
  return new Schema([new Field('key', new Utf8(), false), new Field('vector', vector, false)]);
}

async function openOrCreate(connection: Connection, name: string, dimension: number): Promise<Table> {
  // Of two processes that make it at once, one fails and opens the other's.
  return connection
    .openTable(name)
    .catch(() => connection.createEmptyTable(name, schemaOf(dimension)).catch(() => connection.openTable(name)));
}

async function read(table: Table, dimension: number, keys: readonly string[]): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  if (keys.length === 0) return found;
  const rows = await table.query().where(sqlIn('key', keys)).select(['key', 'vector']).toArrow();
  const block = decodeVectors(rows, 'vector', dimension, 'key');
  block.ids.forEach((key, row) => found.set(key, block.vectors.subarray(row * dimension, (row + 1) * dimension)));
  return found;
}

function encode(entries: ReadonlyMap<string, Float32Array>, dimension: number): ArrowTable {
  const schema = schemaOf(dimension);
  const halves = new Uint16Array(entries.size * dimension);
  let row = 0;
  for (const vector of entries.values()) writeHalves(vector, halves, row++ * dimension);
  const [keyField, vectorField] = schema.fields;
  const keys = vectorFromArray([...entries.keys()], new Utf8()).data[0];
  if (keyField === undefined || vectorField === undefined || keys === undefined)
    throw new RangeError('Nothing to encode.');
  const vectors = makeData({
    type: vectorField.type as FixedSizeList<Float16>,
    length: entries.size,
    nullCount: 0,
    child: makeData({ type: new Float16(), data: halves }),
  });
  const struct = makeData({
    type: new Struct(schema.fields),
    length: entries.size,
    nullCount: 0,
    children: [keys, vectors],
  });
  return new ArrowTable(schema, new RecordBatch(schema, struct));
}
