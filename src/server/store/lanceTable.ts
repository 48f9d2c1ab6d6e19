import type { Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';
import { storeFailure } from './storeFailure.ts';

/** A LanceDB table whose reads see the newest commit, and whose writes of this process come one after the other. Failures are `store-failed`. */
export class LanceTable {
  readonly name: string;
  readonly #table: Table;
  /** Tail of the writes: upkeep must never remove files that a write has not committed yet. */
  #writes: Promise<unknown> = Promise.resolve();
  /** Version after this process's last write; undefined before the first one, and when one failed. */
  #leftAt: number | undefined;
  /** Reads and writes under way. */
  #uses = 0;
  #isClosed = false;

  constructor(table: Table) {
    this.name = table.name;
    this.#table = table;
  }

  version(): Promise<number> {
    return this.read('version', (table) => table.version());
  }

  /** Whether nobody has written since this process did. */
  async isAsLeft(): Promise<boolean> {
    return this.#leftAt !== undefined && this.#leftAt === (await this.version());
  }

  select(operation: string, where: string, columns: readonly string[], limit?: number): Promise<ArrowTable> {
    return this.read(operation, (table) => {
      const query = table
        .query()
        .where(where)
        .select([...columns]);
      return (limit === undefined ? query : query.limit(limit)).toArrow();
    });
  }

  /** A read that began before upkeep removed the files of its version fails; the newest version has the answer. */
  read<T>(operation: string, read: (table: Table) => Promise<T>): Promise<T> {
    return storeFailure(operation, () =>
      this.#use(async () => {
        try {
          return await read(this.#table);
        } catch (error) {
          if (!this.#table.isOpen()) throw error;
          await this.#table.checkoutLatest();
          return await read(this.#table);
        }
      }),
    );
  }

  write<T>(operation: string, write: (table: Table) => Promise<T>): Promise<T> {
    const result = this.#writes.then(() =>
      storeFailure(operation, () =>
        this.#use(async () => {
          const written = await write(this.#table);
          this.#leftAt = await this.#table.version();
          return written;
        }),
      ),
    );
    // Whether a failed write reached the disk is for the disk to say.
    this.#writes = result.catch(() => (this.#leftAt = undefined));
    return result;
  }

  /** What is under way is finished; LanceDB does not close a table that is being read. */
  close(): void {
    this.#isClosed = true;
    if (this.#uses === 0) this.#table.close();
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    this.#uses += 1;
    try {
      return await work();
    } finally {
      this.#uses -= 1;
      if (this.#isClosed && this.#uses === 0) this.#table.close();
    }
  }
}
