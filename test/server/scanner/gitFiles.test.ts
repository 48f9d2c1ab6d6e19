import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GitConfiguration, readGitConfiguration } from '../../../src/server/scanner/gitFiles.ts';
import { createFollowingScanner } from '../../../src/server/scanner/fileScanner.ts';
import { RememberedGit } from '../../../src/server/scanner/rememberedGit.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'tessera-git-files-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await fs.rm(folder, { recursive: true });
});

describe.skipIf(process.platform === 'win32')('asking git', () => {
  /** The only `git` there is. */
  async function useGit(script: string): Promise<void> {
    await fs.writeFile(path.join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${folder}${path.delimiter}/usr/bin${path.delimiter}/bin`);
  }

  it('tells an answer from none in time', async () => {
    await useGit('exec sleep 30');
    expect(await readGitConfiguration(folder, undefined, 200)).toMatchObject({ isGuess: true });
    await useGit("printf 'core.excludesfile\\n/elsewhere\\0'");
    expect(await readGitConfiguration(folder)).toMatchObject({ isGuess: false, excludesFile: '/elsewhere' });
    await useGit('exit 128');
    expect(await readGitConfiguration(folder)).toMatchObject({ isGuess: false });
    await useGit('kill -9 $$');
    expect(await readGitConfiguration(folder)).toMatchObject({ isGuess: true });
    await fs.rm(path.join(folder, 'git'));
    vi.stubEnv('PATH', folder);
    expect(await readGitConfiguration(folder)).toMatchObject({ isGuess: false });
  });

  it('is not forgotten by a scan that gets no answer', async () => {
    const tree = path.join(folder, 'tree');
    await fs.mkdir(tree);
    await fs.writeFile(path.join(tree, 'shown.ts'), 'a');
    await fs.writeFile(path.join(tree, 'hidden.ts'), 'b');
    await fs.writeFile(path.join(folder, 'excludes'), 'hidden.ts\n');
    const scanner = createFollowingScanner(new ManualClock());
    const options = { exclude: [], useIgnoreFiles: true, maxFileBytes: 1000 };
    const scan = async (): Promise<string[]> => {
      const files: string[] = [];
      for await (const entry of scanner.scanFolder(tree, options)) if (entry.kind === 'file') files.push(entry.path);
      return files;
    };
    await useGit(`printf 'core.excludesfile\\n${folder}/excludes\\0'`);
    expect(await scan()).toEqual(['shown.ts']);
    await useGit('kill -9 $$');
    expect(await scan()).toEqual(['shown.ts']);
    await useGit('exit 1');
    expect(await scan()).toHaveLength(2);
  });
});

describe('what git said', () => {
  it('is kept while git does not answer, and asked for again', async () => {
    const said: GitConfiguration = { excludesFile: '/said', ignoreCase: false, isGuess: false };
    const guess: GitConfiguration = { excludesFile: '/guess', ignoreCase: false, isGuess: true };
    const answers = [guess, said, guess, { ...said, excludesFile: '/said later' }];
    const clock = new ManualClock();
    const git = new RememberedGit(clock, () => Promise.resolve(answers.shift()!));
    const files: string[] = [];
    for (let minute = 0; minute < 4; minute++) {
      files.push((await git.read(folder)).excludesFile);
      clock.advance(60_000);
    }
    expect(files).toEqual(['/guess', '/said', '/said', '/said later']);
  });

  it('is waited for at length only where nothing is known of the folder, or all of it is scanned', async () => {
    const guess: GitConfiguration = { excludesFile: '/guess', ignoreCase: false, isGuess: true };
    const waits: (number | undefined)[] = [];
    const clock = new ManualClock();
    const git = new RememberedGit(clock, (_, __, timeoutMs) => {
      waits.push(timeoutMs);
      return Promise.resolve(guess);
    });
    await git.read('/one');
    await git.read('/one');
    clock.advance(60_000);
    // Git that does not answer is a reason to wait for less, not for more.
    await git.read('/one');
    await git.readAnew('/two');
    await git.readAnew('/two');
    await git.read('/one');
    clock.advance(60_000);
    await git.read('/one');
    expect(waits).toEqual([undefined, 3000, undefined, undefined, 3000]);
  });
});
