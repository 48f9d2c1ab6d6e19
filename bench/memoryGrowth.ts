/**
 * Whether the embedder's memory grows with time: texts of ever other lengths, as many as fit into the time, and the resident
 * memory of its process all the while. Every shape of run is another one to the engine, which keeps what it needed most.
 * `node bench/memoryGrowth.ts [--seconds 200] [--model synthetic:small-4x256] [--cap 512]`. Exit status 1 when the last third of the time
 * held more than a twentieth above the second; the first is for the largest run to come by.
 */
import { parseArgs } from 'node:util';
import { SILENT_LOGGER } from '../src/base/logger.ts';
import { isSynthetic, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { DRAWN_WORKLOADS, drawWorkload } from '../src/cli/bench/workloads.ts';
import { SYSTEM_CLOCK } from '../src/process/systemClock.ts';
import type { EmbedderSettings } from '../src/protocol/embedder.ts';
import { EmbedderClient } from '../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '200' },
    model: { type: 'string', default: 'synthetic:small-4x256' },
    cap: { type: 'string', default: '512' },
  },
});
/** Texts of one call; the kinds of text take turns. */
const TEXTS = 64;
const MOST_GROWTH = 1.05;

const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
const folder = synthetic?.folder ?? values.model;
const settings: EmbedderSettings = {
  models: { code: folder, docs: folder },
  device: 'cpu',
  threads: 0,
  sessions: 1,
  batchSize: 0,
  memoryCeilingMb: 0,
  latencyCeilingMs: 100,
  tunerStateFile: null,
};
const client = new EmbedderClient({
  settings,
  clock: SYSTEM_CLOCK,
  logger: SILENT_LOGGER,
  spawn: () => spawnEmbedder(),
});

/** Median of a part of the samples. */
function median(samples: readonly number[], from: number, to: number): number {
  const part = samples.slice(Math.floor(from * samples.length), Math.floor(to * samples.length)).sort((a, b) => a - b);
  return part[part.length >> 1] ?? 0;
}

try {
  const rssMb: number[] = [];
  const untilMs = performance.now() + Number(values.seconds) * 1000;
  let texts = 0;
  for (let call = 0; performance.now() < untilMs; call++) {
    const kind = DRAWN_WORKLOADS[call % DRAWN_WORKLOADS.length] ?? '';
    const lengths = drawWorkload(kind, TEXTS, Number(values.cap), call)?.lengths ?? [];
    const batch = lengths.map((tokens) => new Array<string>(tokens).fill('word').join(' '));
    await client.embed({ texts: batch, role: 'document', scope: 'code', lane: 'bulk' });
    texts += batch.length;
    rssMb.push((await client.metrics())?.rssMb ?? 0);
  }
  const metrics = await client.metrics();
  const thirds = [median(rssMb, 0, 1 / 3), median(rssMb, 1 / 3, 2 / 3), median(rssMb, 2 / 3, 1)] as const;
  const growth = thirds[2] / thirds[1];
  const { runs, realTokens } = metrics?.scopes.code ?? {};
  const largest = Math.max(...rssMb);
  const report = { texts, runs, realTokens, restarts: client.restarts, medianRssMbOfThirds: thirds, largest, growth };
  console.log(JSON.stringify(report, undefined, 1));
  // Nothing measured is no success, and a process that was started again has none of what the one before it held.
  if (!(growth <= MOST_GROWTH) || client.restarts > 0) process.exitCode = 1;
} finally {
  client.dispose();
  await synthetic?.remove();
}
