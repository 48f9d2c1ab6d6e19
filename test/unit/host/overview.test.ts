import { expect, test } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import type { FolderState } from '../../../src/protocol/server.ts';
import { type FolderSummary, overviewOf } from '../../../src/host/folders/overview.ts';

const RUNNING = { kind: 'running', generation: 1, pid: 1 } as const;
const idle = (files: number): FolderState => ({ kind: 'idle', files, chunks: files * 10 });
const indexing = (filesDone: number, secondsLeft: number | null): FolderState => ({
  kind: 'indexing',
  progress: {
    folder: '/a',
    phase: 'indexing',
    filesDone,
    filesTotal: 100,
    chunksDone: 0,
    chunksPerSecond: 5,
    secondsLeft,
  },
});
const folder = (state: FolderState, change: Partial<FolderSummary> = {}): FolderSummary => ({
  state,
  permission: 'index',
  pausedBy: null,
  lastError: undefined,
  ...change,
});

test('idle folders are counted together', () => {
  expect(overviewOf(RUNNING, [folder(idle(2)), folder(idle(3))])).toEqual({ kind: 'idle', files: 5, chunks: 50 });
});

test('folders being indexed add up, and the slower one says how long is left', () => {
  const overview = overviewOf(RUNNING, [folder(indexing(10, 30)), folder(indexing(20, 90)), folder(idle(1))]);
  expect(overview).toMatchObject({
    kind: 'indexing',
    filesDone: 30,
    filesTotal: 200,
    chunksPerSecond: 10,
    secondsLeft: 90,
  });
});

test('time left is unknown while one folder does not know it', () => {
  expect(overviewOf(RUNNING, [folder(indexing(1, 5)), folder(indexing(1, null))])).toMatchObject({ secondsLeft: null });
});

test('trouble comes before work, work before rest', () => {
  const error = new TesseraError('store-failed', 'no');
  const broken = folder(idle(1), { lastError: error });
  expect(overviewOf({ kind: 'failed', error }, [folder(idle(1))]).kind).toBe('failed');
  expect(overviewOf(RUNNING, [folder(indexing(1, 1)), broken])).toMatchObject({ kind: 'degraded', error });
  expect(overviewOf(RUNNING, [folder({ kind: 'degraded', reason: 'no vectors' }), folder(indexing(1, 1))]).kind).toBe(
    'degraded',
  );
  expect(overviewOf(RUNNING, [folder(idle(1)), folder(indexing(1, 1))]).kind).toBe('indexing');
});

test('another window that writes an index is no trouble', () => {
  const waiting: FolderState = { kind: 'waiting', program: 'VS Code' };
  expect(overviewOf(RUNNING, [folder(waiting), folder(idle(1))])).toEqual({ kind: 'waiting' });
  expect(overviewOf(RUNNING, [folder(waiting), folder(indexing(1, 1))]).kind).toBe('indexing');
});

test('a person’s pause is told apart from the battery’s', () => {
  const paused: FolderState = { kind: 'paused', pendingFiles: 4 };
  expect(overviewOf(RUNNING, [folder(paused, { pausedBy: 'battery' })])).toEqual({
    kind: 'paused',
    pendingFiles: 4,
    reason: 'battery',
  });
  expect(
    overviewOf(RUNNING, [folder(paused, { pausedBy: 'battery' }), folder(paused, { pausedBy: 'asked' })]),
  ).toMatchObject({
    pendingFiles: 8,
    reason: 'asked',
  });
});

test('untrusted folders are restricted, whether the server runs or not', () => {
  const untrusted = { permission: 'search' } as const;
  expect(overviewOf({ kind: 'stopped' }, [folder({ kind: 'closed' }, untrusted)]).kind).toBe('restricted');
  expect(overviewOf(RUNNING, [folder(idle(3), untrusted)])).toEqual({ kind: 'restricted', files: 3, chunks: 30 });
});

test('no folder and folders switched off are states of their own', () => {
  expect(overviewOf(RUNNING, [])).toEqual({ kind: 'no-folder' });
  expect(overviewOf(RUNNING, [folder(idle(1), { permission: 'none' })])).toEqual({ kind: 'off' });
});

test('what the last search lacked shows while nothing else is to be told', () => {
  const reason = 'only words were compared';
  expect(overviewOf(RUNNING, [folder(idle(1))], reason)).toEqual({
    kind: 'degraded',
    reason,
    error: undefined,
    isOfSearch: true,
  });
  expect(overviewOf(RUNNING, [folder(indexing(1, 1))], reason).kind).toBe('indexing');
});
