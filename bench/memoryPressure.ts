/**
 * Takes memory away from the embedder process at random moments (Linux: its address space is limited for a while to what it has,
 * or to half of that, or it is killed as the kernel does when memory runs out), and checks that nothing is lost or mixed up and
 * that it is as fast afterwards as before. What is before and what is after is compared with a second embedder that is left alone,
 * in turns, since the machine changes too.
 * `node bench/memoryPressure.ts [--times 100] [--texts 800] [--rounds 15] [--model synthetic:small-4x256]`. Exit status 1 when a vector
 * differs or is missing, or when speed afterwards is a twentieth below that of before.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SILENT_LOGGER } from '../src/base/logger.ts';
import { writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import type { ChildHandle } from '../src/process/childProcess.ts';
import { SYSTEM_CLOCK } from '../src/process/systemClock.ts';
import type { EmbedResult, EmbedderSettings } from '../src/protocol/embedder.ts';
import { EmbedderClient } from '../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    texts: { type: 'string', default: '800' },
    rounds: { type: 'string', default: '15' },
    model: { type: 'string', default: 'synthetic:small-4x256' },
  },
});
const TIMES = Number(values.times);
const ROUNDS = Number(values.rounds);
/** How long memory is short, in ms, at the most: some runs, and a collection of garbage. */
const SHORTAGE_MS = 500;
/** How long it is enough in between, at the most. */
const RESPITE_MS = 800;
/** What happens in turn; a process that has just been started needs memory the most. */
const SHORTAGES = ['what it has', 'killed', 'half', 'what it has'] as const;
/** Texts of a timed pass: about a second. */
const TIMED_TEXTS = 200;
/** Vectors of one text may differ by the rounding of another batch, no more. */
const LEAST_COSINE = 0.9999;
/** Of the speed before. */
const LEAST_SPEED = 0.95;

const synthetic = await writeSyntheticModel(values.model);
const settings: EmbedderSettings = {
  models: { code: synthetic.folder, docs: synthetic.folder },
  device: 'cpu',
  threads: 0,
  sessions: 0,
  batchSize: 0,
  memoryCeilingMb: 0,
  latencyCeilingMs: 100,
  tunerStateFile: null,
};
let child: ChildHandle | undefined;
const common = { settings, clock: SYSTEM_CLOCK, logger: SILENT_LOGGER };
const client = new EmbedderClient({ ...common, spawn: () => (child = spawnEmbedder()) });
const undisturbed = new EmbedderClient({ ...common, spawn: () => spawnEmbedder() });
const lengths = drawWorkload('log-normal', Number(values.texts), 512, 11)?.lengths ?? [];
const texts = lengths.map((tokens) => new Array<string>(tokens).fill('word').join(' '));

function embedAll(embedder: EmbedderClient): Promise<EmbedResult> {
  return embedder.embed({ texts, role: 'document', scope: 'code', lane: 'bulk' });
}

async function secondsOf(embedder: EmbedderClient): Promise<number> {
  const startedMs = performance.now();
  await embedder.embed({ texts: texts.slice(0, TIMED_TEXTS), role: 'document', scope: 'code', lane: 'bulk' });
  return (performance.now() - startedMs) / 1000;
}

/** How many times as fast as the undisturbed embedder, sorted, and texts a second. */
async function timeRounds(): Promise<{ readonly ratios: number[]; readonly textsPerSecond: number }> {
  const ratios: number[] = [];
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const first = round % 2 === 0 ? client : undisturbed;
    const one = await secondsOf(first);
    const other = await secondsOf(first === client ? undisturbed : client);
    const [own, reference] = first === client ? [one, other] : [other, one];
    ratios.push(reference / own);
    sum += own;
  }
  return { ratios: ratios.sort((a, b) => a - b), textsPerSecond: (ROUNDS * TIMED_TEXTS) / sum };
}

function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? 0;
}

function limitAddressSpace(pid: number, limit: string): void {
  try {
    execFileSync('prlimit', ['--pid', String(pid), `--as=${limit}`], { stdio: 'ignore' });
  } catch {
    // The process has died meanwhile: that is what this is about.
  }
}

function addressSpaceBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[0]) * 4096;
  } catch {
    return undefined;
  }
}

function worstCosine(a: EmbedResult, b: EmbedResult): number {
  let worst = 1;
  for (let row = 0; row < texts.length; row++) {
    let dot = 0;
    for (let column = 0; column < a.dimension; column++) {
      const place = row * a.dimension + column;
      dot += (a.vectors[place] ?? 0) * (b.vectors[place] ?? 0);
    }
    worst = Math.min(worst, dot);
  }
  return worst;
}

try {
  await embedAll(client);
  const reference = await embedAll(undisturbed);
  const before = await timeRounds();
  let shortages = 0;
  let kills = 0;
  let passes = 0;
  let backoffs = 0;
  let worst = 1;
  let failures = 0;
  while (shortages < TIMES) {
    const pass = embedAll(client);
    const progress = { isDone: false };
    void pass.finally(() => (progress.isDone = true));
    while (!progress.isDone && shortages < TIMES) {
      await sleep(Math.random() * RESPITE_MS);
      const pid = child?.pid;
      const bytes = pid === undefined ? undefined : addressSpaceBytes(pid);
      // Nothing left, when it has died and is about to be started again.
      if (pid === undefined || bytes === undefined || bytes === 0) continue;
      const shortage = SHORTAGES[shortages % SHORTAGES.length];
      shortages++;
      if (shortage === 'killed') {
        process.kill(pid, 'SIGKILL');
        kills++;
      } else {
        // What it has: nothing can grow. Half of that: what is given back can't be had again either.
        limitAddressSpace(pid, `${shortage === 'half' ? Math.floor(bytes / 2) : bytes}:unlimited`);
        await sleep(Math.random() * SHORTAGE_MS);
        limitAddressSpace(pid, 'unlimited:unlimited');
      }
      client.forgive();
    }
    const result = await pass;
    passes++;
    failures += result.failures.length;
    worst = Math.min(worst, worstCosine(reference, result));
    // Of the process that lives now: earlier ones took theirs with them.
    backoffs = Math.max(backoffs, (await client.metrics())?.scopes.code.backoffs ?? 0);
    process.stderr.write(
      `${shortages} shortages, ${client.restarts} deaths, ${passes} passes, worst cosine ${worst.toFixed(6)}\n`,
    );
  }
  const last = await embedAll(client);
  const after = await timeRounds();
  const metrics = await client.metrics();
  const report = {
    shortages,
    kills,
    deaths: client.restarts,
    backoffsOfOneProcess: backoffs,
    passes,
    failures,
    worstCosine: Math.min(worst, worstCosine(reference, last)),
    textsPerSecondBefore: before.textsPerSecond,
    textsPerSecondAfter: after.textsPerSecond,
    toUndisturbedBefore: before.ratios,
    toUndisturbedAfter: after.ratios,
    ratio: median(after.ratios) / median(before.ratios),
    budgetTokens: metrics?.scopes.code.tuner.budgetTokens,
    memoryCeilingTokens: metrics?.scopes.code.tuner.memoryCeilingTokens,
  };
  console.log(JSON.stringify(report, undefined, 1));
  if (report.worstCosine < LEAST_COSINE || failures > 0 || !(report.ratio >= LEAST_SPEED)) process.exitCode = 1;
} finally {
  client.dispose();
  undisturbed.dispose();
  await synthetic.remove();
}
