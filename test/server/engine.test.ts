import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deferred } from '../../src/base/deferred.ts';
import { SILENT_LOGGER } from '../../src/base/logger.ts';
import { createChunker } from '../../src/server/chunking/createChunker.ts';
import { createEngine } from '../../src/server/createEngine.ts';
import type { Engine } from '../../src/server/engine.ts';
import { FolderIndex } from '../../src/server/folderIndex.ts';
import { SETTINGS } from './indexer/indexedFolder.ts';

let root: string;
let engine: Engine;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'tessera-engine-'));
  engine = createEngine({ program: 'a test', logger: SILENT_LOGGER, chunker: createChunker() });
});

afterEach(async () => {
  vi.restoreAllMocks();
  engine.dispose();
  await rm(root, { recursive: true, force: true });
});

it('a folder opened again while it is being closed waits for that, so that it does not meet its own lock', async () => {
  const request = { folder: root, indexDir: path.join(root, 'index'), settings: SETTINGS };
  const first = await engine.folder(request);
  const closed = new Deferred<void>();
  vi.spyOn(FolderIndex.prototype, 'close').mockReturnValueOnce(closed.promise);
  const closing = engine.closeFolder(root);
  let second: FolderIndex | undefined;
  const opening = engine.folder(request).then((index) => (second = index));
  const again = engine.folder(request);
  await nextTurn();
  expect(second).toBeUndefined();
  closed.resolve();
  await closing;
  expect(await opening).not.toBe(first);
  expect(await again).toBe(second);
});
