import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noQuestions, readLog } from '../../../src/cli/eval/gitLog.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tessera-eval-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const git = (...args: readonly string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
    stdio: 'pipe',
  });
function commit(subject: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
  git('add', '.');
  git('commit', '-q', '-m', subject);
}

test('a folder outside of git is told to be one inside', async () => {
  await expect(readLog(folder, 10)).rejects.toThrow(
    /git reads no repository at .*; give a folder inside a git repository/,
  );
});

test('a repository without a commit is told so', async () => {
  git('init', '-q');
  await expect(readLog(folder, 10)).rejects.toThrow(/has no commit yet/);
});

test('a shallow clone is told how to get its history', async () => {
  git('init', '-q');
  commit('add the parser', 'src/a.ts', 'one');
  commit('read numbers with an exponent', 'src/a.ts', 'two');
  const clone = path.join(folder, 'clone');
  git('clone', '-q', '--depth', '1', `file://${folder}`, clone);
  expect((await noQuestions(clone)).message).toContain('git fetch --unshallow');
  expect((await noQuestions(folder)).message).toContain('more commits');
});

test('the log has subjects with the paths they changed, relative to the folder', async () => {
  git('init', '-q');
  commit('add the parser', 'packages/parser/src/größe.ts', 'one');
  commit('write a guide for people', 'guide.md', 'text');
  const log = await readLog(path.join(folder, 'packages'), 10);
  expect(log).toContain('add the parser\n\nparser/src/größe.ts');
  expect(log).not.toContain('guide.md');
});
