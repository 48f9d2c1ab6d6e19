import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, type LogRecord } from '../src/base/logger.ts';
import { SYSTEM_CLOCK } from '../src/process/systemClock.ts';
import { createEmbedder } from '../src/server/embedder/createEmbedder.ts';
import type { Embedder } from '../src/server/embedder/embedder.ts';
import { spawnEmbedder } from '../src/server/embedder/spawnEmbedder.ts';

/** As the product has it where nobody chose another. */
const LATENCY_CEILING_MS = 100;
/** Queries come at times that have nothing to do with the runs. */
const MEAN_PAUSE_MS = 400;

interface EmbedderOptions {
  /** Told what the embedder logs. */
  readonly onRecord?: (record: LogRecord) => void;
  readonly latencyCeilingMs?: number;
}

/** The product's embedder on the processor with all threads; `sessions` 0 leaves their number to it. */
export function startEmbedder(
  folder: string,
  sessions: number,
  { onRecord = () => undefined, latencyCeilingMs = LATENCY_CEILING_MS }: EmbedderOptions = {},
): Embedder {
  return createEmbedder({
    settings: {
      models: { code: folder, docs: folder },
      device: 'cpu',
      threads: 0,
      sessions,
      batchSize: 0,
      memoryCeilingMb: 0,
      latencyCeilingMs,
      tunerStateFile: null,
    },
    spawn: () => spawnEmbedder(),
    clock: SYSTEM_CLOCK,
    logger: new Logger({ level: 'info', write: onRecord }, 'bench'),
  });
}

/** Bulk work, two calls at a time, until `isDone` and all of it is answered; tokens a second. */
export async function embedUntil(
  embedder: Embedder,
  nextTexts: () => readonly string[],
  isDone: () => boolean,
): Promise<number> {
  const startedMs = performance.now();
  let tokens = 0;
  const worker = async (): Promise<void> => {
    while (!isDone()) {
      const { tokenCounts } = await embedder.embed({
        texts: nextTexts(),
        role: 'document',
        scope: 'code',
        lane: 'bulk',
      });
      for (const count of tokenCounts) tokens += count;
    }
  };
  await Promise.all([worker(), worker()]);
  return (tokens * 1000) / (performance.now() - startedMs);
}

/** The same for so many ms. */
export function embedFor(embedder: Embedder, nextTexts: () => readonly string[], ms: number): Promise<number> {
  const untilMs = performance.now() + ms;
  return embedUntil(embedder, nextTexts, () => performance.now() >= untilMs);
}

/** Times of queries put one by one, in ms, until `isOver`, which is told how many there were. */
export async function timeQueries(
  embedder: Embedder,
  isOver: (count: number) => boolean,
  meanPauseMs = MEAN_PAUSE_MS,
): Promise<number[]> {
  const times: number[] = [];
  for (;;) {
    await sleep(Math.random() * 2 * meanPauseMs);
    // What they compete with has ended.
    if (isOver(times.length)) return times;
    const startedMs = performance.now();
    await embedder.embed({
      texts: ['where are retries handled in this code'],
      role: 'query',
      scope: 'code',
      lane: 'query',
    });
    times.push(performance.now() - startedMs);
  }
}

/** The value that a share of the numbers does not exceed; 0 when there is none. */
export function quantile(numbers: readonly number[], share: number): number {
  return [...numbers].sort((a, b) => a - b)[Math.max(0, Math.ceil(share * numbers.length) - 1)] ?? 0;
}
