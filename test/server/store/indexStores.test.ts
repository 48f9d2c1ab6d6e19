import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import type { ModelInfo } from '../../../src/protocol/embedder.ts';
import { IndexStores } from '../../../src/server/indexStores.ts';
import { IndexCatalog } from '../../../src/server/store/indexCatalog.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-stores-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const MODEL: ModelInfo = {
  id: 'model',
  name: 'model',
  dimension: 4,
  maxTokens: 32,
  device: 'cpu',
  fallbackReason: null,
  multiVector: false,
};

const MAKER = { models: { code: MODEL, docs: MODEL }, chunkerVersion: 1 };

function newStores(): IndexStores {
  return new IndexStores({
    dir: path.join(folder, 'index'),
    folder,
    program: 'test',
    logger: SILENT_LOGGER,
    onDamaged: () => undefined,
  });
}

async function openStores(): Promise<IndexStores> {
  const stores = newStores();
  await stores.open(MAKER);
  return stores;
}

/** Lets the next look for the index to serve find what is there now and tell it only when it is let go. */
function holdNextLook(): Deferred<void> {
  const held = new Deferred<void>();
  vi.spyOn(IndexCatalog.prototype, 'openServing').mockImplementationOnce(async function (this: IndexCatalog) {
    const found = await this.openServing();
    await held.promise;
    return found;
  });
  return held;
}

it('an index that is found after the folder was closed is let go', async () => {
  const found = { store: { close: vi.fn() }, damage: undefined };
  const look = new Deferred<void>();
  vi.spyOn(IndexCatalog.prototype, 'openServing').mockImplementationOnce(async () => {
    await look.promise;
    return found as never;
  });
  const stores = newStores();
  const opening = stores.open(MAKER);
  stores.dispose();
  look.resolve();
  await expect(opening).rejects.toMatchObject({ code: 'disposed' });
  expect(found.store.close).toHaveBeenCalledOnce();
  expect(stores.isOpen).toBe(false);
});

it('a look for another process’s index does not hide the one just begun here', async () => {
  const stores = await openStores();
  const held = holdNextLook();
  const refreshed = stores.refresh();
  await stores.write('full', async ({ store }) => {
    held.resolve();
    await refreshed;
    expect(stores.serving).toBe(store);
  });
  stores.dispose();
});
