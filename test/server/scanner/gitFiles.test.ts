import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GitConfiguration, readGitConfiguration } from '../../../src/server/scanner/gitFiles.ts';
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
});
