import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { ScanEntry, ScanOptions } from '../../../src/server/scanner/entries.ts';
import { scanFolder } from '../../../src/server/scanner/scanFolder.ts';

export const OPTIONS: ScanOptions = { maxFileBytes: 100_000, exclude: [], useIgnoreFiles: true };

/** A folder of its own for one test; its real path, because temporary folders are links on some systems. */
export function makeFolder(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tessera-scan-')));
  write(folder, files);
  return folder;
}

/** Writes files by their paths; what ends in `/` is an empty folder. */
export function write(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(name.endsWith('/') ? file : path.dirname(file), { recursive: true });
    if (!name.endsWith('/')) fs.writeFileSync(file, content);
  }
}

export function remove(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true });
}

export async function scanAll(
  folder: string,
  options: ScanOptions = OPTIONS,
  under = '',
): Promise<readonly ScanEntry[]> {
  const entries: ScanEntry[] = [];
  for await (const entry of scanFolder(folder, options, undefined, under)) entries.push(entry);
  return entries;
}

/** Paths of the files a scan yields, sorted. */
export async function scanFiles(
  folder: string,
  options: ScanOptions = OPTIONS,
  under = '',
): Promise<readonly string[]> {
  const entries = await scanAll(folder, options, under);
  return entries.flatMap((entry) => (entry.kind === 'file' ? [entry.path] : [])).sort();
}

/** What a scan skips: path → `reason: detail`. */
export async function scanSkipped(folder: string, options: ScanOptions = OPTIONS): Promise<Record<string, string>> {
  const entries = await scanAll(folder, options);
  return Object.fromEntries(
    entries.flatMap((entry) => (entry.kind === 'skipped' ? [[entry.path, `${entry.reason}: ${entry.detail}`]] : [])),
  );
}

/** Runs something as a user whom permissions bind: root, as which containers run tests, may read everything. */
export async function withoutPrivileges(action: () => Promise<void>): Promise<void> {
  const nobody = 65534;
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(nobody);
  try {
    await action();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
