import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

export const REMOVE = { recursive: true, force: true, maxRetries: 5 } as const;

const GROUPS = new Set<ChildProcess>();
const FOLDERS = new Set<string>();
/** Signals that interrupt, by the exit status that says so. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
const exitOn = (signal: keyof typeof SIGNALS) => {
  // Not left to `exit`: vitest lets no test end its process.
  cleanUp();
  process.exit(SIGNALS[signal]);
};

/** Kills the process group a child leads when this process ends, unless the child has ended by then. */
export function killAtExit(child: ChildProcess): void {
  GROUPS.add(child);
  followSignals();
  child.once('exit', () => {
    GROUPS.delete(child);
    followSignals();
  });
}

/** Removes a folder when this process ends, which an interrupted one does without closing anything. */
export function removeAtExit(folder: string): void {
  FOLDERS.add(folder);
  followSignals();
}

/** The folder is removed already. */
export function isRemoved(folder: string): void {
  FOLDERS.delete(folder);
  followSignals();
}

/** A signal ends a process without its `exit`, unless it is listened to; with nothing to be cleaned it is left to others. */
function followSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.off(signal, exitOn);
    if (GROUPS.size + FOLDERS.size > 0) process.on(signal, exitOn);
  }
}

export function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended by itself, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

process.once('exit', cleanUp);

function cleanUp(): void {
  // Processes first: whoever still writes into a folder keeps it from being removed.
  for (const child of GROUPS) sayInsteadOfThrowing(() => killGroup(child, 'SIGKILL'));
  for (const folder of FOLDERS) sayInsteadOfThrowing(() => rmSync(folder, REMOVE));
}

/** Thrown, one failure would keep all the others from being ended and removed. */
function sayInsteadOfThrowing(clean: () => void): void {
  try {
    clean();
  } catch (error) {
    console.error('Something of an interrupted run is left behind:', error);
  }
}
