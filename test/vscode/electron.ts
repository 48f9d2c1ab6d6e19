/**
 * `npm run test:electron`: the suites of `test/vscode/suites` inside a desktop VS Code, for machines that can download
 * one. `VSCODE_EXECUTABLE` names one that is already there. Needs `npm run build -- --tests` and a packed `out/tessera.vsix`.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { downloadAndUnzipVSCode, resolveCliArgsFromVSCodeExecutablePath, runTests } from '@vscode/test-electron';
import type { SuiteResult } from './index.ts';

const root = join(import.meta.dirname, '../..');
const home = await mkdtemp(join(tmpdir(), 'tessera-electron-'));
const results = join(home, 'results.json');
try {
  const executable = process.env['VSCODE_EXECUTABLE'] ?? (await downloadAndUnzipVSCode('stable'));
  const [cli = executable, ...cliArgs] = resolveCliArgsFromVSCodeExecutablePath(executable);
  const profile = [`--extensions-dir=${join(home, 'extensions')}`, `--user-data-dir=${join(home, 'user')}`];
  await promisify(execFile)(cli, [...cliArgs, ...profile, '--install-extension', join(root, 'out/tessera.vsix')]);
  await cp(join(root, 'test/fixtures/workspace'), join(home, 'workspace'), { recursive: true });
  await runTests({
    vscodeExecutablePath: executable,
    extensionDevelopmentPath: join(root, 'test/vscode/driver'),
    extensionTestsPath: join(root, 'out/test-vscode/index.cjs'),
    launchArgs: [join(home, 'workspace'), ...profile, '--disable-workspace-trust', '--skip-welcome'],
    extensionTestsEnv: { TESSERA_TEST_RESULTS: results, XDG_CACHE_HOME: join(home, 'cache') },
  });
  const outcomes = JSON.parse(await readFile(results, 'utf8')) as readonly SuiteResult[];
  const failed = outcomes.filter(({ error }) => error !== null);
  for (const { title, error } of outcomes)
    console.log(`${error === null ? '✓' : '✗'} ${title}${error === null ? '' : `\n${error}`}`);
  console.log(`\n${outcomes.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 && outcomes.length > 0 ? 0 : 1;
} finally {
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
