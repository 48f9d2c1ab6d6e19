import { describe, expect, it } from 'vitest';
import { Logger, type LogRecord } from '../../src/base/logger.ts';
import { logFigures } from '../../src/server/indexReport.ts';
import { NO_WORK } from '../fakes/hashEmbedder.ts';

describe('the figures in the log', () => {
  it('are a line for each scope and lane that had work, of plain values', () => {
    const records: LogRecord[] = [];
    const logger = new Logger({ level: 'info', write: (record) => records.push(record) }, 'test');
    const { scopes, lanes } = NO_WORK;
    logFigures(logger, {
      ...NO_WORK,
      scopes: { ...scopes, docs: { ...scopes.docs, runs: 3, runP99Ms: 7, paddingRatio: 0.25 } },
      lanes: { ...lanes, bulk: { ...lanes.bulk, requests: 2, waitP50Ms: 5 } },
    });
    expect(records.map(({ fields }) => fields)).toMatchObject([
      { scope: 'docs', device: 'cpu', runs: 3, runP99Ms: 7, paddingRatio: 0.25, budgetTokens: 0, gpuUtilization: null },
      { lane: 'bulk', requests: 2, waitP50Ms: 5 },
    ]);
    for (const { fields } of records) expect(Object.values(fields ?? {}).filter(isCompound)).toEqual([]);
  });
});

function isCompound(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
