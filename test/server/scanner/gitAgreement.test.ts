import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPaths } from '../../../src/server/scanner/pathCheck.ts';
import { scanFolder } from '../../../src/server/scanner/scanFolder.ts';
import type { ScanOptions } from '../../../src/server/scanner/entries.ts';

/**
 * Random trees with random ignore files, judged by git itself (`git ls-files --others --exclude-standard`).
 * `FUZZ_TREES` and `FUZZ_SEED` widen the search.
 */
const TREES = Number(process.env['FUZZ_TREES'] ?? 200);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261121);
const OPTIONS: ScanOptions = { maxFileBytes: 1_000_000, exclude: [], useIgnoreFiles: true };

let home: string;
let base: string;

beforeAll(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tessera-git-')));
  home = path.join(base, 'home');
  fs.mkdirSync(home);
  // Git and the scanner alike look here for the person's configuration.
  process.env['HOME'] = home;
  process.env['USERPROFILE'] = home;
  process.env['XDG_CONFIG_HOME'] = path.join(home, 'config');
  process.env['GIT_CONFIG_NOSYSTEM'] = '1';
  fs.mkdirSync(path.join(base, 'tree'));
  git(path.join(base, 'tree'), ['init', '-q']);
});

afterAll(() => {
  fs.rmSync(base, { recursive: true, force: true });
});

describe('the scan and git', () => {
  it(`agree on every path of ${TREES} random trees with random ignore files`, { timeout: 300_000 }, async () => {
    for (let tree = 0; tree < TREES; tree++) {
      const random = randomFrom(SEED + tree);
      const root = path.join(base, 'tree');
      const described = makeTree(root, random);
      const expected = listByGit(root);
      const found = await listByScan(root);
      expect(found, `seed ${SEED + tree}\n${described}`).toEqual(expected);
      const verdicts = await checkPaths(root, OPTIONS, allFiles(root));
      const indexable = verdicts.filter((verdict) => verdict.kind === 'file').map((verdict) => verdict.path);
      expect(indexable.sort(), `single paths, seed ${SEED + tree}\n${described}`).toEqual(expected);
      clearTree(root);
    }
  });
});

const NAMES = [
  'a',
  'b',
  'c',
  'aa',
  'ab',
  'a.b',
  'b.log',
  'x.ts',
  'A',
  'foo',
  'foobar',
  'bar',
  'a b',
  'é',
  '!a',
  '#a',
  'a-c',
  '[a]',
  'a\\b',
  'tmp ',
];
const PIECES = [
  'a',
  'b',
  'c',
  '*',
  '*',
  '**',
  '?',
  'foo',
  'bar',
  '.log',
  '.ts',
  '[ab]',
  '[!a]',
  '[a-c]',
  '[^b-]',
  '[]a]',
  '[[:alpha:]]',
  '[[:upper:]x]',
  '\\a',
  '\\*',
  '\\ ',
  ' ',
  'é',
  '[',
  '[c-a]',
  '***',
  '-',
  '\\',
  '#',
  '!',
];

function makeTree(root: string, random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const notes: string[] = [];
  const folders = [''];
  for (let count = 0; count < 8; count++) {
    const folder = path.posix.join(pick(folders), pick(NAMES));
    if (!folders.includes(folder)) folders.push(folder);
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  }
  for (const folder of folders) {
    for (let count = 0; count < 4; count++) {
      const file = path.join(root, folder, pick(NAMES));
      if (!fs.existsSync(file)) fs.writeFileSync(file, 'x\n');
    }
  }
  const writeRules = (file: string) => {
    const text = makeRules(pick, random);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    notes.push(`${path.relative(root, file)}: ${JSON.stringify(text)}`);
  };
  for (const folder of folders) if (folder === '' || random() < 0.35) writeRules(path.join(root, folder, '.gitignore'));
  if (random() < 0.3) writeRules(path.join(root, '.git', 'info', 'exclude'));
  fs.rmSync(path.join(home, 'config'), { recursive: true, force: true });
  if (random() < 0.3) writeRules(path.join(home, 'config', 'git', 'ignore'));
  return notes.join('\n');
}

/** Everything but the repository itself, which is used again: `git init` is half the time of a tree. */
function clearTree(root: string): void {
  for (const name of fs.readdirSync(root)) if (name !== '.git') fs.rmSync(path.join(root, name), { recursive: true });
  fs.rmSync(path.join(root, '.git', 'info', 'exclude'), { force: true });
}

function makeRules(pick: <T>(items: readonly T[]) => T, random: () => number): string {
  const lines = Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
    if (random() < 0.3) return `${random() < 0.3 ? '!' : ''}${pick(NAMES)}${random() < 0.3 ? '/' : ''}`;
    let line = random() < 0.3 ? '!' : '';
    if (random() < 0.3) line += '/';
    const parts = Array.from({ length: pick([1, 1, 1, 2, 2, 3]) }, () =>
      Array.from({ length: pick([1, 1, 2, 3]) }, () => pick(PIECES)).join(''),
    );
    line += parts.join('/');
    if (random() < 0.25) line += '/';
    if (random() < 0.1) line += pick([' ', '  ', '\t', '\r']);
    return line;
  });
  return (random() < 0.1 ? '\ufeff' : '') + lines.join(pick(['\n', '\n', '\r\n'])) + (random() < 0.8 ? '\n' : '');
}

function listByGit(root: string): string[] {
  return git(root, ['ls-files', '-z', '--others', '--exclude-standard'])
    .split('\0')
    .filter((file) => file !== '')
    .sort();
}

async function listByScan(root: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of scanFolder(root, OPTIONS)) if (entry.kind === 'file') files.push(entry.path);
  return files.sort();
}

function allFiles(root: string): string[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}

function git(folder: string, args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' });
}

/** mulberry32: the same tree for the same seed, everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
