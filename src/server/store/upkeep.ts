import type { Table } from '@lancedb/lancedb';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { UpkeepNeed } from './chunkStore.ts';
import { FULL_TEXT_ROWS, createFullTextIndex, dropFullTextIndex, fullTextIndexState } from './fullTextIndex.ts';
import { createIdIndex, ensureIdIndex, probeIdIndex } from './idIndex.ts';
import { INDEX_ROW_ID } from './rowEncoding.ts';

/**
 * Every commit adds a small data file, and a search reads them all. Compacting writes the whole table anew, so it is worth
 * it once the files are many for the table's size.
 */
const COMMITS_BEFORE_UPKEEP = 48;
const ROWS_PER_EXTRA_COMMIT = 4_000;

/** After how many times those commits it is worth it although somebody may be waiting. */
const OVERDUE = 4;

/** Knows when a table is worth compacting: by this process's commits, since only the writer may. */
export class Upkeep {
  readonly #fullTextRows: number;
  #commits = 0;

  /** `fullTextRows`: rows from which the table has a full-text index. */
  constructor(fullTextRows = FULL_TEXT_ROWS) {
    this.#fullTextRows = fullTextRows;
  }

  noteCommit(): void {
    this.#commits += 1;
  }

  async isNeeded(table: Table, rows: number, need: UpkeepNeed): Promise<boolean> {
    const due = COMMITS_BEFORE_UPKEEP + rows / ROWS_PER_EXTRA_COMMIT;
    if (this.#commits >= { any: 1, due, overdue: OVERDUE * due }[need]) return true;
    // Whoever made the table so large was ended before its upkeep: every search of it looks at all rows.
    return need !== 'overdue' && rows >= this.#fullTextRows && (await fullTextIndexState(table)) !== 'readable';
  }

  /** Brings indexes up to date, compacts, and lets go of old versions. Only for the writer, between its commits. */
  async run(table: Table, rows: number, logger: Logger): Promise<void> {
    const isWordsIndexed = await this.#settleFullTextIndex(table, rows, logger);
    try {
      await ensureIdIndex(table);
      // A damaged one would be passed over without a word.
      await probeIdIndex(table, INDEX_ROW_ID);
      await compact(table);
    } catch (error) {
      // A damaged index cannot be brought up to date. The rows it is made from are the truth.
      logger.warn('the indexes of a table are made anew', { error: errorMessage(error) });
      await createIdIndex(table);
      if (isWordsIndexed) await createFullTextIndex(table);
      await compact(table);
    }
    this.#commits = 0;
  }

  /** Makes the full-text index when the table has become large, and lets go of it well below that; true when there is one then. */
  async #settleFullTextIndex(table: Table, rows: number, logger: Logger): Promise<boolean> {
    const state = await fullTextIndexState(table);
    if (rows < this.#fullTextRows / (state === 'none' ? 1 : 2)) {
      if (state !== 'none') await dropFullTextIndex(table);
      return false;
    }
    if (state === 'damaged') logger.warn('the full-text index cannot be read and is made anew');
    if (state !== 'readable') await createFullTextIndex(table);
    return true;
  }
}

async function compact(table: Table): Promise<void> {
  // This process is the only writer, so that files no version names are leftovers of a killed one.
  // The version before a pass outlives it; the second one lets go of that and takes milliseconds.
  for (let pass = 0; pass < 2; pass++) {
    await table.optimize({ cleanupOlderThan: new Date(), deleteUnverified: true });
  }
}
