import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { DiskEmbeddingCache } from '../../../src/server/store/embeddingCache.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-cache-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ENTRIES = new Map([['key', Float32Array.of(0.5, 0.25)]]);

it('a flushed vector is found by the next cache over the same folder', async () => {
  const first = new DiskEmbeddingCache(folder, { maxBytes: 1 << 20, logger: SILENT_LOGGER });
  first.add(2, ENTRIES);
  await first.flush();
  const second = new DiskEmbeddingCache(folder, { maxBytes: 1 << 20, logger: SILENT_LOGGER });
  expect(await second.lookup(2, ['key', 'other'])).toEqual(ENTRIES);
});

it('a cache that cannot be kept piles nothing up in memory', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const cache = new DiskEmbeddingCache(path.join(file, 'cache'), { maxBytes: 1 << 20, logger: SILENT_LOGGER });
  cache.add(2, ENTRIES);
  await cache.flush();
  expect(await cache.lookup(2, ['key'])).toEqual(new Map());
});
