/**
 * `node bench/host.ts [files]`: drives the packed extension (`out/tessera.vsix`) in a real VS Code on a repository of 5,000 real files.
 * Measures inside the extension host: activation, the longest block of its event loop during the first index, save → searchable over
 * 100 saves; from outside: keystroke → hits; then a storm of checkouts. Prints a table and, last, one JSON object.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@lancedb/lancedb';
import { build } from 'esbuild';
import { TestWindow } from '../test/vscode/harness/testWindow.ts';
import { installExtension } from '../test/vscode/harness/vscodeServer.ts';
import type { HostMeasures } from './host/insideHost.ts';
import { git, makeSourceTree } from './sourceTree.ts';

const ROOT = join(import.meta.dirname, '..');
const FILES = Number(process.argv[2] ?? 5_000);
const CHANGED_FILES = Math.min(1_200, Math.floor(FILES / 3));
const QUERIES = [
  'parse the config file',
  'retry a failed request',
  'walk a syntax tree',
  'escape a string for a shell',
];
const MINUTES_MS = 60_000;

interface StormStep {
  readonly step: string;
  readonly seconds: number;
  /** Texts embedded since the step before: rows the embedding cache has gained. */
  readonly embedded: number;
  readonly verified: boolean;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function measureInside(extensionsDir: string, home: string, folder: string): Promise<HostMeasures> {
  const module = join(home, 'insideHost.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'host/insideHost.ts')],
    outfile: module,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['vscode'],
  });
  const results = join(home, 'results.json');
  const window = await TestWindow.open({
    extensionsDir,
    folder,
    env: { TESSERA_BENCH_RESULTS: results },
    extensionTestsPath: module,
  });
  try {
    const deadline = performance.now() + 30 * MINUTES_MS;
    while (!existsSync(results) || readFileSync(results, 'utf8') === '') {
      if (performance.now() > deadline) throw new Error(`No results:\n${window.output().slice(-2_000)}`);
      await sleep(500);
    }
    const measures = JSON.parse(readFileSync(results, 'utf8')) as HostMeasures | { readonly error: string };
    if ('error' in measures) throw new Error(measures.error);
    return measures;
  } finally {
    await window.close();
  }
}

/** From each key typed into the view to the drawing of the answer to it, the debounce included. */
async function measureKeystrokes(window: TestWindow): Promise<readonly number[]> {
  await window.panel.open();
  // Runs in the view's own document: notes the time of each key and of the next change among the hits.
  await window.panel.document.locator('body').evaluate(`(() => {
    const { body } = document;
    const measured = (globalThis.measuredMs = []);
    let typedAt;
    body.addEventListener('input', () => (typedAt = performance.now()), true);
    new MutationObserver(() => {
      if (typedAt === undefined) return;
      measured.push(performance.now() - typedAt);
      typedAt = undefined;
    }).observe(body.querySelector('.results'), { childList: true });
  })()`);
  for (const query of QUERIES) {
    await window.panel.query.fill('');
    for (const key of query) {
      await window.page.keyboard.type(key);
      await sleep(400);
    }
  }
  return window.panel.document.locator('body').evaluate<readonly number[], unknown>('globalThis.measuredMs', null);
}

/** Rows in the embedding cache: one for each text that was embedded. */
async function embeddedTexts(cacheDir: string): Promise<number> {
  const connection = await connect(join(cacheDir, 'tessera/embeddings'));
  let rows = 0;
  for (const name of (await connection.listTables()).tables)
    rows += await (await connection.openTable(name)).countRows();
  return rows;
}

function verify(window: TestWindow, extensionsDir: string): boolean {
  const [cli = ''] = execFileSync('sh', ['-c', `ls ${extensionsDir}/tessera.*/dist/cli.js`], {
    encoding: 'utf8',
  }).split('\n');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'verify', window.folder], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: window.cacheDir },
  });
  if (status !== 0) console.error(stdout, stderr);
  return status === 0;
}

/** Two commits far apart, switched while the first is still being indexed, then to and fro. */
async function storm(extensionsDir: string, folder: string): Promise<{ steps: StormStep[]; needed: number }> {
  const files = git(folder, 'ls-files')
    .split('\n')
    .filter((path) => /\.(?:js|ts|mjs|py)$/.test(path));
  git(folder, 'checkout', '-q', '-b', 'far');
  for (const [at, path] of files.slice(0, CHANGED_FILES).entries())
    appendFileSync(join(folder, path), `\nfunction changedByTheStorm${at}() { return ${at}; }\n`);
  git(folder, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-q', '-a', '-m', 'far');
  git(folder, 'checkout', '-q', '-');

  const window = await TestWindow.open({ extensionsDir, folder });
  const steps: StormStep[] = [];
  let before = 0;
  const settle = async (step: string, start: number) => {
    // A checkout is noticed a moment after it ends; the label is that of before until then.
    await sleep(3_000);
    await window.untilIndexed(20 * MINUTES_MS);
    const seconds = (performance.now() - start) / 1_000;
    const now = await embeddedTexts(window.cacheDir);
    steps.push({ step, seconds, embedded: now - before, verified: verify(window, extensionsDir) });
    console.error(JSON.stringify(steps.at(-1)));
    before = now;
  };
  try {
    await window.untilStatus(/Indexing [\d,]{3,} of/, 10 * MINUTES_MS);
    let start = performance.now();
    git(window.folder, 'checkout', '-q', 'far');
    await settle('checkout while the first index is made', start);
    for (const step of ['switch back', 'forth again', 'and back']) {
      start = performance.now();
      git(window.folder, 'checkout', '-q', '-');
      await settle(step, start);
    }
    return { steps, needed: before };
  } finally {
    await window.close();
  }
}

const home = await mkdtemp(join(tmpdir(), 'tessera-bench-'));
const folder = makeSourceTree(FILES);
try {
  const extensionsDir = join(home, 'extensions');
  await installExtension(join(ROOT, 'out/tessera.vsix'), extensionsDir);
  const inside = await measureInside(extensionsDir, home, folder);
  console.error(JSON.stringify(inside));
  const window = await TestWindow.open({ extensionsDir, folder });
  let keys: readonly number[];
  try {
    await window.untilIndexed(20 * MINUTES_MS);
    keys = await measureKeystrokes(window);
  } finally {
    await window.close();
  }
  console.error(keys.length, quantile(keys, 0.5), quantile(keys, 0.95));
  const { steps, needed } = await storm(extensionsDir, folder);
  const saves = inside.saveToSearchableMs;
  const rows: [string, string][] = [
    ['activation', `${inside.activationMs.toFixed(0)} ms`],
    ['first index', `${(inside.firstIndexMs / 1_000).toFixed(1)} s`],
    ['longest block while indexing', `${inside.busy.longestBlockMs.toFixed(0)} ms`],
    ['longest block idle', `${inside.idle.longestBlockMs.toFixed(0)} ms`],
    ['most processor time in a turn, indexing', `${inside.busy.longestTurnCpuMs.toFixed(0)} ms`],
    ['most processor time in a turn, idle', `${inside.idle.longestTurnCpuMs.toFixed(0)} ms`],
    ['save → searchable, median', `${quantile(saves, 0.5).toFixed(0)} ms`],
    ['save → searchable, p95', `${quantile(saves, 0.95).toFixed(0)} ms`],
    ['saved texts never found', String(inside.neverFound.length)],
    ['keystroke → hits, median', `${quantile(keys, 0.5).toFixed(0)} ms`],
    ['keystroke → hits, p95', `${quantile(keys, 0.95).toFixed(0)} ms`],
    ...steps.map(({ step, seconds, embedded, verified }): [string, string] => [
      `storm: ${step}`,
      `${seconds.toFixed(1)} s, ${embedded} embedded, ${verified ? 'verified' : 'DIFFERS'}`,
    ]),
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(44)} ${value}`);
  console.log(
    JSON.stringify({
      files: FILES,
      ...inside,
      saveToSearchableMs: { count: saves.length, median: quantile(saves, 0.5), p95: quantile(saves, 0.95) },
      keystrokeToHitsMs: { count: keys.length, median: quantile(keys, 0.5), p95: quantile(keys, 0.95) },
      storm: { changedFiles: CHANGED_FILES, embeddedInAll: needed, steps },
    }),
  );
  process.exitCode = steps.every(({ verified }) => verified) ? 0 : 1;
} finally {
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
