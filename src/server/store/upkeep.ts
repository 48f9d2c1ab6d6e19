import type { Table } from '@lancedb/lancedb';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { createFullTextIndex } from './fullTextIndex.ts';
import { createIdIndex, ensureIdIndex } from './idIndex.ts';

/**
 * Every commit adds a small data file, and a search reads them all. Compacting writes the whole table anew, so it is worth
 * it once the files are many for the table's size.
 */
const COMMITS_BEFORE_UPKEEP = 48;
const ROWS_PER_EXTRA_COMMIT = 4_000;

/** After how many times those commits it is worth it although somebody may be waiting. */
const OVERDUE = 4;

/** When upkeep is asked for: however few commits there were (but not without any), once it is worth it, or once it cannot wait any more. */
export type UpkeepNeed = 'any' | 'due' | 'overdue';

/** Knows when a table is worth compacting: by this process's commits, since only the writer may. */
export class Upkeep {
  #commits = 0;

  noteCommit(): void {
    this.#commits += 1;
  }

  isNeeded(rows: number, need: UpkeepNeed): boolean {
    const due = COMMITS_BEFORE_UPKEEP + rows / ROWS_PER_EXTRA_COMMIT;
    return this.#commits >= { any: 1, due, overdue: OVERDUE * due }[need];
  }

  /** Brings indexes up to date, compacts, and lets go of old versions. Only for the writer, between its commits. */
  async run(table: Table, logger: Logger): Promise<void> {
    await ensureIdIndex(table);
    try {
      await compact(table);
    } catch (error) {
      // A damaged index cannot be brought up to date. The rows it is made from are the truth.
      logger.warn('the indexes of a table are made anew', { error: errorMessage(error) });
      await createIdIndex(table);
      await createFullTextIndex(table);
      await compact(table);
    }
    this.#commits = 0;
  }
}

async function compact(table: Table): Promise<void> {
  // This process is the only writer, so that files no version names are leftovers of a killed one.
  // The version before a pass outlives it; the second one lets go of that and takes milliseconds.
  for (let pass = 0; pass < 2; pass++) {
    await table.optimize({ cleanupOlderThan: new Date(), deleteUnverified: true });
  }
}
