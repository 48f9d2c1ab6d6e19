import { readFileSync, rmSync } from 'node:fs';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { errorCode } from '../scanner/fileErrors.ts';
import { type DisposableLike, toDisposable } from '../../base/disposable.ts';
import { TesseraError } from '../../base/errors.ts';

/** Who writes an index. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** Distinguishes processes that were given the same pid one after the other; empty where the platform does not tell. */
  readonly processStart: string;
  /** For people: `VS Code`, `tessera index`. */
  readonly program: string;
}

/** An owner on another machine (a shared home folder) can't be looked up; it counts as alive while it renews its lock. */
const RENEW_EVERY_MS = 15_000;
const FOREIGN_LOCK_EXPIRES_MS = 60_000;

/**
 * Becomes the only writer of what `file` guards, or rejects with `store-locked`, naming the writer. A lock whose process has
 * died is taken over, so that a kill never leaves an index locked.
 */
export async function acquireWriterLock(file: string, program: string): Promise<DisposableLike> {
  const owner: LockOwner = {
    pid: process.pid,
    host: os.hostname(),
    processStart: processStartOf(process.pid),
    program,
  };
  const proposal = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(proposal, JSON.stringify(owner));
  try {
    // A link is made whole or not at all, and by one process only.
    while (!(await tryLink(proposal, file))) {
      const holder = await readOwner(file);
      if (holder !== undefined && (await isAlive(holder, file))) throw lockedError(holder);
      await removeStale(file, proposal);
    }
  } finally {
    await unlink(proposal).catch(() => undefined);
  }
  const renewal = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), RENEW_EVERY_MS);
  renewal.unref();
  return toDisposable(() => {
    clearInterval(renewal);
    // At once, since the process may be about to exit.
    rmSync(file, { force: true });
  });
}

/** The living process that writes, or undefined when none does. */
export async function currentWriter(file: string): Promise<LockOwner | undefined> {
  const holder = await readOwner(file);
  return holder !== undefined && (await isAlive(holder, file)) ? holder : undefined;
}

function lockedError(holder: LockOwner): TesseraError {
  return new TesseraError('store-locked', `${holder.program} (process ${holder.pid}) is writing this index.`, {
    details: { pid: holder.pid, host: holder.host, program: holder.program },
  });
}

async function tryLink(proposal: string, file: string): Promise<boolean> {
  try {
    await link(proposal, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale lock away before removing it: of two processes that found it stale, one fails here and looks again. */
async function removeStale(file: string, proposal: string): Promise<void> {
  const aside = `${proposal}.stale`;
  try {
    await rename(file, aside);
    await unlink(aside);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

async function readOwner(file: string): Promise<LockOwner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isLockOwner(owner) ? owner : undefined;
  } catch {
    // Gone meanwhile, or damaged: nobody can be named, so nobody holds it.
    return undefined;
  }
}

function isLockOwner(value: unknown): value is LockOwner {
  return typeof value === 'object' && value !== null && 'pid' in value && 'host' in value && 'processStart' in value;
}

async function isAlive(owner: LockOwner, file: string): Promise<boolean> {
  if (owner.host !== os.hostname()) {
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: 0 }));
    return Date.now() - mtimeMs < FOREIGN_LOCK_EXPIRES_MS;
  }
  if (owner.pid === process.pid) return owner.processStart === processStartOf(process.pid);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    if (errorCode(error) !== 'EPERM') return false;
  }
  const start = processStartOf(owner.pid);
  return start === '' || owner.processStart === '' || start === owner.processStart;
}

/** Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), where there is a /proc. */
function processStartOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more.
    return fields[0] === 'Z' ? 'dead' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
