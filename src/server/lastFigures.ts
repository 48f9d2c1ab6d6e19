import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { LANES } from '../protocol/embedder.ts';
import { SCOPES } from '../protocol/scope.ts';
import type { EmbeddingFigures } from '../protocol/server.ts';

const FORMAT = 1;
const FILE_NAME = 'figures.json';

/** The embedder's figures at the end of the last full pass that embedded something, however it ended, beside the index: processes end, and with them what they know. */
export class LastFigures {
  readonly #file: string;
  readonly #logger: Logger;

  constructor(dir: string, logger: Logger) {
    this.#file = path.join(dir, FILE_NAME);
    this.#logger = logger;
  }

  /** Resolves when they are kept; a failure costs only the figures, and is logged. */
  async keep(figures: EmbeddingFigures): Promise<void> {
    const fresh = `${this.#file}.${process.pid}.tmp`;
    try {
      await writeFile(fresh, JSON.stringify({ format: FORMAT, ...figures }));
      await rename(fresh, this.#file);
    } catch (error) {
      this.#logger.warn('the figures of embedding could not be kept', { message: errorMessage(error) });
    }
  }

  /** Null where there are none, or none that this program wrote. */
  async read(): Promise<EmbeddingFigures | null> {
    try {
      const parsed: unknown = JSON.parse(await readFile(this.#file, 'utf8'));
      if (!isFigures(parsed)) return null;
      const { time, metrics, restarts } = parsed;
      return { time, metrics, restarts };
    } catch {
      // Nothing has been embedded yet, or the file was cut off by a crash of the disk.
      return null;
    }
  }
}

function isFigures(value: unknown): value is EmbeddingFigures {
  if (!isRecord(value) || value['format'] !== FORMAT) return false;
  if (typeof value['time'] !== 'string' || typeof value['restarts'] !== 'number') return false;
  const { metrics } = value;
  if (!isRecord(metrics) || !hasNumbers(metrics, ['threads', 'sessions', 'peakRssMb'])) return false;
  const { lanes, devices = [] } = metrics;
  if (!isRecord(lanes) || !LANES.every((lane) => isOfLane(lanes[lane]))) return false;
  if (!isRecords(devices) || !devices.every((one) => typeof one['device'] === 'string' && isOfProcesses(one))) {
    return false;
  }
  return isOfProcesses(metrics);
}

/** Of one device or of all. */
function isOfProcesses(value: Readonly<Record<string, unknown>>): boolean {
  const { scopes } = value;
  if (!isRecord(scopes) || !hasNumbers(value, ['rssMb']) || !hasNumbersOrNull(value, ['gpuUtilization'])) return false;
  return SCOPES.every((scope) => isOfScope(scopes[scope]));
}

const AMOUNTS = ['runs', 'texts', 'realTokens', 'paddedTokens', 'paddingRatio', 'backoffs', 'tokenizeMs'];
const SPEEDS = ['tokensPerSecond', 'textsPerSecond', 'recentTokensPerSecond', 'recentTextsPerSecond'];
const TIMES = ['runP50Ms', 'runP90Ms', 'runP99Ms'];

/** Has all that cannot be shown without being there. */
function isOfScope(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { rssByRunTokens, tuner } = value;
  return (
    hasNumbers(value, [...AMOUNTS, ...SPEEDS, 'bestTextsPerSecond', ...TIMES]) &&
    isRecords(rssByRunTokens) &&
    rssByRunTokens.every((one) => hasNumbers(one, ['upToTokens', 'rssMb'])) &&
    isRecord(tuner) &&
    isOfTuner(tuner)
  );
}

function isOfTuner(tuner: Readonly<Record<string, unknown>>): boolean {
  const { moves } = tuner;
  return (
    hasNumbers(tuner, ['budgetTokens', 'bestTokensPerSecond']) &&
    hasNumbersOrNull(tuner, ['memoryCeilingTokens', 'latencyCeilingTokens']) &&
    isRecords(moves) &&
    moves.every((move) => hasNumbers(move, ['run', 'fromTokens', 'toTokens']) && typeof move['reason'] === 'string')
  );
}

function isOfLane(value: unknown): boolean {
  return isRecord(value) && hasNumbers(value, ['requests', 'waitP50Ms', 'waitP90Ms', 'waitP99Ms']);
}

function hasNumbers(record: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => typeof record[name] === 'number');
}

function hasNumbersOrNull(record: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => record[name] === null || typeof record[name] === 'number');
}

function isRecords(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.every(isRecord);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
