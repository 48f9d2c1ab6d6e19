import { describe, expect, test } from 'vitest';
import { recencyOf } from '../../../src/server/search/loadedFolders.ts';
import { IndexSegment } from '../../../src/search/chunkIndex.ts';
import type { FileRecord } from '../../../src/server/store/chunkStore.ts';

const DAY_MS = 24 * 3600 * 1000;

function folder(daysOldByPath: Readonly<Record<string, number>>) {
  const files = Object.entries(daysOldByPath).map(
    ([path, days]) => [path, { path, mtimeMs: -days * DAY_MS } as FileRecord] as const,
  );
  const segment = Object.create(IndexSegment.prototype) as IndexSegment;
  return { files: new Map(files), segments: [segment], segment };
}

function recencyIn(one: ReturnType<typeof folder>): (path: string) => number {
  const recency = recencyOf([one]);
  return (path) => recency(path, one.segment);
}

describe('how lately a file was changed', () => {
  test('halves with every three days before the newest', () => {
    const recency = recencyIn(folder({ new: 0, old: 3, older: 6, ancient: 300 }));
    expect(recency('old') / recency('new')).toBeCloseTo(0.5);
    expect(recency('older') / recency('new')).toBeCloseTo(0.25);
    expect(recency('new')).toBeGreaterThan(0.5);
    expect(recency('ancient')).toBeCloseTo(0);
    expect(recency('unknown')).toBe(0);
  });

  test('says nothing where all files are as new: the folder has just been cloned', () => {
    const recency = recencyIn(folder({ a: 0, b: 0, c: 0.001 }));
    expect(recency('a')).toBe(0);
  });

  test('is that of the file in its own folder, not of one with the same path in another', () => {
    const [quiet, busy] = [folder({ README: 30, code: 0 }), folder({ README: 0, code: 30 })];
    const recency = recencyOf([quiet, busy]);
    expect(recency('README', quiet.segment)).toBeLessThan(0.01);
    expect(recency('README', busy.segment)).toBeCloseTo(0.5);
  });
});
