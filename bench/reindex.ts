/**
 * `node bench/reindex.ts [folder]`: what an index costs when nothing has changed, next to the first run and to `git status` of the
 * same tree. Without a folder it makes one of 5,000 files. Every figure is a whole process, from start to exit, of the command line as
 * it was last built (from source where it was not, which takes longer to start).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { IndexSummary } from '../src/protocol/server.ts';
import { git, makeSourceTree } from './sourceTree.ts';

const FILES = 5_000;
const ROUNDS = 5;
const BUNDLE = path.join(import.meta.dirname, '../dist/cli.js');
const CLI = existsSync(BUNDLE) ? BUNDLE : path.join(import.meta.dirname, '../src/cli/main.ts');

interface Timed {
  readonly seconds: number;
  readonly summary: IndexSummary;
}

function index(folder: string, indexDir: string): Timed {
  const startedAt = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [CLI, 'index', folder, '--index-dir', indexDir, '--json'],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return { seconds: (performance.now() - startedAt) / 1_000, summary: JSON.parse(stdout) as IndexSummary };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function timeGitStatus(folder: string): number {
  const startedAt = performance.now();
  git(folder, 'status', '--porcelain');
  return (performance.now() - startedAt) / 1_000;
}

const given = process.argv[2];
const folder = given === undefined ? makeSourceTree(FILES) : path.resolve(given);
const indexDir = mkdtempSync(path.join(os.tmpdir(), 'tessera-reindex-'));
try {
  const first = index(folder, indexDir);
  const again = Array.from({ length: ROUNDS }, () => index(folder, indexDir));
  const gitStatus = Array.from({ length: ROUNDS }, () => timeGitStatus(folder));
  const againSeconds = median(again.map(({ seconds }) => seconds));
  const passSeconds = median(again.map(({ summary }) => summary.seconds));
  const gitSeconds = median(gitStatus);
  const report = {
    program: path.relative(path.join(import.meta.dirname, '..'), CLI),
    files: first.summary.files,
    chunks: first.summary.chunks,
    firstRunSeconds: first.seconds,
    firstPassSeconds: first.summary.seconds,
    firstEmbedded: first.summary.embedded,
    firstTokensPerSecond: first.summary.tokensPerSecond,
    unchangedRunSeconds: againSeconds,
    unchangedPassSeconds: passSeconds,
    unchangedEmbedded: Math.max(...again.map(({ summary }) => summary.embedded)),
    gitStatusSeconds: gitSeconds,
    ratios: {
      unchangedRunToFirst: againSeconds / first.seconds,
      unchangedRunToGitStatus: againSeconds / gitSeconds,
      unchangedPassToGitStatus: passSeconds / gitSeconds,
    },
  };
  console.table({
    'first run': { seconds: first.seconds, pass: first.summary.seconds, embedded: first.summary.embedded },
    'unchanged run (median)': { seconds: againSeconds, pass: passSeconds, embedded: report.unchangedEmbedded },
    'git status (median)': { seconds: gitSeconds },
  });
  console.log(JSON.stringify(report));
} finally {
  rmSync(indexDir, { recursive: true, force: true });
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}
