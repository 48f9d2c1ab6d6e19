import { isDeepStrictEqual } from 'node:util';
import type { Connection, Table } from '@lancedb/lancedb';
import { throwIfCancelled, type CancellationSignal } from '../../base/cancellation.ts';
import { errorMessage } from '../../base/errors.ts';
import { SILENT_LOGGER, type Logger } from '../../base/logger.ts';
import type { ChunkStore, ChunkWithVector, FileRecord, StoreChange, UpkeepNeed } from './chunkStore.ts';
import { createFullTextIndex, fullTextIndexState, matchTokens } from './fullTextIndex.ts';
import { createIdIndex, probeIdIndex } from './idIndex.ts';
import { type IndexFacts, type IndexRules, decodeFacts, encodeFacts } from './indexFacts.ts';
import { LanceChunkReader } from './lanceChunkReader.ts';
import { LanceTable } from './lanceTable.ts';
import { LatelyWritten } from './latelyWritten.ts';
import { INDEX_ORDINAL, INDEX_ROW_ID, encodeRows, fileRow, indexRow, rowsOfFile } from './rowEncoding.ts';
import { sqlIn } from './sqlText.ts';
import { storeFailure } from './storeFailure.ts';
import { Upkeep } from './upkeep.ts';
import { NO_VECTOR_SPACES, type VectorSpaces } from './vectorSpaces.ts';

/** The chunk table of one folder in LanceDB. */
export class LanceChunkStore extends LanceChunkReader implements ChunkStore {
  readonly #logger: Logger;
  #facts: IndexFacts;
  readonly #upkeep = new Upkeep();
  readonly #lately = new LatelyWritten();

  private constructor(table: Table, spaces: VectorSpaces, facts: IndexFacts, logger: Logger) {
    super(new LanceTable(table), spaces);
    this.#logger = logger;
    this.#facts = facts;
  }

  /** Makes the table, with its first row. */
  static async create(
    connection: Connection,
    name: string,
    spaces: VectorSpaces,
    facts: IndexFacts,
    logger = SILENT_LOGGER,
  ): Promise<LanceChunkStore> {
    return storeFailure('create', async () => {
      // With its first row in one commit: a kill leaves no table that does not say what it is.
      const table = await connection.createTable(name, encodeRows([indexRow(encodeFacts(facts))], spaces));
      return new LanceChunkStore(table, spaces, facts, logger);
    });
  }

  /**
   * @param spaces undefined when the index's vectors are another model's: then its chunks are read as having none
   * @throws TesseraError `store-failed` when the table cannot be read
   */
  static async open(
    connection: Connection,
    name: string,
    spaces: VectorSpaces = NO_VECTOR_SPACES,
    logger = SILENT_LOGGER,
  ): Promise<LanceChunkStore> {
    return storeFailure('open', async () => {
      const table = await connection.openTable(name);
      const store = new LanceChunkStore(table, spaces, await readFacts(table), logger);
      await store.files();
      return store;
    });
  }

  get isComplete(): boolean {
    return this.#facts.complete;
  }

  apply(change: StoreChange): Promise<void> {
    return this.#write('apply', async (table) => {
      const known = await this.records();
      await this.keepingRecords(async () => {
        await this.#commit(table, change, known);
        this.#upkeep.noteCommit();
        return { version: await table.version(), records: this.#applied(change, known) };
      });
    });
  }

  override async chunksWithVectors(paths: readonly string[]): Promise<readonly ChunkWithVector[]> {
    const records = await this.records();
    const lately = new Map(
      paths.flatMap((path) => {
        const chunks = this.#lately.chunksOf(records.get(path));
        return chunks === undefined ? [] : [[path, chunks] as const];
      }),
    );
    const read = await super.chunksWithVectors(paths.filter((path) => !lately.has(path)));
    return [...read, ...[...lately.values()].flat()];
  }

  async #commit(table: Table, change: StoreChange, known: ReadonlyMap<string, FileRecord>): Promise<void> {
    const { replace, touch } = change;
    const gone = [...replace.map(({ record }) => record.path), ...change.remove].filter((path) => known.has(path));
    const rows = [...replace.flatMap((file) => rowsOfFile(file, this.spaces)), ...touch.map(fileRow)];
    if (rows.length === 0) {
      if (gone.length > 0) await table.delete(sqlIn('path', gone));
    } else if (gone.length === 0 && touch.length === 0) {
      // Nothing to replace: appending neither reads the table nor leaves deleted rows behind.
      await table.add(encodeRows(rows, this.spaces));
    } else {
      // Replaced rows, new rows and the rows that went, in one commit: a kill leaves all of the old or all of the new.
      // By the index of ids a merge would be no faster, and go ways that few others go.
      const merge = table.mergeInsert('id').useIndex(false).whenMatchedUpdateAll().whenNotMatchedInsertAll();
      await (gone.length === 0 ? merge : merge.whenNotMatchedBySourceDelete({ where: sqlIn('path', gone) })).execute(
        encodeRows(rows, this.spaces),
      );
    }
  }

  /** Applies a committed change to the records in memory, so that they are not read again. */
  #applied({ replace, touch, remove }: StoreChange, records: Map<string, FileRecord>): Map<string, FileRecord> {
    for (const path of remove) records.delete(path);
    for (const { record } of replace) records.set(record.path, record);
    for (const record of touch) records.set(record.path, record);
    this.#lately.keep(replace);
    return records;
  }

  /** Which files the index was last made of; undefined when nobody has said. */
  get rules(): IndexRules | undefined {
    return this.#facts.rules;
  }

  /** Remembers which files the index is made of, for a program without settings of its own. */
  keepRules(rules: IndexRules): Promise<void> {
    return this.#keepFacts({ rules });
  }

  markComplete(): Promise<void> {
    return this.#keepFacts({ complete: true });
  }

  #keepFacts(changed: Partial<IndexFacts>): Promise<void> {
    return this.#write('keepFacts', async (table) => {
      const facts = { ...this.#facts, ...changed };
      if (isDeepStrictEqual(facts, this.#facts)) return;
      await table
        .mergeInsert('id')
        .useIndex(false)
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute(encodeRows([indexRow(encodeFacts(facts))], this.spaces));
      this.#facts = facts;
    });
  }

  maintain(options: { readonly need: UpkeepNeed; readonly signal?: CancellationSignal }): Promise<void> {
    return this.#write('maintain', async (table) => {
      const rows = await table.countRows();
      if (!(await this.#upkeep.isNeeded(table, rows, options.need))) return;
      throwIfCancelled(options.signal);
      const startedAt = performance.now();
      await this.#upkeep.run(table, rows, this.#logger);
      this.#logger.debug('index maintained', { rows, tookMs: Math.round(performance.now() - startedAt) });
    });
  }

  /**
   * Looks at every file's row, and at what the index says of itself, on the disk again, and makes an index anew that has become
   * unreadable. Only for the writer. Rejects with `store-failed` when a part of the table has.
   */
  async reread(): Promise<void> {
    this.forgetRecords();
    await this.files();
    this.#facts = await this.table.read('facts', readFacts);
    await this.#repairFullTextIndex();
    await this.#repairIdIndex();
  }

  /** Whether nobody has written since this process last read all of it or wrote. */
  isAsLeft(): Promise<boolean> {
    return this.table.isAsLeft();
  }

  /** The rows it is made from are the truth. */
  #repairFullTextIndex(): Promise<void> {
    return this.#write('repairFullTextIndex', async (table) => {
      if ((await fullTextIndexState(table)) === 'none') return;
      try {
        await matchTokens(table, { tokens: ['probe'], columns: ['id'], limit: 1 });
      } catch (error) {
        this.#logger.warn('the full-text index is made anew', { error: errorMessage(error) });
        await createFullTextIndex(table);
      }
    });
  }

  #repairIdIndex(): Promise<void> {
    return this.#write('repairIdIndex', async (table) => {
      try {
        await probeIdIndex(table, INDEX_ROW_ID);
      } catch (error) {
        this.#logger.warn('the index of ids is made anew', { error: errorMessage(error) });
        await createIdIndex(table);
      }
    });
  }

  close(): void {
    this.table.close();
  }

  async #write<T>(operation: string, write: (table: Table) => Promise<T>): Promise<T> {
    try {
      return await this.table.write(operation, write);
    } catch (error) {
      this.forgetRecords();
      throw error;
    }
  }
}

async function readFacts(table: Table): Promise<IndexFacts> {
  return decodeFacts(await table.query().where(`ordinal = ${INDEX_ORDINAL}`).select(['text']).toArrow());
}
