/**
 * How long a query waits while bulk work goes on, in the embedder process as the product runs it, with all threads in one.
 * `node bench/queryLatency.ts [--model synthetic:minilm-l6] [--queries 200] [--ceiling 100] [--json]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isSynthetic, writeSyntheticModel } from '../src/cli/bench/benchModel.ts';
import { drawWorkload } from '../src/cli/bench/workloads.ts';
import { embedUntil, quantile, startEmbedder, timeQueries } from './embedderWork.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'synthetic:minilm-l6' },
    queries: { type: 'string', default: '200' },
    ceiling: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const MEAN_PAUSE_MS = 120;
const WARM_UP_QUERIES = 10;
/** Bulk work has gone on for so long when the first query comes. */
const HEAD_START_MS = 2_000;
/** Texts of a call of bulk work. */
const BULK_TEXTS = 512;

const synthetic = isSynthetic(values.model) ? await writeSyntheticModel(values.model) : undefined;
const latencyCeilingMs = Number(values.ceiling);
const embedder = startEmbedder(synthetic?.folder ?? values.model, 1, { latencyCeilingMs });
const queriesMs = (most: number): Promise<number[]> => timeQueries(embedder, (count) => count >= most, MEAN_PAUSE_MS);

try {
  const count = Number(values.queries);
  await queriesMs(WARM_UP_QUERIES);
  const idle = await queriesMs(count);
  const lengths = drawWorkload('log-normal', BULK_TEXTS, 512, 11)?.lengths ?? [];
  const texts = lengths.map((tokens) => new Array<string>(tokens).fill('word').join(' '));
  let isDone = false;
  const bulk = embedUntil(
    embedder,
    () => texts,
    () => isDone,
  );
  // Bulk work that fails ends the measurement: queries would have had nothing to wait for.
  const busy = await Promise.race([
    sleep(HEAD_START_MS).then(() => queriesMs(count)),
    bulk.then(() => {
      throw new Error('Bulk work ended before the queries did.');
    }),
  ]);
  const metrics = await embedder.metrics();
  isDone = true;
  await bulk;
  const report = {
    model: values.model,
    queries: count,
    idleP50Ms: quantile(idle, 0.5),
    idleP99Ms: quantile(idle, 0.99),
    busyP50Ms: quantile(busy, 0.5),
    busyP99Ms: quantile(busy, 0.99),
    latencyCeilingMs,
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
  embedder.dispose();
  await synthetic?.remove();
}
