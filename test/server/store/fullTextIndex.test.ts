import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Connection, type Table, connect } from '@lancedb/lancedb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { NO_FILTERS } from '../../../src/protocol/hit.ts';
import { createFullTextIndex, fullTextIndexState } from '../../../src/server/store/fullTextIndex.ts';
import { LanceChunkStore } from '../../../src/server/store/lanceChunkStore.ts';
import { Upkeep } from '../../../src/server/store/upkeep.ts';
import { FACTS, SPACES, change, damageIndexes, file } from './smallFiles.ts';

let folder: string;
let connection: Connection;
let store: LanceChunkStore;
let table: Table;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-words-'));
  connection = await connect(folder, { readConsistencyInterval: 0 });
  store = await LanceChunkStore.create(connection, 'chunks', SPACES, FACTS);
  table = await connection.openTable('chunks');
});

afterEach(async () => {
  table.close();
  store.close();
  connection.close();
  await rm(folder, { recursive: true, force: true });
});

const idsWith = async (...tokens: readonly string[]): Promise<string[]> =>
  (await store.matching({ tokens, limit: 10, filters: NO_FILTERS })).map(({ id }) => id);

const upkeepOf = async (upkeep: Upkeep): Promise<void> => upkeep.run(table, await table.countRows(), SILENT_LOGGER);

describe('the full-text index', () => {
  it('is not made for a folder that is searched in memory, and words are found all the same', async () => {
    await store.apply(change([file('a.ts', 'alpha beta', 'beta beta gamma'), file('b.ts', 'delta')]));
    await store.maintain({ need: 'any' });
    expect(await fullTextIndexState(table)).toBe('none');
    expect(await idsWith('beta')).toEqual(['a.ts#1', 'a.ts#0']);
    await store.apply(change([file('c.ts', 'beta')], ['a.ts']));
    expect(await idsWith('beta', 'delta')).toHaveLength(2);
  });

  it('is made by the upkeep of a table that has become large, also when that was missed', async () => {
    const upkeep = new Upkeep(5);
    await store.apply(change([file('a.ts', 'one')]));
    await upkeepOf(upkeep);
    expect(await fullTextIndexState(table)).toBe('none');
    expect(await upkeep.isNeeded(table, await table.countRows(), 'due')).toBe(false);
    await store.apply(change([file('b.ts', 'two three', 'four')]));
    const rows = await table.countRows();
    expect(await upkeep.isNeeded(table, rows, 'due')).toBe(true);
    // Between two saves nobody is made to wait for it.
    expect(await upkeep.isNeeded(table, rows, 'overdue')).toBe(false);
    await upkeepOf(upkeep);
    expect(await fullTextIndexState(table)).toBe('readable');
    expect(await upkeep.isNeeded(table, rows, 'due')).toBe(false);
    // Both what it holds and what came later.
    await store.apply(change([file('c.ts', 'three')]));
    expect((await idsWith('three')).sort()).toEqual(['b.ts#0', 'c.ts#0']);
  });

  it('goes when the table has become much smaller, and stays when it has become a little smaller', async () => {
    const upkeep = new Upkeep(8);
    await store.apply(change([file('a.ts', '1', '2'), file('b.ts', '3'), file('c.ts', 'four', '5')]));
    await upkeepOf(upkeep);
    expect(await fullTextIndexState(table)).toBe('readable');
    await store.apply(change([], ['b.ts']));
    await upkeepOf(upkeep);
    expect(await fullTextIndexState(table)).toBe('readable');
    await store.apply(change([], ['a.ts']));
    await upkeepOf(upkeep);
    expect(await fullTextIndexState(table)).toBe('readable');
    await store.apply(change([file('c.ts', 'four')]));
    await upkeepOf(upkeep);
    expect(await fullTextIndexState(table)).toBe('none');
    expect(await idsWith('four')).toEqual(['c.ts#0']);
  });

  it('of a table of an earlier version goes with its first upkeep, even when it cannot be read', async () => {
    await store.apply(change([file('a.ts', 'one')]));
    await createFullTextIndex(table);
    await damageIndexes(folder);
    await store.maintain({ need: 'any' });
    expect(await fullTextIndexState(table)).toBe('none');
    expect(await idsWith('one')).toEqual(['a.ts#0']);
  });

  it('that cannot be read is made anew by the upkeep of a large table, and by the writer who comes next', async () => {
    const upkeep = new Upkeep(1);
    await store.apply(change([file('a.ts', 'one')]));
    await upkeepOf(upkeep);
    await damageIndexes(folder);
    await inNewProcess(async (own, again) => {
      await expect(again.matching({ tokens: ['one'], limit: 10, filters: NO_FILTERS })).rejects.toThrow();
      await again.apply(change([file('b.ts', 'two one')]));
      await upkeep.run(own, await own.countRows(), SILENT_LOGGER);
      expect(await again.matching({ tokens: ['one'], limit: 10, filters: NO_FILTERS })).toHaveLength(2);
    });
    await damageIndexes(folder);
    await inNewProcess(async (own, again) => {
      await again.reread();
      expect(await fullTextIndexState(own)).toBe('readable');
      expect(await again.matching({ tokens: ['two'], limit: 10, filters: NO_FILTERS })).toHaveLength(1);
    });
  });
});

/** What this process has read of the indexes is still in its memory. */
async function inNewProcess(use: (own: Table, again: LanceChunkStore) => Promise<void>): Promise<void> {
  const other = await connect(folder, { readConsistencyInterval: 0 });
  const again = await LanceChunkStore.open(other, 'chunks', SPACES);
  await use(await other.openTable('chunks'), again);
  again.close();
  other.close();
}
