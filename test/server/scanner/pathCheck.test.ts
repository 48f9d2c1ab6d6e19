import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PathVerdict, ScanEntry } from '../../../src/server/scanner/entries.ts';
import { createFollowingScanner } from '../../../src/server/scanner/fileScanner.ts';
import { changesRules, checkPaths, isIndexable } from '../../../src/server/scanner/pathCheck.ts';
import { ManualClock } from '../../fakes/manualClock.ts';
import { makeFolder, OPTIONS, remove, scanAll } from './temporaryFolder.ts';

let folder: string;

beforeEach(() => {
  folder = makeFolder({
    '.gitignore': '*.log\n/out\n!keep.log\n',
    'a.ts': 'a',
    'keep.log': 'k',
    'drop.log': 'd',
    'out/b.ts': 'b',
    'src/.tesseraignore': 'private/\n',
    'src/c.ts': 'c',
    'src/private/d.ts': 'd',
    'src/e.pem': 'e',
    'src/empty.ts': '',
    'src/large.ts': 'x'.repeat(200_000),
    'lib/node_modules/f.js': 'f',
    'venv/pyvenv.cfg': 'v',
    'venv/g.py': 'g',
    '.git/HEAD': 'ref: refs/heads/main\n',
    '.git/info/exclude': 'notes/\n',
    'notes/h.md': 'h',
  });
  fs.symlinkSync('src', path.join(folder, 'link'));
  fs.symlinkSync('a.ts', path.join(folder, 'link.ts'));
});

afterEach(() => {
  remove(folder);
});

/** What a person is told of, by path. */
function byPath(entries: readonly (ScanEntry | PathVerdict)[]): ReadonlyMap<string, unknown> {
  const told = entries.flatMap((entry) =>
    entry.kind === 'file' || entry.kind === 'skipped' ? [[entry.path, entry] as const] : [],
  );
  return new Map(told);
}

describe('checkPaths', () => {
  it('agrees with the scan on every path there is', async () => {
    const everything = fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
    const scanned = await scanAll(folder);
    const verdicts = await checkPaths(folder, OPTIONS, everything);
    expect(byPath(verdicts)).toEqual(byPath(scanned));
  });

  it('ends as cancelled when that happens before git has answered', async () => {
    const stop = new AbortController();
    const checking = checkPaths(folder, OPTIONS, [], stop.signal);
    stop.abort();
    await expect(checking).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('tells folders, missing paths and what lies behind a link or outside', async () => {
    const verdicts = await checkPaths(folder, OPTIONS, [
      'src',
      '',
      'nowhere.ts',
      'nowhere/at/all.ts',
      'a.ts/below',
      'link/c.ts',
      'link.ts',
      '../elsewhere.ts',
      'src/private',
      'lib/node_modules/f.js',
    ]);
    expect(verdicts.map((verdict) => verdict.kind)).toEqual([
      'folder',
      'folder',
      'missing',
      'missing',
      'missing',
      'ignored',
      'ignored',
      'ignored',
      'ignored',
      'ignored',
    ]);
  });

  it('answers for one path', async () => {
    expect(await isIndexable(folder, 'src/c.ts', OPTIONS)).toBe(true);
    expect(await isIndexable(folder, 'drop.log', OPTIONS)).toBe(false);
  });
});

it('a scanner that follows a folder asks git once a minute, and with every scan', async () => {
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', folder, ...args]);
  git('init', '-q');
  fs.writeFileSync(path.join(folder, 'excludes'), '*.ts\n');
  const clock = new ManualClock();
  const scanner = createFollowingScanner(clock);
  const judge = async () => (await scanner.checkPaths(folder, OPTIONS, ['a.ts']))[0]?.kind;
  expect(await judge()).toBe('file');
  git('config', 'core.excludesFile', path.join(folder, 'excludes'));
  expect(await judge()).toBe('file');
  clock.advance(60_000);
  expect(await judge()).toBe('ignored');
  git('config', '--unset', 'core.excludesFile');
  expect(await judge()).toBe('ignored');
  for await (const entry of scanner.scanFolder(folder, OPTIONS)) expect(entry).toBeDefined();
  expect(await judge()).toBe('file');
});

describe('changesRules', () => {
  it('knows the files that decide about others', () => {
    for (const file of ['.gitignore', 'a/b/.gitignore', '.ignore', 'a/.tesseraignore', '.git/info/exclude']) {
      expect(changesRules(file), file).toBe(true);
    }
    expect(changesRules('src/gitignore.ts')).toBe(false);
  });
});
