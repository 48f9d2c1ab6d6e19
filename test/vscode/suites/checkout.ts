import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { folder, untilBestHit, untilNotFound, writeOnDisk } from './searching.ts';

const run = promisify(execFile);
const AUTHOR = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.com' };
const COMMITTER = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.com' };

async function git(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, ...AUTHOR, ...COMMITTER, GIT_CONFIG_GLOBAL: '/dev/null' };
  await run('git', args, { cwd: folder(), env });
}

suite('git', () => {
  test('a checkout changes what is found, there and back', async () => {
    const kettle = '/** Boils the water of the kettle. */\nexport function boil(): void {}\n';
    const teapot = '/** Pours from the porcelain teapot. */\nexport function pour(): void {}\n';
    await git('init', '--quiet', '--initial-branch=main');
    await writeOnDisk('src/tea/kettle.ts', kettle);
    await git('add', '--all');
    await git('commit', '--quiet', '--message=kettle');
    await git('checkout', '--quiet', '-b', 'teapot');
    await git('rm', '--quiet', 'src/tea/kettle.ts');
    await writeOnDisk('src/tea/teapot.ts', teapot);
    await git('add', '--all');
    await git('commit', '--quiet', '--message=teapot');
    await untilBestHit('pour from the porcelain teapot', 'src/tea/teapot.ts');
    await untilNotFound('boil water in the kettle', 'src/tea/kettle.ts');

    await git('checkout', '--quiet', 'main');
    await untilBestHit('boil water in the kettle', 'src/tea/kettle.ts');
    await untilNotFound('pour from the porcelain teapot', 'src/tea/teapot.ts');

    await git('checkout', '--quiet', 'teapot');
    await untilBestHit('pour from the porcelain teapot', 'src/tea/teapot.ts');
    await untilNotFound('boil water in the kettle', 'src/tea/kettle.ts');
  });
});
