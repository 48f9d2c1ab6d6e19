import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Connection, connect } from '@lancedb/lancedb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UNINDEXED_ID } from '../../../src/server/store/idIndex.ts';
import { LanceChunkStore } from '../../../src/server/store/lanceChunkStore.ts';
import { sqlIn } from '../../../src/server/store/sqlText.ts';
import { FACTS, SPACES, change, damageIndexes, file } from './smallFiles.ts';

let folder: string;
let connection: Connection;
let store: LanceChunkStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-ids-'));
  connection = await connect(folder, { readConsistencyInterval: 0 });
  store = await LanceChunkStore.create(connection, 'chunks', SPACES, FACTS);
});

afterEach(async () => {
  store.close();
  connection.close();
  await rm(folder, { recursive: true, force: true });
});

/** How the table would look for some ids. */
async function planOf(where: string): Promise<string> {
  const table = await connection.openTable('chunks');
  return table.query().where(where).select(['id', 'text']).explainPlan();
}

describe('the index of ids', () => {
  it('comes with the first upkeep and is used by whoever reads texts', async () => {
    await store.apply(change([file('a.ts', 'one', "it's two")]));
    expect(await planOf(sqlIn('id', ['a.ts#0']))).not.toContain('ScalarIndexQuery');
    await store.maintain({ need: 'any' });
    expect(await planOf(sqlIn('id', ['a.ts#0']))).toContain('ScalarIndexQuery');
    expect(await planOf(sqlIn(UNINDEXED_ID, ['a.ts#0']))).not.toContain('ScalarIndexQuery');
    expect(await store.textsById(['a.ts#1', 'a.ts#0', 'a.ts#7'])).toEqual(
      new Map([
        ['a.ts#0', 'one'],
        ['a.ts#1', "it's two"],
      ]),
    );
  });

  it('never gives a text that was replaced or removed, before and after further upkeep', async () => {
    const ids = ['a.ts#0', 'a.ts#1', 'b.ts#0', 'c.ts#0', 'd.ts#0'];
    await store.apply(change([file('a.ts', 'a0', 'a1'), file('b.ts', 'b0'), file('c.ts', 'c0')]));
    await store.maintain({ need: 'any' });
    const reader = await LanceChunkStore.open(await connect(folder, { readConsistencyInterval: 0 }), 'chunks', SPACES);
    expect((await reader.textsById(ids)).size).toBe(4);
    await store.apply(change([file('a.ts', 'new a0')]));
    await store.apply(change([file('d.ts', 'd0')], ['b.ts']));
    const now = new Map([
      ['a.ts#0', 'new a0'],
      ['c.ts#0', 'c0'],
      ['d.ts#0', 'd0'],
    ]);
    expect(await store.textsById(ids)).toEqual(now);
    expect(await reader.textsById(ids)).toEqual(now);
    await store.maintain({ need: 'any' });
    expect(await store.textsById(ids)).toEqual(now);
    expect(await reader.textsById(ids)).toEqual(now);
    reader.close();
  });

  it.each([
    { by: 'the writer who comes next', mend: (again: LanceChunkStore) => again.reread() },
    {
      by: 'upkeep',
      mend: async (again: LanceChunkStore) => {
        await again.apply(change([file('b.ts', 'two')]));
        await again.maintain({ need: 'any' });
      },
    },
  ])('that cannot be read keeps no text from anybody, and is made anew by $by', async ({ mend }) => {
    await store.apply(change([file('a.ts', 'one')]));
    await store.maintain({ need: 'any' });
    await damageIndexes(folder);
    const other = await connect(folder, { readConsistencyInterval: 0 });
    const again = await LanceChunkStore.open(other, 'chunks', SPACES);
    await expect(planThenRead(other)).rejects.toThrow();
    expect(await again.textsById(['a.ts#0'])).toEqual(new Map([['a.ts#0', 'one']]));
    await mend(again);
    await planThenRead(other);
    expect(await again.textsById(['a.ts#0'])).toEqual(new Map([['a.ts#0', 'one']]));
    again.close();
    other.close();
  });

  it('with damaged pages keeps no text back, and no upkeep from being done', async () => {
    const names = Array.from({ length: 3000 }, (_, n) => `f${n}.ts`);
    await store.apply(change(names.map((name) => file(name, ...[0, 1, 2, 3, 4].map((at) => `${name} ${at}`)))));
    await store.maintain({ need: 'any' });
    for (const part of [0.1, 0.5, 0.9]) {
      await damagePages(part);
      const other = await connect(folder, { readConsistencyInterval: 0 });
      const again = await LanceChunkStore.open(other, 'chunks', SPACES);
      const expectAllTexts = async () => {
        const texts = await again.textsById(names.map((name) => `${name}#3`));
        expect(texts).toEqual(new Map(names.map((name) => [`${name}#3`, `${name} 3`])));
      };
      await expectAllTexts();
      await again.apply(change([file('new.ts', `new ${part}`)]));
      await again.maintain({ need: 'any' });
      await expectAllTexts();
      again.close();
      other.close();
    }
  });
});

async function planThenRead(through: Connection): Promise<void> {
  const table = await through.openTable('chunks');
  await table
    .query()
    .where(sqlIn('id', ['a.ts#0']))
    .select(['id'])
    .toArrow();
}

/** Zeroes some bytes at a part of the way through the sorted ids. */
async function damagePages(part: number): Promise<void> {
  const indexes = path.join(folder, 'chunks.lance', '_indices');
  for (const entry of await readdir(indexes, { recursive: true, withFileTypes: true })) {
    if (entry.name !== 'page_data.lance') continue;
    const pages = await open(path.join(entry.parentPath, entry.name), 'r+');
    const { size } = await pages.stat();
    await pages.write(Buffer.alloc(512), 0, 512, Math.floor(size * part));
    await pages.close();
  }
}
