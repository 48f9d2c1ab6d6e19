import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

export const REMOVE = { recursive: true, force: true, maxRetries: 5 } as const;

const GROUPS = new Set<ChildProcess>();
const FOLDERS = new Set<string>();

/** Kills the process group a child leads when this process ends, unless the child has ended by then. */
export function killAtExit(child: ChildProcess): void {
  GROUPS.add(child);
  child.once('exit', () => GROUPS.delete(child));
}

/** Removes a folder when this process ends, which an interrupted one does without closing anything. */
export function removeAtExit(folder: string): void {
  FOLDERS.add(folder);
}

/** The folder is removed already. */
export function isRemoved(folder: string): void {
  FOLDERS.delete(folder);
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

process.once('exit', () => {
  // Processes first: whoever still writes into a folder keeps it from being removed.
  for (const child of GROUPS) sayInsteadOfThrowing(() => killGroup(child, 'SIGKILL'));
  for (const folder of FOLDERS) sayInsteadOfThrowing(() => rmSync(folder, REMOVE));
});

/** Thrown, one failure would keep all the others from being ended and removed. */
function sayInsteadOfThrowing(clean: () => void): void {
  try {
    clean();
  } catch (error) {
    console.error('Something of an interrupted run is left behind:', error);
  }
}
