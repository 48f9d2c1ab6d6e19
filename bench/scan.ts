import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { checkPaths } from '../src/server/scanner/pathCheck.ts';
import { readSource } from '../src/server/scanner/readSource.ts';
import { scanFolder } from '../src/server/scanner/scanFolder.ts';

/**
 * `node bench/scan.ts [folder]`: how fast a folder is walked, next to git over the same folder. Without a folder it makes
 * one of 5,000 files with ignore files at several levels. The folder must be (in) a git repository.
 */
const OPTIONS = { maxFileBytes: 1_000_000, exclude: [], useIgnoreFiles: true };
const ROUNDS = 7;

interface Row {
  readonly what: string;
  readonly paths: number;
  readonly medianMs: number;
}

async function main(): Promise<void> {
  const given = process.argv[2];
  const folder = given ?? makeRepository(5000);
  try {
    const files = await listFiles(folder);
    const rows = [
      await measure('scanFolder', async () => (await listFiles(folder)).length),
      await measure('checkPaths, one by one', async () => (await checkPaths(folder, OPTIONS, files)).length),
      await measure('readSource, 8 at once', () => readAll(folder, files)),
      await measure('git ls-files --cached --others', () =>
        Promise.resolve(
          git(folder, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0').length - 1,
        ),
      ),
      await measure('git status', () => {
        git(folder, 'status', '--porcelain');
        return Promise.resolve(files.length);
      }),
    ];
    const scanMs = rows[0]?.medianMs ?? Number.NaN;
    console.table(
      rows.map(({ what, paths, medianMs }) => ({
        what,
        paths,
        medianMs: Math.round(medianMs),
        pathsPerSecond: Math.round((paths / medianMs) * 1000),
        ratioToScan: Number((medianMs / scanMs).toFixed(2)),
      })),
    );
    console.log(JSON.stringify({ folder: given ?? 'generated', rounds: ROUNDS, rows }));
  } finally {
    if (given === undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(what: string, run: () => Promise<number>): Promise<Row> {
  const times: number[] = [];
  let paths = await run();
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    paths = await run();
    times.push(performance.now() - start);
  }
  return { what, paths, medianMs: times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN };
}

async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of scanFolder(folder, OPTIONS)) if (entry.kind === 'file') files.push(entry.path);
  return files;
}

async function readAll(folder: string, files: readonly string[]): Promise<number> {
  const queue = files.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const file of queue) await readSource(folder, file, OPTIONS);
    }),
  );
  return files.length;
}

function makeRepository(count: number): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tessera-bench-'));
  const body = 'export function compute(input: number): number {\n  return input + 1;\n}\n'.repeat(40);
  for (let index = 0; index < count; index++) {
    const parent = path.join(folder, `package${index % 20}`, 'src', `part${index % 250}`);
    fs.mkdirSync(parent, { recursive: true });
    fs.writeFileSync(path.join(parent, `file${index}.ts`), body);
  }
  for (let index = 0; index < 20; index++)
    fs.writeFileSync(path.join(folder, `package${index}/.gitignore`), 'out/\n*.tmp\n');
  fs.writeFileSync(path.join(folder, '.gitignore'), 'node_modules/\ndist/\n*.log\n!keep.log\n/coverage\n');
  git(folder, 'init', '-q');
  git(folder, 'add', '.');
  git(folder, '-c', 'user.name=bench', '-c', 'user.email=bench@example.invalid', 'commit', '-q', '-m', 'all');
  return folder;
}

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 });
}

await main();
