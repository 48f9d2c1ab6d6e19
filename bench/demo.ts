/**
 * `npm run demo`: indexes this repository and a second real tree (sources of installed packages), asks both in plain
 * words and prints what came back, how fast, what was covered and what was skipped. Needs `npm run build` first.
 */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Hit } from '../src/protocol/hit.ts';
import type { IndexSummary } from '../src/protocol/server.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist/cli.js');

/** Sources of packages that every installed checkout has: JavaScript, TypeScript, C++ and documentation nobody here wrote. */
const PACKAGES = join(root, 'node_modules/@lancedb/lancedb');

const TREES = [
  {
    name: 'this repository',
    folder: root,
    queries: [
      'where is the batch size tuned by measured throughput',
      'restart the child process after a crash',
      'which files are skipped and why',
    ],
  },
  {
    name: 'an installed package (LanceDB for Node)',
    folder: PACKAGES,
    queries: ['create a full text search index', 'convert rows to an arrow table'],
  },
] as const;

interface StatusReport {
  readonly linesIndexed: number;
}

/** Runs the command line tool, lets its progress through to the terminal and returns what it printed as JSON. */
async function tessera<T>(...args: string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(JSON.parse(output) as T);
      else reject(new Error(`tessera ${args.join(' ')} ended with ${code}.`));
    });
  });
}

function showHit(hit: Hit, index: number): string {
  const lines = hit.snippet.split('\n').slice(0, 4);
  const symbol = hit.symbol === '' ? '' : `  ${hit.symbol}`;
  return [
    `  ${index + 1}. ${hit.path}:${hit.startLine}${symbol}`,
    ...lines.map((line) => `       ${line.slice(0, 110)}`),
  ].join('\n');
}

function showSkipped(skipped: IndexSummary['skipped']): string {
  const parts = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

for (const { name, folder, queries } of TREES) {
  console.log(`\n━━ ${name}\n`);
  const summary = await tessera<IndexSummary>('index', folder);
  const status = await tessera<StatusReport>('status', folder);
  console.log(
    [
      `  ${summary.files} files, ${summary.chunks} chunks (${summary.embedded} embedded now, ${summary.reused} reused) in ${summary.seconds.toFixed(1)} s`,
      `  ${Math.round(summary.tokensPerSecond).toLocaleString('en')} tokens/s on ${summary.device} with ${summary.model}, ${(summary.paddingRatio * 100).toFixed(1)} % padding`,
      `  ${status.linesIndexed.toLocaleString('en')} lines covered; skipped: ${showSkipped(summary.skipped)}`,
    ].join('\n'),
  );
  for (const query of queries) {
    const { hits } = await tessera<{ hits: Hit[] }>('search', query, folder, '-k', '3');
    console.log(`\n  ? ${query}`);
    console.log(hits.length === 0 ? '  no hits' : hits.map(showHit).join('\n'));
  }
}

const { stdout: version } = await run(process.execPath, [cli, '--version']);
console.log(`
━━ How to go on (tessera ${version.trim()})

  node_modules/.bin/node dist/cli.js search "your question" DIR     search any folder (indexes it first: tessera index DIR)
  node_modules/.bin/node dist/cli.js status DIR                     what is indexed, skipped and why
  npm start -- DIR                                                  VS Code with the extension, in your browser
  npm run package                                                   a VSIX to install
`);
