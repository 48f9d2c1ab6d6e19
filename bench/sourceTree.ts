import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, statSync, utimesSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const SOURCES = /\.(?:c?[jt]s|mjs|tsx|py|md|rs|go|cc|cpp|h|java|json)$/;
const MAX_BYTES = 60_000;

/**
 * Makes a git repository of `count` real files in a temporary folder: sources of the installed packages, a month to a minute old.
 * The caller deletes it.
 */
export function makeSourceTree(count: number): string {
  const root = path.join(import.meta.dirname, '../node_modules');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tessera-tree-'));
  let copied = 0;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (copied === count) break;
    const source = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || !SOURCES.test(entry.name) || statSync(source).size > MAX_BYTES) continue;
    const target = path.join(folder, path.relative(root, source));
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(source, target);
    const time = Date.now() / 1_000 - 60 - (copied % 720) * 3_600;
    utimesSync(target, time, time);
    copied += 1;
  }
  if (copied < count) throw new Error(`Only ${copied} of ${count} files are installed.`);
  git(folder, 'init', '-q');
  // Packing in the background would remove files from under whoever copies the folder.
  git(folder, 'config', 'gc.auto', '0');
  git(folder, 'add', '-A');
  git(folder, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-q', '-m', 'tree');
  return folder;
}

export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
}
