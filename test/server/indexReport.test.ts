import { describe, expect, it } from 'vitest';
import { Logger, type LogRecord } from '../../src/base/logger.ts';
import { logFigures, summaryOf } from '../../src/server/indexReport.ts';
import type { EmbedderMetrics, ModelInfo } from '../../src/protocol/embedder.ts';
import { RunProgress } from '../../src/server/indexer/runProgress.ts';
import { NO_WORK } from '../fakes/hashEmbedder.ts';
import { ManualClock } from '../fakes/manualClock.ts';

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

  it('tell the size of runs that is in use', () => {
    const { code } = NO_WORK.scopes;
    const tuner = { ...code.tuner, budgetTokens: 512, latencyCeilingTokens: 128 };
    expect(logged({ ...NO_WORK, scopes: { ...NO_WORK.scopes, code: { ...code, runs: 1, tuner } } })[0]).toMatchObject({
      ...{ budgetTokens: 512, latencyCeilingTokens: 128 },
      ...{ runTokens: 128, boundBy: 'latency' },
    });
  });

  it('have a line for each of several devices, whose tuners are its own', () => {
    const lines = logged(ON_TWO_DEVICES);
    expect(lines).toMatchObject([
      { scope: 'code', runs: 3 },
      { scope: 'code', device: 'cuda:0', runs: 2, budgetTokens: 4096, rssMb: 300, gpuUtilization: 0.5 },
      { scope: 'code', device: 'cpu', runs: 1, budgetTokens: 512, rssMb: 200, gpuUtilization: null },
      { threads: 1, restarts: 0 },
    ]);
    expect(lines[0]).not.toHaveProperty('budgetTokens');
    expect(lines.flatMap((fields) => Object.values(fields)).filter(isCompound)).toEqual([]);
  });
});

describe('the summary of a pass', () => {
  const progress = new RunProgress(new ManualClock());
  const model: ModelInfo = {
    ...{ id: 'm', name: 'm', dimension: 1, maxTokens: 1, device: 'cpu' },
    ...{ fallbackReason: null, multiVector: false },
  };
  const summaryWith = (metrics: EmbedderMetrics) =>
    summaryOf(new Map(), progress, { code: model, docs: model }, metrics, 0);

  it('has the figures of each of several devices', () => {
    expect(summaryWith(ON_TWO_DEVICES).embedder?.devices).toEqual(ON_TWO_DEVICES.devices);
  });

  it('says nothing of devices where one does all', () => {
    expect(summaryWith(NO_WORK).embedder).not.toHaveProperty('devices');
  });
});

const { code, docs } = NO_WORK.scopes;
const ON_TWO_DEVICES: EmbedderMetrics = {
  ...NO_WORK,
  scopes: { code: { ...code, runs: 3 }, docs },
  devices: [
    {
      ...{ device: 'cuda:0', rssMb: 300, gpuUtilization: 0.5 },
      scopes: { code: { ...code, runs: 2, tuner: { ...code.tuner, budgetTokens: 4096 } }, docs },
    },
    {
      ...{ device: 'cpu', rssMb: 200, gpuUtilization: null },
      scopes: { code: { ...code, runs: 1, tuner: { ...code.tuner, budgetTokens: 512 } }, docs },
    },
  ],
};

/** The fields of the lines that figures leave in the log. */
function logged(metrics: EmbedderMetrics): NonNullable<LogRecord['fields']>[] {
  const records: LogRecord[] = [];
  logFigures(new Logger({ level: 'info', write: (record) => records.push(record) }, 'test'), { metrics, restarts: 0 });
  return records.map(({ fields }) => fields ?? {});
}

function isCompound(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
