/**
 * How long a query waits while bulk work goes on, in the embedder process as the product runs it.
 * `node bench/queryLatency.ts [--model synthetic:minilm-l6] [--queries 200] [--ceiling 100] [--json]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SILENT_LOGGER } from '../src/base/logger.ts';
import { isSynthetic, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import { SYSTEM_CLOCK } from '../src/process/systemClock.ts';
import { EmbedderClient } from '../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'synthetic:minilm-l6' },
    queries: { type: 'string', default: '200' },
    ceiling: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
/** Queries come at times that have nothing to do with the runs. */
const MEAN_PAUSE_MS = 120;
const BULK_TEXTS = 512;

const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
const folder = synthetic?.folder ?? values.model;
const client = new EmbedderClient({
  settings: {
    models: { code: folder, docs: folder },
    device: 'cpu',
    threads: 0,
    sessions: 0,
    batchSize: 0,
    memoryCeilingMb: 0,
    latencyCeilingMs: Number(values.ceiling),
    tunerStateFile: null,
  },
  spawn: () => spawnEmbedder(),
  clock: SYSTEM_CLOCK,
  logger: SILENT_LOGGER,
});

/** Times of queries that come one by one, in ms, sorted. */
async function timeQueries(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let query = 0; query < count; query++) {
    await sleep(Math.random() * 2 * MEAN_PAUSE_MS);
    const startedMs = performance.now();
    await client.embed({
      texts: ['where are retries handled in this code'],
      role: 'query',
      scope: 'code',
      lane: 'query',
    });
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b);
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;

try {
  const count = Number(values.queries);
  await timeQueries(10);
  const idle = await timeQueries(count);
  const lengths = drawWorkload('log-normal', BULK_TEXTS, 512, 11)?.lengths ?? [];
  const texts = lengths.map((tokens) => new Array<string>(tokens).fill('word').join(' '));
  const stop = new AbortController();
  const bulk = (async () => {
    // Two requests at a time, so that the queue never runs dry between them.
    const endless = async (): Promise<void> => {
      while (!stop.signal.aborted)
        await client.embed({ texts, role: 'document', scope: 'code', lane: 'bulk' }, stop.signal);
    };
    await Promise.allSettled([endless(), endless()]);
  })();
  await sleep(2000);
  const busy = await timeQueries(count);
  const metrics = await client.metrics();
  stop.abort();
  await bulk;
  const report = {
    model: values.model,
    queries: count,
    idleP50Ms: quantile(idle, 0.5),
    idleP99Ms: quantile(idle, 0.99),
    busyP50Ms: quantile(busy, 0.5),
    busyP99Ms: quantile(busy, 0.99),
    latencyCeilingMs: Number(values.ceiling),
    runP50Ms: metrics?.scopes.code.runP50Ms,
    runP99Ms: metrics?.scopes.code.runP99Ms,
    queryWaitP50Ms: metrics?.lanes.query.waitP50Ms,
    queryWaitP99Ms: metrics?.lanes.query.waitP99Ms,
    bulkTokensPerSecond: metrics?.scopes.code.tokensPerSecond,
    budgetTokens: metrics?.scopes.code.tuner.budgetTokens,
  };
  if (values.json) console.log(JSON.stringify(report));
  else
    for (const [name, value] of Object.entries(report))
      console.log(`${name.padEnd(22)} ${typeof value === 'number' ? value.toFixed(1) : String(value)}`);
} finally {
  client.dispose();
  await synthetic?.remove();
}
