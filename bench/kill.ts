/**
 * `node bench/kill.ts [rounds] [files]`: indexes a tree of real files, kills one of the processes with SIGKILL at a random moment, runs
 * `index` again, and compares the rows with those of an undisturbed run. Prints a line for each round and JSON at the end; exit status 1
 * when any recovery differs.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IndexSummary } from '../src/protocol/server.ts';
import { differences, readIndexRows } from './indexRows.ts';
import { makeSourceTree } from './sourceTree.ts';

const ROUNDS = Number(process.argv[2] ?? 50);
const FILES = Number(process.argv[3] ?? 400);
const CLI = path.join(import.meta.dirname, '../src/cli/main.ts');
const VICTIMS = ['cli', 'embedder', 'both'] as const;
type Victim = (typeof VICTIMS)[number];

interface Round {
  readonly victim: Victim;
  /** Share of the undisturbed run's time after which the kill came. */
  readonly at: number;
  readonly killed: boolean;
  /** Whether the run ended well in spite of the kill, as it should when only the embedder dies. */
  readonly survived: boolean;
  readonly embeddedAgain: number;
  readonly verified: boolean;
  readonly rowsThatDiffer: number;
}

function start(folder: string, indexDir: string): ChildProcess {
  return spawn(process.execPath, [CLI, 'index', folder, '--index-dir', indexDir], { stdio: 'ignore' });
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
}

/** The embedder is the only child of the command line. */
function embedderOf(pid: number): number | undefined {
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid=']).toString().trim().split('\n');
  const own = children.map((line) => line.trim().split(/\s+/).map(Number)).find(([, parent]) => parent === pid);
  return own?.[0];
}

/** Kills the victim; false when it was gone already. An embedder that has not started yet is waited for. */
async function kill(child: ChildProcess, victim: Victim): Promise<boolean> {
  let embedder: number | undefined;
  while (child.pid !== undefined && child.exitCode === null && victim !== 'cli' && embedder === undefined) {
    embedder = embedderOf(child.pid);
    if (embedder === undefined) await sleep(20);
  }
  if (child.pid === undefined || child.exitCode !== null) return false;
  try {
    if (embedder !== undefined) process.kill(embedder, 'SIGKILL');
    if (victim !== 'embedder') process.kill(child.pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

const folder = makeSourceTree(FILES);
const root = mkdtempSync(path.join(os.tmpdir(), 'tessera-kill-'));
let failures = 0;
try {
  const undisturbedDir = path.join(root, 'undisturbed');
  const startedAt = performance.now();
  await once(start(folder, undisturbedDir), 'exit');
  // The machine's other work makes runs faster or slower; the shortest one seen keeps the kills inside the runs.
  let shortestMs = performance.now() - startedAt;
  const expected = await readIndexRows(undisturbedDir);
  console.log(`${FILES} files, ${expected.facts.size} rows, undisturbed ${(shortestMs / 1_000).toFixed(1)} s`);

  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const indexDir = path.join(root, `round${round}`);
    const victim = VICTIMS[round % VICTIMS.length] ?? 'cli';
    const at = Math.random();
    const child = start(folder, indexDir);
    const roundStartedAt = performance.now();
    const exited = once(child, 'exit');
    await Promise.race([sleep(at * shortestMs), exited]);
    const killed = await kill(child, victim);
    await exited;
    if (!killed) shortestMs = Math.min(shortestMs, performance.now() - roundStartedAt);
    const again = run('index', folder, '--index-dir', indexDir, '--json');
    const verify = run('verify', folder, '--index-dir', indexDir);
    const differing = differences(await readIndexRows(indexDir), expected);
    const outcome: Round = {
      victim,
      at,
      killed,
      survived: child.exitCode === 0,
      embeddedAgain: (JSON.parse(again.stdout) as IndexSummary).embedded,
      verified: verify.status === 0,
      rowsThatDiffer: differing.length,
    };
    if (!outcome.verified || outcome.rowsThatDiffer > 0) {
      failures += 1;
      console.log(verify.stdout, verify.stderr, differing.slice(0, 5));
    }
    rounds.push(outcome);
    console.log(
      `${String(round + 1).padStart(3)} ${victim.padEnd(8)} at ${(at * 100).toFixed(0).padStart(3)} % killed=${killed} survived=${outcome.survived} embedded again ${outcome.embeddedAgain} verified=${outcome.verified} differing rows ${outcome.rowsThatDiffer}`,
    );
    rmSync(indexDir, { recursive: true, force: true });
  }
  const count = (victim: Victim) => rounds.filter((round) => round.killed && round.victim === victim).length;
  const report = {
    files: FILES,
    rows: expected.facts.size,
    rounds: rounds.length,
    killed: { cli: count('cli'), embedder: count('embedder'), both: count('both') },
    embedderDeathsSurvived: rounds.filter((round) => round.killed && round.victim === 'embedder' && round.survived)
      .length,
    recovered: rounds.filter((round) => round.verified && round.rowsThatDiffer === 0).length,
  };
  console.log(JSON.stringify(report));
} finally {
  rmSync(root, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
