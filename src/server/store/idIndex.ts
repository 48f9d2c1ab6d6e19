import { Index, type Table } from '@lancedb/lancedb';
import { sqlIn } from './sqlText.ts';

const COLUMN = 'id';
const NAME = `${COLUMN}_idx`;

/** The same as the column; no index is used for it. */
export const UNINDEXED_ID = `concat(${COLUMN}, '')`;

/** Makes the index by which rows are found by their ids, in place of one that is there. Rows that come later are looked at one by one until upkeep takes them in. */
export async function createIdIndex(table: Table): Promise<void> {
  await table.createIndex(COLUMN, { config: Index.btree(), replace: true, name: NAME });
}

/** For a table of an earlier version. */
export async function ensureIdIndex(table: Table): Promise<void> {
  const indexes = await table.listIndices();
  if (!indexes.some(({ name }) => name === NAME)) await createIdIndex(table);
}

/** Looks for a row by its id; rejects when the index cannot be read. */
export async function probeIdIndex(table: Table, id: string): Promise<void> {
  await table
    .query()
    .where(sqlIn(COLUMN, [id]))
    .select([COLUMN])
    .toArrow();
}
