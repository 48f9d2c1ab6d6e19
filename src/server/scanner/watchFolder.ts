import * as fs from 'node:fs';
import * as path from 'node:path';
import type { DisposableLike } from '../../base/disposable.ts';
import { DisposableStore, toDisposable } from '../../base/disposable.ts';
import { errorMessage } from '../../base/errors.ts';
import { REPOSITORY_INTERNALS } from '../../indexing/defaultExcludes.ts';
import { ChangeCoalescer, DEFAULT_COALESCER_LIMITS, type FolderChange } from '../../process/changeCoalescer.ts';
import { SYSTEM_CLOCK } from '../../process/systemClock.ts';
import type { ScanOptions } from './entries.ts';
import { FolderRules } from './folderRules.ts';
import { changesRules } from './pathCheck.ts';
import { TreeWatch, type WatchListener } from './treeWatch.ts';

export interface WatchTiming {
  /** Changes are told when nothing happened for so long, … */
  readonly quietMs: number;
  /** … or when the oldest has waited so long. */
  readonly longestWaitMs: number;
  /** How often everything is said to have changed where nothing can be watched. */
  readonly pollMs: number;
  /** How often it is said although everything is watched: systems drop events without a word when their queue is full. */
  readonly safetyMs: number;
}

export const WATCH_TIMING: WatchTiming = { quietMs: 100, longestWaitMs: 500, pollMs: 10_000, safetyMs: 600_000 };

type EstablishWatch = (folder: string, options: ScanOptions, listener: WatchListener) => Promise<DisposableLike>;

/**
 * Tells of every change in a folder, in batches, until the signal aborts. Resolves once no later change can be missed: index
 * after that. Where the system cannot watch, or stops, everything is said to have changed at an interval. What is told may
 * be ignored or unchanged; `checkPaths` decides. Fails with `folder-unreadable`.
 */
export async function watchFolder(
  folder: string,
  options: ScanOptions,
  onChange: (change: FolderChange) => void,
  signal: AbortSignal,
  timing: WatchTiming = WATCH_TIMING,
  establish: EstablishWatch = process.platform === 'linux' ? watchEachFolder : watchRecursively,
): Promise<void> {
  // Before anything else, so that a missing folder is an error and not a reason to poll.
  await FolderRules.open(folder, options);
  if (signal.aborted) return;
  const owned = new DisposableStore();
  const { quietMs, longestWaitMs } = timing;
  const waits = { quietMs, maxWaitMs: longestWaitMs, stormQuietMs: quietMs, stormMaxWaitMs: longestWaitMs };
  const coalescer = owned.add(new ChangeCoalescer(SYSTEM_CLOCK, onChange, { ...DEFAULT_COALESCER_LIMITS, ...waits }));
  let current: DisposableLike | undefined;
  let generation = 0;

  const poll = (error: unknown) => {
    generation++;
    current?.dispose();
    current = undefined;
    coalescer.addEverything(`not watched: ${errorMessage(error)}`);
    every(timing.pollMs, 'not watched', owned, coalescer);
  };

  /** A new watch takes over from the old one; events of older ones are dropped, because everything is told afterwards. */
  const watch = async (): Promise<void> => {
    const own = ++generation;
    const isCurrent = () => own === generation && !owned.isDisposed;
    const listener: WatchListener = {
      changed: (path) => {
        if (!isCurrent()) return;
        if (path === '') coalescer.addEverything('a change without a name');
        else coalescer.add(path);
      },
      outdated: (reason) => {
        if (isCurrent()) void watch().then(() => coalescer.addEverything(reason));
      },
      failed: (error) => {
        if (isCurrent()) poll(error);
      },
    };
    current?.dispose();
    current = undefined;
    try {
      const established = await establish(folder, options, listener);
      if (isCurrent()) current = established;
      else established.dispose();
    } catch (error) {
      if (isCurrent()) poll(error);
    }
  };

  owned.add(toDisposable(() => current?.dispose()));
  every(timing.safetyMs, 'a regular check', owned, coalescer);
  signal.addEventListener('abort', () => owned.dispose(), { once: true });
  await watch();
}

function every(intervalMs: number, reason: string, owner: DisposableStore, coalescer: ChangeCoalescer): void {
  const timer = setInterval(() => coalescer.addEverything(reason), intervalMs);
  owner.add(toDisposable(() => clearInterval(timer)));
}

const watchEachFolder: EstablishWatch = (folder, options, listener) => TreeWatch.establish(folder, options, listener);

/** macOS and Windows watch a whole tree by themselves. */
export const watchRecursively: EstablishWatch = async (folder, options, listener) => {
  const { folder: resolved } = await FolderRules.open(folder, options);
  const watcher = fs.watch(resolved, { recursive: true }, (_, name) => {
    if (name === null) {
      listener.changed('');
      return;
    }
    const changed = path.sep === '/' ? name : name.replaceAll(path.sep, '/');
    if (changesRules(changed)) listener.outdated(`${changed} changed`);
    else if (!changed.split('/').some((part) => REPOSITORY_INTERNALS.has(part))) listener.changed(changed);
  });
  watcher.on('error', (error) => listener.failed(error));
  return toDisposable(() => watcher.close());
};
