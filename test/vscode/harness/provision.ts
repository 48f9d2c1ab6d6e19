import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** VS Code 1.139's server build, as published on the npm registry. */
const CODE_SERVER_VERSION = '4.139.1';

const REPOSITORY = join(import.meta.dirname, '../../..');

/**
 * Folder of VS Code's server build (`…/lib/vscode`), installed through npm into `.vscode-test/` on first use.
 * It cannot be a plain dev dependency: its install script compiles native modules no test needs.
 */
export async function provisionVSCode(): Promise<string> {
  const home = join(REPOSITORY, '.vscode-test', `code-server-${CODE_SERVER_VERSION}`);
  const vscode = join(home, 'node_modules/code-server/lib/vscode');
  const done = join(home, 'installed');
  if (await exists(done)) return vscode;

  // Installed beside and moved into place, so that an interrupted install is not taken for a whole one.
  const staging = `${home}.partial`;
  await rm(staging, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await writeFile(join(staging, 'package.json'), '{"private":true}');
  await npmInstall(staging, [`code-server@${CODE_SERVER_VERSION}`]);
  await npmInstall(join(staging, 'node_modules/code-server/lib/vscode'), ['--omit=dev']);
  await writeFile(join(staging, 'installed'), '');
  await mkdir(dirname(home), { recursive: true });
  await rename(staging, home);
  return vscode;
}

async function npmInstall(folder: string, args: readonly string[]): Promise<void> {
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...args], {
    cwd: folder,
    maxBuffer: 1 << 26,
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
