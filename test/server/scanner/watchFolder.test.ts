import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FolderChange } from '../../../src/process/changeCoalescer.ts';
import { watchFolder, watchRecursively } from '../../../src/server/scanner/watchFolder.ts';
import { makeFolder, OPTIONS, remove, write } from './temporaryFolder.ts';

const TIMING = { quietMs: 20, longestWaitMs: 200, pollMs: 30, safetyMs: 3_600_000 };

let folder: string;
let stop: AbortController;
let changes: FolderChange[];

beforeEach(() => {
  folder = makeFolder({
    'src/a.ts': 'a',
    'src/deep/b.ts': 'b',
    'ignored/c.ts': 'c',
    '.gitignore': 'ignored/\n*.log\n',
  });
  stop = new AbortController();
  changes = [];
});

afterEach(() => {
  stop.abort();
  remove(folder);
});

const start = () => watchFolder(folder, OPTIONS, (change) => changes.push(change), stop.signal, TIMING);

/** Every path told of so far, itself or by a folder around it. */
function isTold(file: string): boolean {
  return changes.some(
    (change) =>
      change.kind === 'everything' || change.paths.some((told) => file === told || file.startsWith(`${told}/`)),
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

describe('watchFolder', () => {
  it('tells of files written, created, renamed and deleted', async () => {
    await start();
    write(folder, { 'src/a.ts': 'changed', 'src/new.ts': 'new' });
    fs.renameSync(path.join(folder, 'src/deep/b.ts'), path.join(folder, 'src/deep/renamed.ts'));
    await until(() => ['src/a.ts', 'src/new.ts', 'src/deep/b.ts', 'src/deep/renamed.ts'].every(isTold));
    fs.rmSync(path.join(folder, 'src/a.ts'));
    changes.length = 0;
    await until(() => isTold('src/a.ts'));
    expect(changes.every((change) => change.kind === 'paths')).toBe(true);
  });

  it('gathers many changes of one file into one batch', async () => {
    await start();
    for (let count = 0; count < 50; count++) write(folder, { 'src/a.ts': `version ${count}` });
    await until(() => isTold('src/a.ts'));
    // A busy machine may tell of them in more than one batch; how they are gathered is `ChangeCoalescer`'s to show.
    expect(changes.length).toBeLessThan(50);
    for (const change of changes) expect(change).toEqual({ kind: 'paths', paths: ['src/a.ts'] });
  });

  it('says nothing of what is ignored', async () => {
    await start();
    write(folder, { 'ignored/c.ts': 'changed', 'src/trace.log': 'noise' });
    write(folder, { 'src/a.ts': 'changed' });
    await until(() => isTold('src/a.ts'));
    for (const change of changes) expect(change).toEqual({ kind: 'paths', paths: ['src/a.ts'] });
  });

  it('watches folders that come later, with all that was in them already', async () => {
    await start();
    const outside = makeFolder({ 'one/two/x.ts': 'x' });
    fs.renameSync(path.join(outside, 'one'), path.join(folder, 'moved'));
    remove(outside);
    await until(() => isTold('moved/two/x.ts'));
    changes.length = 0;
    write(folder, { 'moved/two/x.ts': 'changed', 'moved/two/three/y.ts': 'y' });
    await until(() => isTold('moved/two/x.ts') && isTold('moved/two/three/y.ts'));
  });

  it('loses none of many folders made and filled at once', async () => {
    await start();
    const files = Array.from({ length: 200 }, (_, index) => `made/${index % 20}/${index}/${index}.ts`);
    for (const file of files) {
      write(folder, { [file]: 'x' });
      await Promise.resolve();
    }
    await until(() => files.every(isTold));
  });

  it('goes on watching a folder that was deleted and made again', async () => {
    await start();
    remove(path.join(folder, 'src'));
    write(folder, { 'src/deep/again.ts': 'again' });
    await until(() => isTold('src/deep/again.ts'));
    changes.length = 0;
    write(folder, { 'src/deep/again.ts': 'changed' });
    await until(() => isTold('src/deep/again.ts'));
  });

  it('says everything may have changed when an ignore file did, and watches what is now allowed', async () => {
    await start();
    write(folder, { '.gitignore': '*.log\n' });
    await until(() => changes.some((change) => change.kind === 'everything'));
    changes.length = 0;
    write(folder, { 'ignored/c.ts': 'changed' });
    await until(() => isTold('ignored/c.ts'));
  });

  it('says everything may have changed, again and again, where nothing can be watched', async () => {
    const noSpace = () => Promise.reject(Object.assign(new Error('no more watches'), { code: 'ENOSPC' }));
    await watchFolder(folder, OPTIONS, (change) => changes.push(change), stop.signal, TIMING, noSpace);
    await until(() => changes.length >= 3);
    expect(changes.every((change) => change.kind === 'everything')).toBe(true);
  });

  it('says everything may have changed when the folder itself goes', async () => {
    await start();
    remove(folder);
    await until(() => changes.some((change) => change.kind === 'everything'));
  });

  it('is silent once stopped', async () => {
    await start();
    write(folder, { 'src/a.ts': 'changed' });
    stop.abort();
    write(folder, { 'src/a.ts': 'changed again' });
    await delay(TIMING.quietMs * 3);
    expect(changes).toEqual([]);
  });

  it('refuses a folder that is not there', async () => {
    await expect(
      watchFolder(path.join(folder, 'nowhere'), OPTIONS, () => undefined, stop.signal, TIMING),
    ).rejects.toMatchObject({ code: 'folder-unreadable' });
  });

  it('can leave the tree to the system where that can watch one', async () => {
    await watchFolder(folder, OPTIONS, (change) => changes.push(change), stop.signal, TIMING, watchRecursively);
    write(folder, { 'src/deep/b.ts': 'changed' });
    await until(() => isTold('src/deep/b.ts'));
  });
});
