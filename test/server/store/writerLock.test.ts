import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireWriterLock, currentWriter } from '../../../src/server/store/writerLock.ts';

let folder: string;
let file: string;
let other: ChildProcess;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-lock-'));
  file = path.join(folder, 'writer.lock');
  other = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(other, 'spawn');
});

afterEach(async () => {
  if (other.exitCode === null && other.signalCode === null) {
    other.kill('SIGKILL');
    await once(other, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

const LONG_AGO_MS = Date.parse('2001-02-03T04:05:06Z');

/** A lock as another process has left it; without a start, as on systems without `/proc`. */
async function leaveLock(
  at: string,
  owner: { readonly pid: number; readonly takenAtMs?: number },
  renewedAtMs: number,
) {
  const content = {
    host: os.hostname(),
    processStart: '',
    program: 'another program',
    takenAtMs: renewedAtMs,
    ...owner,
  };
  await writeFile(at, JSON.stringify(content));
  await utimes(at, renewedAtMs / 1_000, renewedAtMs / 1_000);
}

/** A pid nobody has. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}

/** The file by which processes that find this lock stale settle who replaces it. */
function guardOf(stale: string): string {
  const id = createHash('sha256').update(readFileSync(stale)).digest('hex').slice(0, 16);
  return `${file}.after-${id}`;
}

const takers = (count: number) =>
  Promise.allSettled(Array.from({ length: count }, () => acquireWriterLock(file, 'a test')));

describe('a writer lock', () => {
  it('left by a dead process is taken by one of all who find it', async () => {
    const pid = await deadPid();
    for (let round = 0; round < 30; round++) {
      await leaveLock(file, { pid }, Date.now());
      const results = await takers(8);
      const taken = results.filter((result) => result.status === 'fulfilled');
      expect(taken).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'store-locked' });
      }
      expect(await currentWriter(file)).toMatchObject({ pid: process.pid, program: 'a test' });
      for (const { value } of taken) value.dispose();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('is taken although those who began to take it over have died at it, and leaves nothing behind', async () => {
    const pid = await deadPid();
    await leaveLock(file, { pid, takenAtMs: 1 }, Date.now());
    const guard = guardOf(file);
    await leaveLock(guard, { pid, takenAtMs: 2 }, Date.now());
    await leaveLock(guardOf(guard), { pid, takenAtMs: 3 }, Date.now());
    const lock = await acquireWriterLock(file, 'a test');
    expect(await readdir(folder)).toEqual(['writer.lock']);
    lock.dispose();
  });

  it('names its living holder to others', async () => {
    await leaveLock(file, { pid: other.pid ?? 0 }, Date.now());
    await expect(acquireWriterLock(file, 'a test')).rejects.toMatchObject({
      code: 'store-locked',
      details: { pid: other.pid, program: 'another program' },
    });
    expect(await readdir(folder)).toEqual(['writer.lock']);
  });

  it('whose pid was given to another process is taken over', async () => {
    await leaveLock(file, { pid: other.pid ?? 0 }, LONG_AGO_MS);
    const lock = await acquireWriterLock(file, 'a test');
    lock.dispose();
  });

  it('of a process that has slept is still its own', async () => {
    await leaveLock(file, { pid: other.pid ?? 0, takenAtMs: Date.now() }, LONG_AGO_MS);
    await expect(acquireWriterLock(file, 'a test')).rejects.toMatchObject({ code: 'store-locked' });
  });

  it('left by an earlier process with our own pid is taken over', async () => {
    await leaveLock(file, { pid: process.pid }, Date.now());
    const lock = await acquireWriterLock(file, 'a test');
    lock.dispose();
  });

  it('that is damaged is taken over', async () => {
    await writeFile(file, '{"pid": 1');
    const lock = await acquireWriterLock(file, 'a test');
    await expect(acquireWriterLock(file, 'a test')).rejects.toMatchObject({ code: 'store-locked' });
    lock.dispose();
  });

  it('that another process has taken over meanwhile is left to it', async () => {
    const lock = await acquireWriterLock(file, 'a test');
    await leaveLock(file, { pid: other.pid ?? 0 }, Date.now());
    const before = await readFile(file, 'utf8');
    lock.dispose();
    expect(await readFile(file, 'utf8')).toBe(before);
  });
});
