import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { killAtExit, killGroup } from './atExit.ts';
import { provisionVSCode } from './provision.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;

/** Nothing on the screen but the workbench and what is being tested. */
const QUIET = {
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  // In a browser VS Code saves by itself: a test of unsaved texts needs them to stay so.
  'files.autoSave': 'off',
};

export interface VSCodeServerOptions {
  /** Folder for everything this instance writes. */
  readonly dataDir: string;
  /** Folder of installed extensions; an empty one inside `dataDir` when left out. */
  readonly extensionsDir?: string;
  /** Settings of the machine (the remote's), by id. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  /** False opens folders in restricted mode. */
  readonly trusted: boolean;
  /** Display language; a language pack for it without any texts is put in place, so that VS Code's own stay English. */
  readonly language?: string;
}

export interface VSCodeServer {
  readonly url: string;
  /** Everything the server and its extension hosts printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Installs a packed extension the way a person does, into a folder servers can be started with. */
export async function installExtension(vsix: string, extensionsDir: string): Promise<void> {
  const main = join(await provisionVSCode(), 'out/server-main.js');
  const dataDir = join(extensionsDir, '..', 'install-data');
  await mkdir(extensionsDir, { recursive: true });
  await run(process.execPath, [
    main,
    ...placesArguments(dataDir, extensionsDir),
    '--install-extension',
    vsix,
    '--force',
  ]);
}

/** Sets the settings of the machine; a window that is open takes them over. */
export async function writeSettings(dataDir: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const machine = join(dataDir, 'data/Machine');
  await mkdir(machine, { recursive: true });
  await writeFile(join(machine, 'settings.json'), JSON.stringify({ ...QUIET, ...settings }, null, 2));
}

/** What VS Code notes when a language pack is installed. */
async function writeLanguagePack(dataDir: string, language: string): Promise<void> {
  const texts = join(dataDir, 'texts.json');
  await writeFile(texts, JSON.stringify({ contents: {} }));
  const extensions = [{ extensionIdentifier: { id: 'tessera.no-texts' }, version: '0.0.0' }];
  const pack = { hash: 'none', label: language, extensions, translations: { vscode: texts } };
  await writeFile(join(dataDir, 'data/languagepacks.json'), JSON.stringify({ [language]: pack }));
}

function placesArguments(dataDir: string, extensionsDir: string): readonly string[] {
  return [
    '--accept-server-license-terms',
    '--telemetry-level=off',
    `--server-data-dir=${dataDir}`,
    `--extensions-dir=${extensionsDir}`,
  ];
}

/** Starts VS Code's own server build on a free port of the loopback address. */
export async function startVSCodeServer(options: VSCodeServerOptions): Promise<VSCodeServer> {
  const vscode = await provisionVSCode();
  const main = join(vscode, 'out/server-main.js');
  const extensionsDir = options.extensionsDir ?? join(options.dataDir, 'extensions');
  await mkdir(extensionsDir, { recursive: true });
  await writeSettings(options.dataDir, options.settings);
  if (options.language !== undefined) await writeLanguagePack(options.dataDir, options.language);

  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      main,
      '--host=127.0.0.1',
      `--port=${port}`,
      '--without-connection-token',
      '--enable-smoke-test-driver',
      ...(options.trusted ? ['--disable-workspace-trust'] : []),
      ...(options.language === undefined ? [] : [`--locale=${options.language}`]),
      ...placesArguments(options.dataDir, extensionsDir),
    ],
    { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  // Its own process group outlives this process otherwise, when that is interrupted.
  killAtExit(child);
  let printed = '';
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  child.stderr.on('data', (data: Buffer) => (printed += data.toString()));
  const url = `http://127.0.0.1:${port}`;
  await waitUntilListening(child, url, () => printed);
  return { url, output: () => printed, stop: () => stopGroup(child) };
}

async function waitUntilListening(child: ChildProcess, url: string, output: () => string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`VS Code's server ended with ${child.exitCode}:\n${output()}`);
    const answered = await fetch(`${url}/version`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stopGroup(child);
  throw new Error(`VS Code's server did not answer within ${START_TIMEOUT_MS} ms:\n${output()}`);
}

/** Ends the server with the extension hosts and watchers it started. */
async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  killGroup(child, 'SIGTERM');
  const timer = setTimeout(() => killGroup(child, 'SIGKILL'), 5_000);
  await exited;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('No free port.'));
      });
    });
  });
}
