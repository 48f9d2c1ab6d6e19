import { describe, expect, test } from 'vitest';
import { recencyOf } from '../../../src/server/search/loadedFolders.ts';
import type { FileRecord } from '../../../src/server/store/chunkStore.ts';

const DAY_MS = 24 * 3600 * 1000;

function folder(daysOldByPath: Readonly<Record<string, number>>) {
  const files = Object.entries(daysOldByPath).map(
    ([path, days]) => [path, { path, mtimeMs: -days * DAY_MS } as FileRecord] as const,
  );
  return { files: new Map(files) };
}

describe('how lately a file was changed', () => {
  test('halves with every three days before the newest', () => {
    const recency = recencyOf([folder({ new: 0, old: 3, older: 6, ancient: 300 })]);
    expect(recency('old') / recency('new')).toBeCloseTo(0.5);
    expect(recency('older') / recency('new')).toBeCloseTo(0.25);
    expect(recency('new')).toBeGreaterThan(0.5);
    expect(recency('ancient')).toBeCloseTo(0);
    expect(recency('unknown')).toBe(0);
  });

  test('says nothing where all files are as new: the folder has just been cloned', () => {
    const recency = recencyOf([folder({ a: 0, b: 0, c: 0.001 })]);
    expect(recency('a')).toBe(0);
  });
});
