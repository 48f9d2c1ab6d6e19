import { describe, expect, it, vi } from 'vitest';
import { ChunkIndex, type IndexableFile } from '../../../src/search/chunkIndex.ts';
import { Rehearsal, rehearsedWords } from '../../../src/server/search/rehearsal.ts';

const NO_REST = { minChunks: 1_000, restMs: 0 };

function file(path: string, ...symbols: readonly string[]): IndexableFile {
  const chunks = symbols.map((symbol, ordinal) => ({
    id: `${path}#${ordinal}`,
    startLine: ordinal + 1,
    endLine: ordinal + 1,
    symbol,
    enclosing: [],
    definitions: [],
    text: symbol,
    vector: null,
  }));
  return { path, scope: 'code', language: 'typescript', chunks };
}

function indexOf(...files: readonly IndexableFile[]): ChunkIndex {
  const index = new ChunkIndex({ dimensions: { code: 0, docs: 0 }, hasOneSpace: true });
  index.add(files);
  return index;
}

const names = (count: number) => Array.from({ length: count }, (_, at) => `name${at}`);

describe('the words of a rehearsal', () => {
  it('are names from all over the index', () => {
    const { segments } = indexOf(file('a.ts', ...names(100)));
    expect(rehearsedWords(segments, 4)).toEqual(['name0', 'name25', 'name50', 'name75']);
  });

  it('are plain words, each once', () => {
    const { segments } = indexOf(file('a.ts', 'lang:ts', '"x', '', 'open', 'open', '-no', 'größe'));
    expect(rehearsedWords(segments, 9)).toEqual(['open', 'größe']);
  });

  it('are none for an index without names', () => {
    expect(rehearsedWords(indexOf(file('a.ts', '', '')).segments)).toEqual([]);
  });
});

describe('a rehearsal', () => {
  it('is due once for an index that is worth it, and again when that has doubled', () => {
    const rehearsal = new Rehearsal(NO_REST);
    const index = { chunkCount: 10 };
    expect(rehearsal.isDue(index)).toBe(false);
    index.chunkCount = 10_000;
    expect([rehearsal.isDue(index), rehearsal.isDue(index)]).toEqual([true, false]);
    index.chunkCount = 19_000;
    expect(rehearsal.isDue(index)).toBe(false);
    index.chunkCount = 20_000;
    expect([rehearsal.isDue(index), rehearsal.isDue({ chunkCount: 20_000 })]).toEqual([true, true]);
  });

  it('searches for each word, one after the other', async () => {
    const { segments } = indexOf(file('a.ts', ...names(100)));
    let under = 0;
    const search = vi.fn(async () => {
      expect(++under).toBe(1);
      await Promise.resolve();
      under--;
    });
    await new Rehearsal(NO_REST).run(segments, search, new AbortController().signal);
    expect(search.mock.calls).toEqual(rehearsedWords(segments).map((word) => [word]));
  });

  it('waits while somebody searches', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    try {
      const rehearsal = new Rehearsal({ ...NO_REST, restMs: 1 });
      rehearsal.noteSearch();
      const search = vi.fn(() => Promise.resolve());
      const run = rehearsal.run(indexOf(file('a.ts', 'one')).segments, search, new AbortController().signal);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(search).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      await run;
      expect(search).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const search = vi.fn(() => {
      stop.abort();
      return Promise.resolve();
    });
    const { segments } = indexOf(file('a.ts', ...names(100)));
    await expect(new Rehearsal(NO_REST).run(segments, search, stop.signal)).rejects.toThrow();
    expect(search).toHaveBeenCalledTimes(1);
  });
});
