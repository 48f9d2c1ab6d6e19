import { describe, expect, test } from 'vitest';
import { file, indexOf, pathsOf, search } from './searchFixtures.ts';

describe('the index in memory', () => {
  test('forgets what a file held before', () => {
    const index = indexOf(file('a.ts', 'old words'), file('b.ts', 'other words'));
    index.add([file('a.ts', 'new text')]);
    expect(pathsOf(search(index, 'old'))).toEqual([]);
    expect(pathsOf(search(index, 'new'))).toEqual(['a.ts']);
    expect(pathsOf(search(index, 'words'))).toEqual(['b.ts']);
    expect(index.fileCount).toBe(2);
  });

  test('forgets a removed file', () => {
    const index = indexOf(file('a.ts', 'words'), file('b.ts', 'words'));
    index.remove(['a.ts', 'unknown.ts']);
    expect(pathsOf(search(index, 'words'))).toEqual(['b.ts']);
  });

  test('says which files to add anew when small segments are many', () => {
    const index = indexOf(file('a.ts', 'words'));
    for (let save = 0; save < 20; save++) index.add([file(`f${save}.ts`, 'words')]);
    const worth = index.filesWorthMerging();
    expect(worth).toHaveLength(21);
    index.add(worth.map((path) => file(path, 'words')));
    expect(index.filesWorthMerging()).toEqual([]);
    expect(index.segments).toHaveLength(1);
    expect(search(index, 'words', { limit: 50 })).toHaveLength(21);
  });

  test('ranks alike however its files came in', () => {
    const files = Array.from({ length: 30 }, (_, n) =>
      file(`src/f${n}.ts`, { text: `alpha beta${n % 7} gamma${n % 3}`, vector: [Math.cos(n), Math.sin(n), 0, 0] }),
    );
    const once = indexOf(...files);
    const bit = indexOf();
    for (const one of files) bit.add([one]);
    bit.add(files);
    const vectors = { code: Float32Array.of(1, 0, 0, 0), docs: null };
    expect(pathsOf(search(bit, 'beta3 gamma1', { vectors }))).toEqual(
      pathsOf(search(once, 'beta3 gamma1', { vectors })),
    );
  });
});
