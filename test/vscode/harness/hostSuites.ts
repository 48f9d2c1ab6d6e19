import { access, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SuiteResult } from '../index.ts';
import { REMOVE, isRemoved, removeAtExit } from './atExit.ts';
import { launchBrowser } from './browser.ts';
import { startVSCodeServer } from './vscodeServer.ts';
import { Workbench } from './workbench.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const SUITES_TIMEOUT_MS = 900_000;

/**
 * Opens a copy of the fixture folder in a fresh VS Code with the installed extension and runs the suites inside the
 * extension host. The driver extension only carries them; what is tested is what a person would install.
 */
export async function runHostSuites(extensionsDir: string, fixture: string): Promise<readonly SuiteResult[]> {
  const home = await mkdtemp(join(tmpdir(), 'tessera-host-'));
  removeAtExit(home);
  const folder = join(home, 'workspace');
  const results = join(home, 'results.json');
  await cp(fixture, folder, { recursive: true });
  const server = await startVSCodeServer({
    dataDir: join(home, 'data'),
    extensionsDir,
    settings: {},
    env: { TESSERA_TEST_RESULTS: results, XDG_CACHE_HOME: join(home, 'cache') },
    trusted: true,
  });
  const browser = await launchBrowser();
  try {
    await Workbench.open(browser, server, {
      folder,
      extensionDevelopmentPath: join(REPOSITORY, 'test/vscode/driver'),
      extensionTestsPath: join(REPOSITORY, 'out/test-vscode/index.cjs'),
    });
    return JSON.parse(await waitForFile(results, () => server.output())) as readonly SuiteResult[];
  } finally {
    await browser.close();
    await server.stop();
    await rm(home, REMOVE);
    isRemoved(home);
  }
}

async function waitForFile(path: string, output: () => string): Promise<string> {
  const deadline = performance.now() + SUITES_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const present = await access(path).then(
      () => true,
      () => false,
    );
    if (present) {
      const text = await readFile(path, 'utf8');
      if (text !== '') return text;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(
    `The suites wrote no results within ${SUITES_TIMEOUT_MS} ms. VS Code printed:\n${output().slice(-4000)}`,
  );
}
