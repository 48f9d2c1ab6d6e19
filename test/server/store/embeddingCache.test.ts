import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Table, connect } from '@lancedb/lancedb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Logger, type LogRecord } from '../../../src/base/logger.ts';
import { DiskEmbeddingCache } from '../../../src/server/store/embeddingCache.ts';

let folder: string;
let records: LogRecord[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-cache-'));
  records = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const ENTRIES = new Map([['key', Float32Array.of(0.5, 0.25)]]);
const OTHERS = new Map([['other', Float32Array.of(0.25, 0.5)]]);

function open(dir = folder): DiskEmbeddingCache {
  const logger = new Logger({ level: 'debug', write: (record) => records.push(record) }, 'cache');
  return new DiskEmbeddingCache(dir, { maxBytes: 1 << 20, logger });
}

/** A cache on the disk with `ENTRIES` of two dimensions, and with some of three. */
async function fill(): Promise<void> {
  const cache = open();
  cache.add(2, ENTRIES);
  cache.add(3, new Map([['third', Float32Array.of(0.5, 0.25, 0.125)]]));
  await cache.flush();
}

const tables = async () => (await readdir(folder)).sort();

/** The class of LanceDB's tables, to make its methods fail. */
async function tableClass(): Promise<Table> {
  const connection = await connect(folder);
  const prototype = Object.getPrototypeOf(await connection.openTable('vectors-d2-g1')) as Table;
  connection.close();
  return prototype;
}

/** Makes every file of a kind in a table unreadable, as a crash of the machine may. */
async function damage(table: string, part: 'data' | '_versions'): Promise<void> {
  const dir = path.join(folder, `${table}.lance`, part);
  for (const name of await readdir(dir)) await truncate(path.join(dir, name), 10);
}

describe('the embedding cache', () => {
  it('gives the next cache over the same folder what was flushed', async () => {
    await fill();
    expect(await open().lookup(2, ['key', 'other'])).toEqual(ENTRIES);
    expect(records).toEqual([]);
  });

  it('answers while it writes', async () => {
    await fill();
    const cache = open();
    await cache.lookup(2, ['key']);
    for (let round = 0; round < 5; round++) {
      cache.add(2, new Map(Array.from({ length: 1_000 }, (_, at) => [`${round}-${at}`, Float32Array.of(0.5, 0.25)])));
      const flushed = cache.flush();
      for (let lookups = 0; lookups < 10; lookups++) expect(await cache.lookup(2, ['key'])).toEqual(ENTRIES);
      await flushed;
    }
    expect(records).toEqual([]);
  });

  it('piles nothing up in memory when it cannot be kept', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, '');
    const cache = open(path.join(file, 'cache'));
    cache.add(2, ENTRIES);
    await cache.flush();
    expect(await cache.lookup(2, ['key'])).toEqual(new Map());
    expect(records.map(({ level }) => level)).toEqual(['warn']);
  });

  it.each(['data', '_versions'] as const)(
    'goes on with a new table when the %s of one cannot be read, and leaves the others alone',
    async (part) => {
      await fill();
      await damage('vectors-d2-g1', part);
      const cache = open();
      expect(await cache.lookup(2, ['key'])).toEqual(new Map());
      cache.add(2, OTHERS);
      await cache.flush();
      expect(await open().lookup(2, ['other'])).toEqual(OTHERS);
      expect((await open().lookup(3, ['third'])).size).toBe(1);
      expect(records.every(({ level }) => level === 'warn')).toBe(true);
      expect(records.length).toBeGreaterThan(0);
      expect(await tables()).toContain('vectors-d2-g2.lance');
    },
  );

  it('loses nothing when the disk is full, says so, and goes on when there is room again', async () => {
    await fill();
    const cache = open();
    vi.spyOn(await tableClass(), 'add').mockRejectedValueOnce(new Error('No space left on device (os error 28)'));
    cache.add(2, OTHERS);
    await cache.flush();
    expect(records).toEqual([expect.objectContaining({ level: 'warn' })]);
    expect(await cache.lookup(2, ['key', 'other'])).toEqual(ENTRIES);
    cache.add(2, OTHERS);
    await cache.flush();
    expect(await open().lookup(2, ['key', 'other'])).toEqual(new Map([...ENTRIES, ...OTHERS]));
    expect(await tables()).toEqual(['vectors-d2-g1.lance', 'vectors-d3-g1.lance']);
  });

  it('loses nothing when no file can be opened for a while', async () => {
    await fill();
    vi.spyOn(await tableClass(), 'query').mockImplementation(() => {
      throw new Error('Too many open files (os error 24)');
    });
    expect(await open().lookup(2, ['key'])).toEqual(new Map());
    vi.restoreAllMocks();
    expect(await open().lookup(2, ['key'])).toEqual(ENTRIES);
  });
});
