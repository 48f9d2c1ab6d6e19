import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TesseraError } from '../../base/errors.ts';
import { usageError } from '../globalOptions.ts';
import { LOG_FORMAT } from './commitQuestions.ts';

const MAX_LOG_BYTES = 64 * 1024 * 1024;

/**
 * The newest `commits` commits of the folder, in `LOG_FORMAT`; paths are relative to it.
 * @throws TesseraError `invalid-argument` when there is no git, no repository or no commit: what to do is in the message.
 */
export async function readLog(folder: string, commits: number): Promise<string> {
  await atRepository(folder);
  const hasCommit = await git(folder, ['rev-parse', '--verify', '--quiet', 'HEAD']).then(
    () => true,
    () => false,
  );
  if (!hasCommit) {
    throw usageError(`${folder} has no commit yet; eval builds its questions from commits, so make some first.`);
  }
  // Without looking for renames git reads no file contents, which a partial clone would have to download.
  const args = ['log', '--no-merges', '--relative', '--no-renames', '--diff-filter=AM', '--name-only'];
  return git(folder, [...args, `--max-count=${commits}`, `--format=${LOG_FORMAT}`]);
}

/** What to say when no subject of the log makes a question. */
export async function noQuestions(folder: string): Promise<TesseraError> {
  const isShallow = (await git(folder, ['rev-parse', '--is-shallow-repository'])).trim() === 'true';
  const advice = isShallow
    ? 'it is a shallow clone, so fetch the rest of its history with “git fetch --unshallow”.'
    : 'index the whole folder, or try a repository with more commits to its code.';
  return new TesseraError(
    'not-found',
    `No commit of ${folder} makes a question about files that are indexed; ${advice}`,
  );
}

async function atRepository(folder: string): Promise<void> {
  try {
    await git(folder, ['rev-parse', '--show-prefix']);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw usageError('git is not installed; eval builds its questions from a git history.');
    }
    const reason = error instanceof Error && 'stderr' in error ? String(error.stderr).split('\n')[0] : '';
    throw usageError(`git reads no repository at ${folder} (${reason}); give a folder inside a git repository.`);
  }
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-c', 'core.quotePath=off', '-C', folder, ...args], {
    maxBuffer: MAX_LOG_BYTES,
  });
  return stdout;
}
