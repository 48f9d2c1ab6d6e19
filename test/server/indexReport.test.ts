import { describe, expect, it } from 'vitest';
import { Logger, type LogRecord } from '../../src/base/logger.ts';
import { logFigures } from '../../src/server/indexReport.ts';
import { NO_WORK } from '../fakes/hashEmbedder.ts';

describe('the figures in the log', () => {
  it('are a line for each scope and lane that had work, of plain values', () => {
    const records: LogRecord[] = [];
    const logger = new Logger({ level: 'info', write: (record) => records.push(record) }, 'test');
    const { scopes, lanes } = NO_WORK;
    const rssByRunTokens = [
      { upToTokens: 256, rssMb: 100.4 },
      { upToTokens: 512, rssMb: 120 },
    ];
    const moves = [{ run: 9, fromTokens: 512, toTokens: 256, reason: 'faster' }];
    const docs = { ...scopes.docs, runs: 3, runP99Ms: 7, paddingRatio: 0.25, rssByRunTokens, bestTextsPerSecond: 8 };
    logFigures(logger, {
      metrics: {
        ...NO_WORK,
        scopes: { ...scopes, docs: { ...docs, tuner: { ...docs.tuner, runs: 40, moves } } },
        lanes: { ...lanes, bulk: { ...lanes.bulk, requests: 2, waitP50Ms: 5 } },
      },
      restarts: 2,
    });
    expect(records.map(({ fields }) => fields)).toMatchObject([
      {
        ...{ scope: 'docs', device: 'cpu', runs: 3, runP99Ms: 7, paddingRatio: 0.25, budgetTokens: 0 },
        ...{ bestTextsPerSecond: 8, rssMbByRunTokens: '256:100 512:120', moves: '512→256 faster' },
      },
      { threads: 1, sessions: 1, rssMb: 0, peakRssMb: 0, gpuUtilization: null, restarts: 2 },
      { lane: 'bulk', requests: 2, waitP50Ms: 5 },
    ]);
    for (const { fields } of records) expect(Object.values(fields ?? {}).filter(isCompound)).toEqual([]);
  });
});

function isCompound(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
