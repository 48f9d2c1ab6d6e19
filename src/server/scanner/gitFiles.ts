import { type ChildProcess, execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { type CancellationSignal, throwIfCancelled } from '../../base/cancellation.ts';
import { IgnoreRules } from '../../indexing/ignoreRules.ts';

/** What git's own configuration says about ignoring in a folder. */
export interface GitConfiguration {
  /** Absolute path of the global excludes file; it need not exist. */
  readonly excludesFile: string;
  readonly ignoreCase: boolean;
  /** Git did not answer in time: these are its defaults, whatever it is configured to. */
  readonly isGuess: boolean;
}

/** Ignore files above this many bytes are taken for something else and not read. Git's largest template has under 10 kB. */
const MAX_IGNORE_FILE_BYTES = 4 * 1024 * 1024;
/** It answers within milliseconds, unless the machine is very busy or the home folder far away. */
const GIT_TIMEOUT_MS = 20_000;
const IS_NOT_THERE = /^(?:ENOENT|ENOTDIR|EACCES)$/;

/**
 * Asks git, because its configuration is spread over files that include one another. Where git is missing, or refuses the
 * folder, its defaults hold. Rejects with `cancelled`.
 */
export async function readGitConfiguration(
  folder: string,
  signal?: CancellationSignal,
  timeoutMs: number = GIT_TIMEOUT_MS,
): Promise<GitConfiguration> {
  throwIfCancelled(signal);
  const answer = await askGit(folder, timeoutMs, signal);
  throwIfCancelled(signal);
  const values = parseConfig(answer ?? '');
  const home = os.homedir();
  const configHome = process.env['XDG_CONFIG_HOME'];
  const base = configHome === undefined || configHome === '' ? path.join(home, '.config') : configHome;
  const excludesFile = values.get('core.excludesfile');
  const ignoreCase = values.get('core.ignorecase');
  return {
    excludesFile:
      excludesFile === undefined
        ? path.join(base, 'git', 'ignore')
        : path.resolve(folder, expandHome(excludesFile, home)),
    isGuess: answer === undefined,
    ignoreCase:
      ignoreCase === undefined ? process.platform === 'win32' || process.platform === 'darwin' : isTrue(ignoreCase),
  };
}

/**
 * Rules of an ignore file, or `undefined` when it is not there, is no plain file or can't be read. Like git, it follows links
 * to the files of a person's configuration and not those in the tree.
 */
export async function readIgnoreFile(
  file: string,
  ignoreCase: boolean,
  links: 'follow' | 'plain file only' = 'follow',
): Promise<IgnoreRules | undefined> {
  try {
    const stat = await (links === 'follow' ? fs.stat(file) : fs.lstat(file));
    if (!stat.isFile() || stat.size > MAX_IGNORE_FILE_BYTES) return undefined;
    return new IgnoreRules(await fs.readFile(file, 'utf8'), { ignoreCase });
  } catch {
    return undefined;
  }
}

/**
 * The folder that holds a repository's `info/exclude`, for a folder with a `.git`: that folder itself, or, for a worktree or a
 * submodule whose `.git` is a file, the one it points to. `undefined` when there is no repository here.
 */
export async function gitCommonFolder(folder: string): Promise<string | undefined> {
  const dotGit = path.join(folder, '.git');
  try {
    const stat = await fs.stat(dotGit);
    if (stat.isDirectory()) return dotGit;
    const target = /^gitdir: (.+?)\r?\n?$/.exec(await fs.readFile(dotGit, 'utf8'))?.[1];
    if (target === undefined) return undefined;
    const gitFolder = path.resolve(folder, target);
    try {
      const common = (await fs.readFile(path.join(gitFolder, 'commondir'), 'utf8')).trim();
      return path.resolve(gitFolder, common);
    } catch {
      return gitFolder;
    }
  } catch {
    return undefined;
  }
}

/** What it prints; nothing where it is missing or refuses; undefined when it did not answer in time. */
function askGit(
  folder: string,
  timeoutMs: number,
  signal: CancellationSignal | undefined,
): Promise<string | undefined> {
  // A hook's GIT_DIR would make git answer for another repository.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|PREFIX)$/.test(name)),
  );
  const args = ['-C', folder, 'config', '--null', '--get-regexp', '^core\\.(excludesfile|ignorecase)$'];
  return new Promise((resolve) => {
    // Started from the home folder: Windows looks for a program in the current folder first, and the indexed one may bring its own.
    const options = { cwd: os.homedir(), env, windowsHide: true };
    let git: ChildProcess;
    try {
      git = execFile('git', args, options, (error, stdout) => {
        signal?.removeEventListener('abort', stop);
        clearTimeout(timer);
        if (error === null) resolve(stdout);
        // One that was killed, or that the system had no room for, has said nothing.
        else resolve(typeof error.code === 'number' || IS_NOT_THERE.test(String(error.code)) ? '' : undefined);
      });
    } catch {
      // Where there is no memory for a process Node throws instead of calling back.
      resolve(undefined);
      return;
    }
    const stop = (): void => {
      git.kill('SIGKILL');
      // It may be stuck in a far disk and not end even so.
      resolve(undefined);
    };
    const timer = setTimeout(stop, timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** `name\nvalue\0…`; a later value overrides an earlier one; a name without a value means true. */
function parseConfig(output: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const entry of output.split('\0').filter((text) => text !== '')) {
    const end = entry.indexOf('\n');
    values.set((end === -1 ? entry : entry.slice(0, end)).toLowerCase(), end === -1 ? 'true' : entry.slice(end + 1));
  }
  return values;
}

function isTrue(value: string): boolean {
  return /^(?:true|yes|on|[1-9]\d*)$/i.test(value);
}

function expandHome(file: string, home: string): string {
  return /^~(?=[/\\]|$)/.test(file) ? path.join(home, file.slice(1)) : file;
}
