import type { Logger } from '../base/logger.ts';
import { type EmbedderMetrics, LANES, type ModelInfo, type ScopeMetrics } from '../protocol/embedder.ts';
import { runSizeOf } from '../protocol/runSize.ts';
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
    embedder: metrics === null ? null : { ...processesOf(metrics), ...devicesOf(metrics), restarts },
  };
}

function processesOf({ threads, sessions, rssMb, peakRssMb, gpuUtilization }: EmbedderMetrics) {
  return { threads, sessions, rssMb, peakRssMb, gpuUtilization };
}

function devicesOf({ devices }: EmbedderMetrics): Pick<EmbedderMetrics, 'devices'> {
  return devices === undefined ? {} : { devices };
}

/**
 * Writes the embedder's figures into the log: a line for each scope and each lane that had work, and one for the processes. Where
 * several devices work, a line for each of them and each scope it had work of besides, since each has a tuner of its own.
 */
export function logFigures(
  logger: Logger,
  { metrics, restarts }: Pick<EmbeddingFigures, 'metrics' | 'restarts'>,
): void {
  const { devices = [] } = metrics;
  for (const scope of SCOPES) {
    const figures = metrics.scopes[scope];
    if (figures.runs === 0) continue;
    logger.info('embedded', { scope, ...runFields(figures), ...(devices.length > 0 ? {} : tunerFields(figures)) });
  }
  for (const { device, scopes, rssMb, gpuUtilization } of devices) {
    for (const scope of SCOPES) {
      const figures = scopes[scope];
      if (figures.runs === 0) continue;
      const fields = { ...runFields(figures), ...tunerFields(figures), device, rssMb, gpuUtilization };
      logger.info('embedded on one of the devices', { scope, ...fields });
    }
  }
  logger.info('embedded by', { ...processesOf(metrics), restarts });
  for (const lane of LANES) {
    const waits = metrics.lanes[lane];
    if (waits.requests > 0) logger.info('waited to be embedded', { lane, ...waits });
  }
}

/** Values in a log are plain: memory is `upToTokens:MiB` by the size of runs. */
function runFields({ rssByRunTokens, tuner: _, ...figures }: ScopeMetrics) {
  const rss = rssByRunTokens.map(({ upToTokens, rssMb }) => `${upToTokens}:${Math.round(rssMb)}`);
  return { ...figures, rssMbByRunTokens: rss.join(' ') };
}

/** `from→to reason` for each move of the budget; `runTokens` are what runs have of it, unless a person fixed their texts. */
function tunerFields({ tuner }: ScopeMetrics) {
  // Its runs are those of all starts.
  const { moves, runs: _, ...ofTuner } = tuner;
  const size = runSizeOf(tuner);
  const inUse = size.kind === 'tokens' ? { runTokens: size.tokens, boundBy: size.boundBy } : {};
  const history = moves.map((move) => `${move.fromTokens}→${move.toTokens} ${move.reason}`);
  return { ...ofTuner, ...inUse, moves: history.join(', ') };
}
