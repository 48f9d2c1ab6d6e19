import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { link, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { errorCode } from '../scanner/fileErrors.ts';
import { type DisposableLike, toDisposable } from '../../base/disposable.ts';
import { TesseraError } from '../../base/errors.ts';
import { startTicksOf, startTimeOf } from './processStart.ts';

/** Who writes an index. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** Distinguishes processes that were given the same pid one after the other; empty where the platform does not tell. */
  readonly processStart: string;
  /** For people: `VS Code`, `tessera index`. */
  readonly program: string;
}

/** A lock file as it was read: whose it is, and what makes it another one than any before or after. */
interface HeldLock {
  /** Undefined when the file is damaged: nobody can be named, so nobody holds it. */
  readonly owner: LockOwner | undefined;
  /** Hash of the content, which is never the same twice. */
  readonly id: string;
  readonly renewedAtMs: number;
  readonly takenAtMs: number;
}

/** A living owner renews its lock this often. */
const RENEW_EVERY_MS = 15_000;
/** Where it can't be looked up whether the owner lives, a lock that was not renewed for so long has none. */
const EXPIRES_MS = 60_000;
/** Systems tell when a process started in whole seconds. */
const START_TOLERANCE_MS = 2_000;

/** Ids of the locks held by this process. */
const heldHere = new Set<string>();

/**
 * Becomes the only writer of what `file` guards, or rejects with `store-locked`, naming the writer. A lock whose process has
 * died is taken over, so that a kill never leaves an index locked.
 */
export async function acquireWriterLock(file: string, program: string): Promise<DisposableLike> {
  const owner: LockOwner = { pid: process.pid, host: os.hostname(), processStart: startTicksOf(process.pid), program };
  const content = JSON.stringify({ ...owner, takenAtMs: Date.now(), nonce: randomUUID() });
  const id = idOf(content);
  const proposal = `${file}.${id}`;
  heldHere.add(id);
  try {
    await writeFile(proposal, content);
    await take(file, proposal, file);
  } catch (error) {
    heldHere.delete(id);
    throw error;
  } finally {
    await rm(proposal, { force: true });
  }
  // What cannot be swept now harms nobody, and the next writer tries again.
  await sweep(file).catch(() => undefined);
  const renewal = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), RENEW_EVERY_MS);
  renewal.unref();
  return toDisposable(() => {
    clearInterval(renewal);
    heldHere.delete(id);
    // At once, since the process may be about to exit.
    removeOwn(file, id);
  });
}

/** The living process that writes, or undefined when none does. */
export async function currentWriter(file: string): Promise<LockOwner | undefined> {
  const held = await readLock(file);
  return held?.owner !== undefined && (await isAlive(held.owner, held)) ? held.owner : undefined;
}

/**
 * Makes `file` a link to the proposal. Of several processes that find the same lock stale, the one that holds that lock's own guard
 * replaces it, after it has looked again; the guard is a lock like any other, and is taken over in the same way when its holder died.
 *
 * @param lockFile the lock at the bottom of it all, which guards are named after
 */
async function take(file: string, proposal: string, lockFile: string): Promise<void> {
  // A link is made whole or not at all, and by one process only.
  while (!(await tryLink(proposal, file))) {
    const held = await readLock(file);
    if (held === undefined) continue;
    if (held.owner !== undefined && (await isAlive(held.owner, held))) throw lockedError(held.owner);
    const guard = `${lockFile}.after-${held.id}`;
    await take(guard, proposal, lockFile);
    try {
      if ((await readLock(file))?.id === held.id) {
        // By name, not by link: a rename replaces what is there in one step.
        const successor = `${proposal}.next`;
        await link(proposal, successor);
        await rename(successor, file);
        return;
      }
    } finally {
      await rm(guard, { force: true });
    }
  }
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

/** Undefined when there is no lock (any more). */
async function readLock(file: string): Promise<HeldLock | undefined> {
  try {
    const content = await readFile(file, 'utf8');
    const { mtimeMs } = await stat(file);
    const parsed = parseLock(content);
    return { ...parsed, id: idOf(content), renewedAtMs: mtimeMs, takenAtMs: parsed.takenAtMs ?? mtimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseLock(content: string): { readonly owner: LockOwner | undefined; readonly takenAtMs: number | undefined } {
  try {
    const value: unknown = JSON.parse(content);
    const takenAtMs = typeof value === 'object' && value !== null && 'takenAtMs' in value ? value.takenAtMs : undefined;
    return {
      owner: isLockOwner(value) ? value : undefined,
      takenAtMs: typeof takenAtMs === 'number' ? takenAtMs : undefined,
    };
  } catch {
    // Damaged by a full disk or a crash of the machine.
    return { owner: undefined, takenAtMs: undefined };
  }
}

function isLockOwner(value: unknown): value is LockOwner {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'host' in value &&
    'processStart' in value &&
    'program' in value
  );
}

function idOf(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

async function isAlive(owner: LockOwner, { id, renewedAtMs, takenAtMs }: HeldLock): Promise<boolean> {
  const isFresh = Date.now() - renewedAtMs < EXPIRES_MS;
  // An owner on another machine (a shared home folder) can't be looked up.
  if (owner.host !== os.hostname()) return isFresh;
  if (owner.pid === process.pid) return heldHere.has(id);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    if (errorCode(error) !== 'EPERM') return false;
  }
  const ticks = startTicksOf(owner.pid);
  if (ticks === 'dead') return false;
  if (ticks !== '' && owner.processStart !== '') return ticks === owner.processStart;
  if (isFresh) return true;
  // Not renewed: the machine slept, or the pid is another process's by now, one that started after the lock was taken.
  const startedAtMs = await startTimeOf(owner.pid);
  return startedAtMs !== undefined && startedAtMs <= takenAtMs + START_TOLERANCE_MS;
}

/** Removes what processes that died while they took the lock have left beside it. */
async function sweep(file: string): Promise<void> {
  const prefix = `${path.basename(file)}.`;
  for (const name of await readdir(path.dirname(file))) {
    if (!name.startsWith(prefix)) continue;
    const left = path.join(path.dirname(file), name);
    const held = await readLock(left);
    if (held === undefined) continue;
    // One without an owner may be just being written.
    const isLeft =
      held.owner === undefined ? Date.now() - held.renewedAtMs > EXPIRES_MS : !(await isAlive(held.owner, held));
    if (isLeft) await rm(left, { force: true });
  }
}

/** A lock that was taken over (its owner slept too long to be believed alive) is the other process's to remove. */
function removeOwn(file: string, id: string): void {
  try {
    if (idOf(readFileSync(file, 'utf8')) === id) rmSync(file, { force: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
