import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeBatcher } from '../../../src/server/scanner/changeBatcher.ts';
import type { FolderChange } from '../../../src/server/scanner/entries.ts';

let told: FolderChange[];
let batcher: ChangeBatcher;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  batcher = new ChangeBatcher({ quietMs: 100, longestWaitMs: 500 }, (change) => told.push(change));
});

afterEach(() => {
  batcher.dispose();
  vi.useRealTimers();
});

describe('ChangeBatcher', () => {
  it('tells each path once, after a moment of quiet', () => {
    for (const path of ['a', 'b', 'a']) batcher.add(path);
    vi.advanceTimersByTime(99);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([{ kind: 'paths', paths: ['a', 'b'] }]);
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
  });

  it('waits no longer than it may when changes never rest', () => {
    for (let count = 0; count < 12; count++) {
      batcher.add(`file${count}`);
      vi.advanceTimersByTime(50);
    }
    expect(told).toHaveLength(1);
    vi.advanceTimersByTime(500);
    expect(told.flatMap((change) => (change.kind === 'paths' ? change.paths : []))).toHaveLength(12);
  });

  it('says everything instead of very many paths, and after very many events', () => {
    for (let count = 0; count < 2000; count++) batcher.add(`file${count}`);
    vi.advanceTimersByTime(100);
    for (let count = 0; count < 8193; count++) batcher.add('one');
    vi.advanceTimersByTime(100);
    expect(told.map((change) => change.kind)).toEqual(['everything', 'everything']);
  });

  it('lets everything stand for all paths of its batch', () => {
    batcher.add('a');
    batcher.everything('the rules changed');
    batcher.add('b');
    vi.advanceTimersByTime(100);
    expect(told).toEqual([{ kind: 'everything', reason: 'the rules changed' }]);
  });

  it('is silent once disposed', () => {
    batcher.add('a');
    batcher.dispose();
    batcher.add('b');
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([]);
  });
});
