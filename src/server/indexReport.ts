import type { Logger } from '../base/logger.ts';
import { type EmbedderMetrics, LANES, type ModelInfo } from '../protocol/embedder.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import type { EmbeddingFigures, FolderStatus, IndexSummary, SkipReason, SkippedFile } from '../protocol/server.ts';
import type { RunProgress } from './indexer/runProgress.ts';
import type { FileRecord } from './store/chunkStore.ts';

/** A file counts as indexed when nothing is wrong with it or when at least some of its chunks are there. */
export function isIndexed(record: FileRecord | undefined): record is FileRecord {
  return record !== undefined && (record.skipped === null || record.chunks > 0);
}

export function statusCounts(
  records: Iterable<FileRecord>,
): Pick<FolderStatus, 'files' | 'chunks' | 'filesByLanguage' | 'linesIndexed' | 'skipped'> {
  const filesByLanguage: Record<string, number> = {};
  const skipped: SkippedFile[] = [];
  let files = 0;
  let chunks = 0;
  let linesIndexed = 0;
  for (const record of records) {
    if (record.skipped !== null) skipped.push({ path: record.path, ...record.skipped });
    if (!isIndexed(record)) continue;
    files += 1;
    chunks += record.chunks;
    linesIndexed += record.lines;
    filesByLanguage[record.language] = (filesByLanguage[record.language] ?? 0) + 1;
  }
  return { files, chunks, filesByLanguage, linesIndexed, skipped };
}

/** What a full pass did, and the figures of the embedder since it started. */
export function summaryOf(
  records: ReadonlyMap<string, FileRecord>,
  progress: RunProgress,
  models: Readonly<Record<Scope, ModelInfo>>,
  metrics: EmbedderMetrics | null,
  restarts: number,
): IndexSummary {
  const counts = statusCounts(records.values());
  const skipped: Partial<Record<SkipReason, number>> = {};
  for (const { reason } of counts.skipped) skipped[reason] = (skipped[reason] ?? 0) + 1;
  const embeddingSeconds = progress.embeddingMs / 1_000;
  const sum = (pick: (scope: EmbedderMetrics['scopes'][Scope]) => number) =>
    SCOPES.reduce((total, scope) => total + (metrics === null ? 0 : pick(metrics.scopes[scope])), 0);
  const realTokens = sum((scope) => scope.realTokens);
  return {
    files: counts.files,
    chunks: counts.chunks,
    embedded: progress.embedded,
    reused: progress.reused,
    skipped,
    seconds: progress.seconds,
    tokens: progress.tokens,
    tokensPerSecond: embeddingSeconds > 0 ? progress.tokens / embeddingSeconds : 0,
    paddingRatio: realTokens > 0 ? sum((scope) => scope.paddedTokens) / realTokens - 1 : 0,
    model: [...new Set([models.code.name, models.docs.name])].join(', '),
    device: [...new Set(SCOPES.flatMap((scope) => models[scope].devices ?? models[scope].device))].join(', '),
    tuner: metrics?.scopes ?? {},
    lanes: metrics?.lanes ?? {},
    embedder: metrics === null ? null : { ...processesOf(metrics), restarts },
  };
}

function processesOf({ threads, sessions, rssMb, peakRssMb, gpuUtilization }: EmbedderMetrics) {
  return { threads, sessions, rssMb, peakRssMb, gpuUtilization };
}

/** Writes the embedder's figures into the log: a line for each scope and each lane that had work, and one for the processes. */
export function logFigures(
  logger: Logger,
  { metrics, restarts }: Pick<EmbeddingFigures, 'metrics' | 'restarts'>,
): void {
  for (const scope of SCOPES) {
    const { rssByRunTokens, tuner, ...figures } = metrics.scopes[scope];
    if (figures.runs === 0) continue;
    const { moves, ...ofTuner } = tuner;
    // `upToTokens:MiB`, and `from→to reason` for each move of the budget: values in a log are plain.
    const rss = rssByRunTokens.map(({ upToTokens, rssMb }) => `${upToTokens}:${Math.round(rssMb)}`).join(' ');
    const history = moves.map((move) => `${move.fromTokens}→${move.toTokens} ${move.reason}`).join(', ');
    logger.info('embedded', {
      scope,
      ...figures,
      ...ofTuner,
      runs: figures.runs,
      rssMbByRunTokens: rss,
      moves: history,
    });
  }
  logger.info('embedded by', { ...processesOf(metrics), restarts });
  for (const lane of LANES) {
    const waits = metrics.lanes[lane];
    if (waits.requests > 0) logger.info('waited to be embedded', { lane, ...waits });
  }
}
