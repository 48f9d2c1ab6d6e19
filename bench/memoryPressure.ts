/**
 * Takes memory away from the embedder process at random moments (Linux: its address space is limited for an instant to what it
 * has), and checks that nothing is lost or mixed up and that it is as fast afterwards as before.
 * `node bench/memoryPressure.ts [--times 100] [--texts 1500] [--model synthetic:small-4x256]`. Exit status 1 when a vector differs or is missing.
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
import type { EmbedResult } from '../src/protocol/embedder.ts';
import { EmbedderClient } from '../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '100' },
    texts: { type: 'string', default: '1500' },
    model: { type: 'string', default: 'synthetic:small-4x256' },
  },
});
const TIMES = Number(values.times);
/** How long memory is short, in ms. */
const SHORTAGE_MS = 60;
/** Vectors of one text may differ by the rounding of another batch, no more. */
const LEAST_COSINE = 0.9999;

const synthetic = await writeSyntheticModel(values.model);
let child: ChildHandle | undefined;
const client = new EmbedderClient({
  settings: {
    models: { code: synthetic.folder, docs: synthetic.folder },
    device: 'cpu',
    threads: 0,
    sessions: 0,
    batchSize: 0,
    memoryCeilingMb: 0,
    latencyCeilingMs: 100,
    tunerStateFile: null,
  },
  spawn: () => (child = spawnEmbedder()),
  clock: SYSTEM_CLOCK,
  logger: SILENT_LOGGER,
});
const lengths = drawWorkload('log-normal', Number(values.texts), 512, 11)?.lengths ?? [];
const texts = lengths.map((tokens) => new Array<string>(tokens).fill('word').join(' '));

async function embedAll(): Promise<{ result: EmbedResult; seconds: number }> {
  const startedMs = performance.now();
  const result = await client.embed({ texts, role: 'document', scope: 'code', lane: 'bulk' });
  return { result, seconds: (performance.now() - startedMs) / 1000 };
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
  await embedAll();
  const before = await embedAll();
  let shortages = 0;
  let passes = 0;
  let worst = 1;
  let failures = 0;
  while (shortages < TIMES) {
    const pass = embedAll();
    const progress = { isDone: false };
    void pass.finally(() => (progress.isDone = true));
    while (!progress.isDone && shortages < TIMES) {
      await sleep(Math.random() * 800);
      const pid = child?.pid;
      const bytes = pid === undefined ? undefined : addressSpaceBytes(pid);
      if (pid === undefined || bytes === undefined) continue;
      limitAddressSpace(pid, `${bytes}:unlimited`);
      await sleep(SHORTAGE_MS);
      limitAddressSpace(pid, 'unlimited:unlimited');
      shortages++;
      client.forgive();
    }
    const { result } = await pass;
    passes++;
    failures += result.failures.length;
    worst = Math.min(worst, worstCosine(before.result, result));
    process.stderr.write(
      `${shortages} shortages, ${client.restarts} deaths, ${passes} passes, worst cosine ${worst.toFixed(6)}\n`,
    );
  }
  await embedAll();
  const after = await embedAll();
  const metrics = await client.metrics();
  const report = {
    shortages,
    deaths: client.restarts,
    backoffs: metrics?.scopes.code.backoffs,
    passes,
    failures,
    worstCosine: Math.min(worst, worstCosine(before.result, after.result)),
    textsPerSecondBefore: texts.length / before.seconds,
    textsPerSecondAfter: texts.length / after.seconds,
    ratio: before.seconds / after.seconds,
    budgetTokens: metrics?.scopes.code.tuner.budgetTokens,
    memoryCeilingTokens: metrics?.scopes.code.tuner.memoryCeilingTokens,
  };
  console.log(JSON.stringify(report, undefined, 1));
  if (report.worstCosine < LEAST_COSINE || failures > 0) process.exitCode = 1;
} finally {
  client.dispose();
  await synthetic.remove();
}
