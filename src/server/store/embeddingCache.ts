import { mkdir, rm } from 'node:fs/promises';
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
 * not been used for a generation goes, without counting uses. Broken or lost, it costs time and nothing else.
 */
export class DiskEmbeddingCache implements EmbeddingCache {
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #logger: Logger;
  readonly #generations = new Map<number, Promise<Generations | undefined>>();
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
    const missing = () => keys.filter((key) => !found.has(key));
    try {
      for (const [key, vector] of await read(generations.young, dimension, missing())) found.set(key, vector);
      if (generations.old !== undefined) {
        const revived = await read(generations.old, dimension, missing());
        this.add(dimension, revived);
        for (const [key, vector] of revived) found.set(key, vector);
      }
    } catch (error) {
      await this.#giveUp(dimension, error);
    }
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
    // A cache that was given up is never written again: nothing may pile up for it.
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
      await this.#giveUp(dimension, error);
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
      generations = this.#openTables(dimension).catch(async (error: unknown) => {
        await this.#giveUp(dimension, error);
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
    const [youngNumber = 1, oldNumber, ...outdated] = numbers;
    for (const number of outdated) await connection.dropTable(tableName(dimension, number));
    return {
      young: await openOrCreate(connection, tableName(dimension, youngNumber), dimension),
      youngNumber,
      old: oldNumber === undefined ? undefined : await connection.openTable(tableName(dimension, oldNumber)),
    };
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= mkdir(this.#dir, { recursive: true, mode: 0o700 }).then(() =>
      connect(this.#dir, { readConsistencyInterval: 0 }),
    );
    return this.#connection;
  }

  /** Deletes what cannot be read, so that the next process starts with a sound cache; this one goes on without. */
  async #giveUp(dimension: number, error: unknown): Promise<void> {
    this.#logger.warn('the embedding cache is not used', { error: errorMessage(error).slice(0, 300) });
    this.#generations.set(dimension, Promise.resolve(undefined));
    await rm(this.#dir, { recursive: true, force: true }).catch(() => undefined);
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
