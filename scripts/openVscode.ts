/**
 * Opens VS Code's server build with the built extension loaded and prints the address to open in a browser:
 * `npm start [-- FOLDER]`. `--screenshot FILE [--theme NAME] [--command TITLE]` looks for you and ends.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../test/vscode/harness/browser.ts';
import { startVSCodeServer } from '../test/vscode/harness/vscodeServer.ts';
import { Workbench } from '../test/vscode/harness/workbench.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    screenshot: { type: 'string' },
    theme: { type: 'string', default: 'Default Dark Modern' },
    command: { type: 'string' },
    wait: { type: 'string', default: '5' },
  },
});
const root = join(import.meta.dirname, '..');
const folder = resolve(positionals[0] ?? root);
const dataDir = await mkdtemp(join(tmpdir(), 'tessera-vscode-'));
const server = await startVSCodeServer({
  dataDir,
  settings: { 'workbench.colorTheme': options.theme },
  env: {},
  trusted: true,
});

async function stop(): Promise<void> {
  await server.stop();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

if (options.screenshot === undefined) {
  const payload = JSON.stringify([['extensionDevelopmentPath', `vscode-remote://remote${root}`]]);
  const query = new URLSearchParams({ folder, payload });
  process.stdout.write(`VS Code with Tessera is at ${server.url}/?${query.toString()}\nPress Ctrl+C to stop it.\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().then(() => process.exit(0)));
} else {
  const browser = await launchBrowser();
  try {
    const workbench = await Workbench.open(browser, server, { folder, extensionDevelopmentPath: root });
    if (options.command !== undefined) await workbench.runCommand(options.command);
    await workbench.page.waitForTimeout(Number(options.wait) * 1000);
    await workbench.screenshot(options.screenshot);
  } finally {
    await browser.close();
    await stop();
  }
}
