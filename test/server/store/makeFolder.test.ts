import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder } from '../../../src/server/store/makeFolder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'tessera-make-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

it('makes a folder and those around it, also several at once, and again', async () => {
  const folder = path.join(root, 'a/b/c');
  await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(path.join(root, 'a/b/d'))]);
  await makeFolder(folder);
  expect((await stat(folder)).isDirectory()).toBe(true);
});

it('refuses a place that is a file or lies in one', async () => {
  const file = path.join(root, 'file');
  await writeFile(file, '');
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(path.join(file, 'inside'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it('ends where the system lets nothing be made', async () => {
  await expect(makeFolder('/proc/nope/inside')).rejects.toBeInstanceOf(Error);
});
