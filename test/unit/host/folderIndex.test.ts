import { expect, test } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { FolderIndex, type FolderPermission } from '../../../src/host/folders/folderIndex.ts';
import type { IndexServer } from '../../../src/host/folders/indexServer.ts';

/** Notes what is asked and answers with little; `failure` makes the next request of a method fail. */
class RecordingServer implements Pick<IndexServer, 'connect' | 'request'> {
  readonly asked: string[] = [];
  readonly failures = new Map<string, TesseraError>();
  /** Whether each opening was to try a failed embedder again. */
  readonly retries: unknown[] = [];
  generation = 1;

  connect = () => Promise.resolve(this.generation);

  request: IndexServer['request'] = (method, params) => {
    const paths =
      typeof params === 'object' && params !== null && 'paths' in params ? (params.paths as string[]) : undefined;
    this.asked.push(paths === undefined ? method : `${method} ${paths.length === 0 ? 'all' : paths.join(' ')}`);
    if (typeof params === 'object' && params !== null && 'retry' in params) this.retries.push(params.retry);
    const failure = this.failures.get(method);
    this.failures.delete(method);
    if (failure !== undefined) return Promise.reject(failure);
    return Promise.resolve((method === 'open' ? { state: { kind: 'idle', files: 1, chunks: 1 } } : null) as never);
  };
}

function folder(permission: FolderPermission = 'index') {
  const server = new RecordingServer();
  const index = new FolderIndex({
    folder: '/work',
    server,
    logger: SILENT_LOGGER,
    permission: () => permission,
    readSettings: () => ({ indexDir: null, settings: {} as never }),
    openPaths: () => [],
  });
  return { server, index };
}

const DIED = new TesseraError('process-exited', 'gone');

test('a folder is opened once in each server process', async () => {
  const { server, index } = folder();
  await Promise.all([index.status(), index.status()]);
  expect(server.asked).toEqual(['open', 'status', 'status']);
  server.generation = 2;
  await index.status();
  expect(server.asked.slice(3)).toEqual(['open', 'status']);
});

test('an embedder that was given up is started again by a person’s request only', async () => {
  const { server, index } = folder();
  const missing = new TesseraError('model-missing', 'no model');
  server.failures.set('open', missing);
  await expect(index.status()).rejects.toBe(missing);
  server.failures.set('open', missing);
  await expect(index.index(false)).rejects.toBe(missing);
  await index.index(true);
  await index.status();
  expect(server.retries).toEqual([false, true, true]);
});

test('a folder that cannot be opened can be cleared', async () => {
  const { server, index } = folder();
  server.failures.set('open', new TesseraError('model-missing', 'no model'));
  await index.clear();
  expect(server.asked).toEqual(['open', 'clear']);
});

test('changes the dying server did not take are made good by comparing the folder', async () => {
  const { server, index } = folder();
  await index.accept({ kind: 'paths', paths: ['a.ts'] });
  server.failures.set('changed', DIED);
  await index.accept({ kind: 'paths', paths: ['b.ts'] });
  expect(index.owesReconcile).toBe(true);
  await index.accept({ kind: 'paths', paths: ['c.ts'] });
  expect(server.asked).toEqual(['open', 'changed a.ts', 'changed b.ts', 'changed all']);
  expect(index.owesReconcile).toBe(false);
});

test('a server that died owes the folder a comparison, which the next one makes', async () => {
  const { server, index } = folder();
  await index.open();
  index.serverDied();
  expect(index.state.kind).toBe('closed');
  server.generation = 2;
  await index.reconcile();
  expect(server.asked).toEqual(['open', 'open', 'index']);
});

test('a folder nobody opened owes nothing when the server dies', () => {
  const { index } = folder();
  index.serverDied();
  expect(index.owesReconcile).toBe(false);
});

test('a folder that another window is writing is left to the server, which waits, and is not in trouble', async () => {
  const { server, index } = folder();
  const locked = new TesseraError('store-locked', 'VS Code (process 1) is writing this index.');
  server.failures.set('index', locked);
  await index.reconcile();
  expect(server.asked).toEqual(['open', 'index', 'changed all']);
  expect(index.lastError).toBeUndefined();
  expect(index.owesReconcile).toBe(false);
  server.failures.set('index', locked);
  await expect(index.index(false)).rejects.toBe(locked);
  expect(server.asked.at(-1)).toBe('changed all');
});

test('cancelled indexing is over; it does not come back with the next save', async () => {
  const { server, index } = folder();
  server.failures.set('index', new TesseraError('cancelled', 'no'));
  await expect(index.index(false)).rejects.toMatchObject({ code: 'cancelled' });
  await index.accept({ kind: 'paths', paths: ['a.ts'] });
  expect(server.asked.at(-1)).toBe('changed a.ts');
});

test('an untrusted folder is opened and searched, never indexed', async () => {
  const { server, index } = folder('search');
  await index.open();
  await index.accept({ kind: 'paths', paths: ['a.ts'] });
  await index.reconcile();
  await expect(index.index(true)).rejects.toMatchObject({ code: 'not-indexed' });
  expect(server.asked).toEqual(['open']);
});

test('a folder that is switched off is not even opened', async () => {
  const { server, index } = folder('none');
  await expect(index.open()).rejects.toMatchObject({ code: 'not-indexed' });
  expect(server.asked).toEqual([]);
});

test('a pause is remembered until the folder is opened, and over server restarts', async () => {
  const { server, index } = folder();
  await index.pause('asked');
  expect(server.asked).toEqual([]);
  await index.open();
  server.generation = 2;
  await index.open();
  expect(server.asked).toEqual(['open', 'pause', 'open', 'pause']);
});

test('work goes on when the last reason to wait is gone', async () => {
  const { server, index } = folder();
  await index.open();
  await index.pause('asked');
  await index.pause('battery');
  await index.resume('battery');
  expect(index.pausedBy).toBe('asked');
  await index.resume('asked');
  expect(server.asked).toEqual(['open', 'pause', 'resume']);
});

test('a paused folder announces a comparison instead of making it', async () => {
  const { server, index } = folder();
  await index.pause('asked');
  await index.reconcile();
  expect(server.asked).toEqual(['open', 'pause', 'changed all']);
});

test('a failure in the background is kept until the next rest, not thrown', async () => {
  const { server, index } = folder();
  server.failures.set('index', new TesseraError('store-failed', 'disk full'));
  await index.reconcile();
  expect(index.lastError?.code).toBe('store-failed');
  index.acceptState({ kind: 'idle', files: 1, chunks: 1 });
  expect(index.lastError).toBeUndefined();
});

test('a server that dies is its own state, not the folder’s failure', async () => {
  const { server, index } = folder();
  server.failures.set('index', DIED);
  await index.reconcile();
  expect(index.lastError).toBeUndefined();
  expect(index.owesReconcile).toBe(true);
});

test('a folder is being indexed from the moment it is asked for, never up to date in between', async () => {
  const { server, index } = folder();
  const kinds: string[] = [];
  index.onState(({ kind }) => kinds.push(kind));
  server.failures.set('index', DIED);
  await index.reconcile();
  // Nothing is awaited any more, whatever became of the pass.
  expect(kinds).toEqual(['closed', 'indexing', 'idle']);
  const pass = index.index(false);
  expect(index.state).toMatchObject({ kind: 'indexing', progress: { phase: 'scanning', filesTotal: 0 } });
  await pass;
  expect(index.state.kind).toBe('idle');
});

test('what the server says of a pass it has begun is shown as it is', async () => {
  const { index } = folder();
  const progress = { folder: '/work', phase: 'indexing', filesDone: 3, filesTotal: 9 } as never;
  await index.open();
  const pass = index.index(false);
  index.acceptState({ kind: 'indexing', progress });
  expect(index.state).toEqual({ kind: 'indexing', progress });
  index.acceptState({ kind: 'idle', files: 9, chunks: 9 });
  expect(index.state.kind).toBe('idle');
  await pass;
});
