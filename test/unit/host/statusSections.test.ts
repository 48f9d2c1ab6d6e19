import { expect, test, vi } from 'vitest';
import type { EmbedderMetrics, ScopeMetrics, TunerReport } from '../../../src/protocol/embedder.ts';
import type { FolderStatus } from '../../../src/protocol/server.ts';
import type { StatusSection, StatusTable } from '../../../src/protocol/statusView.ts';
import { statusSections } from '../../../src/host/status/statusSections.ts';
import { NO_WORK } from '../../fakes/hashEmbedder.ts';
import { SOME_WORK } from '../../fakes/someWork.ts';

vi.mock('vscode', () => ({
  env: { language: 'en' },
  l10n: {
    t: (text: string, ...values: readonly unknown[]) =>
      text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
  },
}));

const CODE: ScopeMetrics = {
  ...SOME_WORK,
  device: 'cpu',
  runs: 1321,
  recentTextsPerSecond: 5.25,
  rssByRunTokens: [
    { upToTokens: 512, rssMb: 210.4 },
    { upToTokens: 1024, rssMb: 1220 },
  ],
  backoffs: 2,
  tuner: {
    ...SOME_WORK.tuner,
    runs: 5000,
    moves: [...SOME_WORK.tuner.moves, { run: 1200, fromTokens: 768, toTokens: 768, reason: 'conditions-changed' }],
  },
};
const METRICS: EmbedderMetrics = {
  ...NO_WORK,
  scopes: { code: CODE, docs: NO_WORK.scopes.docs },
  lanes: {
    query: { requests: 12, waitP50Ms: 1, waitP90Ms: 2, waitP99Ms: 3 },
    saved: NO_WORK.lanes.saved,
    bulk: { requests: 1034, waitP50Ms: 61, waitP90Ms: 62, waitP99Ms: 1063 },
  },
  threads: 3,
  rssMb: 1230,
  peakRssMb: 1240,
};

function statusOf(metrics: EmbedderMetrics | null, change: Partial<FolderStatus> = {}): FolderStatus {
  return {
    ...{ folder: '/work', state: { kind: 'idle', files: 1, chunks: 1 }, indexDir: '/index', indexName: 'chunks-1' },
    ...{ complete: true, files: 1, chunks: 1, filesByLanguage: {}, linesIndexed: 1, skipped: [], bytesOnDisk: 1 },
    ...{ models: null, metrics, embedderRestarts: 0, lastFigures: null, lastErrors: [] },
    ...change,
  };
}

function figuresOf(status: FolderStatus): Extract<StatusSection, { kind: 'tables' }> | undefined {
  return statusSections(status).find((section) => section.kind === 'tables');
}

/** The table under a caption. */
function detail(status: FolderStatus, caption: string): StatusTable | undefined {
  return figuresOf(status)?.details.tables.find((table) => table.caption === caption);
}

function cell(table: StatusTable | undefined, row: string): string | undefined {
  return table?.rows.find(([name]) => name === row)?.[1];
}

function withTuner(change: Partial<TunerReport>): FolderStatus {
  const code = { ...CODE, tuner: { ...CODE.tuner, ...change } };
  return statusOf({ ...METRICS, scopes: { ...METRICS.scopes, code } });
}

function runsTogether(status: FolderStatus): string | undefined {
  return cell(figuresOf(status)?.tables[0], 'Batch size');
}

test('where nothing was ever embedded there are no figures of it', () => {
  expect(figuresOf(statusOf(null))).toBeUndefined();
  expect(figuresOf(statusOf(NO_WORK))).toBeUndefined();
});

test('what matters to most comes first: how fast, how large runs are, how long they take', () => {
  expect(figuresOf(statusOf(METRICS))).toMatchObject({
    title: 'Embedding on this machine',
    tables: [
      {
        caption: '',
        columns: ['', 'Code'],
        rows: [
          ['Tokens/s', '5,002 (best 5,003)'],
          ['Texts/s', '5.3 (best 53)'],
          ['Padding', '3 %'],
          ['Run time p50 / p90 / p99', '1.3 ms / 20 ms / 30 ms'],
          ['Batch size', '768 tokens'],
          ['Batch tuner', 'settled'],
        ],
      },
    ],
  });
});

test('the rest opens on demand, all there is of it', () => {
  expect(figuresOf(statusOf(METRICS))?.details).toEqual({
    label: 'Details',
    tables: [
      {
        caption: '',
        columns: ['', 'Code'],
        rows: [
          ['Runs', '1,321'],
          ['Texts', '4,321'],
          ['Tokens', '100,000'],
          ['Tokens with padding', '103,000'],
          ['Tokens/s since the start', '5,001'],
          ['Texts/s since the start', '51'],
          ['Time spent tokenising', '440 ms'],
          ['Steps back for want of memory', '2'],
          ['Tuner’s budget (tokens a run)', '768'],
          ['Latency ceiling (tokens a run)', '–'],
          ['Memory ceiling (tokens a run)', '4,096'],
        ],
      },
      {
        caption: 'Waiting for the embedder',
        columns: ['Asked by', 'Requests', 'Wait p50 / p90 / p99'],
        rows: [
          ['Searches', '12', '1 ms / 2 ms / 3 ms'],
          ['Indexing', '1,034', '61 ms / 62 ms / 1,063 ms'],
        ],
      },
      {
        caption: 'Most memory by batch size',
        columns: ['Tokens a run, up to', 'Code'],
        rows: [
          ['512', '210 MiB'],
          ['1,024', '1,220 MiB'],
        ],
      },
      {
        caption: 'Latest moves of the batch tuner',
        columns: ['Scope', 'Run', 'Tokens a run', 'Reason'],
        rows: [
          ['Code', '9', '512 → 768', 'faster'],
          ['Code', '1,200', '768', 'speed has changed, sizes are tried again'],
        ],
      },
    ],
  });
});

test('scopes stand side by side where both have work', () => {
  const docs = { ...CODE, runs: 3, rssByRunTokens: [{ upToTokens: 512, rssMb: 90 }] };
  const status = statusOf({ ...METRICS, scopes: { code: CODE, docs } });
  const section = figuresOf(status);
  expect(section?.tables[0]?.columns).toEqual(['', 'Code', 'Docs']);
  expect(section?.details.tables[0]?.rows[0]).toEqual(['Runs', '1,321', '3']);
  expect(detail(status, 'Most memory by batch size')?.rows).toEqual([
    ['512', '210 MiB', '90 MiB'],
    ['1,024', '1,220 MiB', '–'],
  ]);
});

test('a best speed is not told before it is known', () => {
  const code = { ...CODE, bestTextsPerSecond: 0, tuner: { ...CODE.tuner, bestTokensPerSecond: 0 } };
  const table = figuresOf(statusOf({ ...METRICS, scopes: { ...METRICS.scopes, code } }))?.tables[0];
  expect([cell(table, 'Tokens/s'), cell(table, 'Texts/s')]).toEqual(['5,002', '5.3']);
});

test('the size of runs is the one in use, with what keeps it there', () => {
  const held = withTuner({ budgetTokens: 512, latencyCeilingTokens: 128 });
  expect(runsTogether(held)).toBe('128 tokens, or searches would wait too long');
  expect(cell(figuresOf(held)?.details.tables[0], 'Tuner’s budget (tokens a run)')).toBe('512');
  expect(runsTogether(withTuner({ memoryCeilingTokens: 256 }))).toBe('256 tokens, as memory allows no more');
});

test('texts a person fixed stand in place of the tuner', () => {
  const fixed = withTuner({ textsPerRun: 64, latencyCeilingTokens: 128 });
  expect(runsTogether(fixed)).toBe('64 texts, as set');
  expect(cell(figuresOf(fixed)?.tables[0], 'Batch tuner')).toBe('off');
  const rest = figuresOf(fixed)?.details.tables[0];
  expect(cell(rest, 'Tuner’s budget (tokens a run)')).toBe('–');
  expect(cell(rest, 'Latency ceiling (tokens a run)')).toBe('–');
});

test('of several devices each has a row, and its figures among the details', () => {
  const docs = NO_WORK.scopes.docs;
  const slow = { ...CODE, runs: 7, recentTokensPerSecond: 900, tuner: { ...CODE.tuner, converged: false, moves: [] } };
  const devices = [
    { device: 'cuda:0', scopes: { code: CODE, docs: { ...CODE, runs: 5 } }, rssMb: 300, gpuUtilization: 0.5 },
    { device: 'cpu', scopes: { code: slow, docs }, rssMb: 200, gpuUtilization: null },
    { device: 'cuda:1', scopes: { code: docs, docs }, rssMb: 100, gpuUtilization: 0 },
  ] as const;
  const section = figuresOf(statusOf({ ...METRICS, devices }));
  expect(section?.tables[1]).toEqual({
    caption: '',
    columns: ['Device', 'Memory', 'GPU in use', 'Scope', 'Tokens/s', 'Batch size'],
    rows: [
      ['cuda:0', '300 MiB', '50 %', 'Code', '5,002 (best 5,003)', '768 tokens'],
      ['cuda:0', '', '', 'Docs', '5,002 (best 5,003)', '768 tokens'],
      ['cpu', '200 MiB', '–', 'Code', '900 (best 5,003)', '768 tokens'],
      ['cuda:1', '100 MiB', '0 %', '–', '–', '–'],
    ],
  });
  // One tuner of many would speak for all.
  expect(cell(section?.tables[0], 'Batch tuner')).toBeUndefined();
  expect(section?.details.tables.map(({ caption }) => caption).slice(0, 3)).toEqual(['', 'cuda:0', 'cpu']);
  expect(cell(section?.details.tables[2], 'Runs')).toBe('7');
  expect(cell(section?.details.tables[2], 'Batch tuner')).toBe('still learning');
  const moves = section?.details.tables.find(({ caption }) => caption === 'Latest moves of the batch tuner');
  expect(moves?.rows[0]?.[0]).toBe('Code on cuda:0');
});

test('before this process has embedded anything, the figures are those of the last time, and of its processes', () => {
  const lastFigures = { time: '2026-01-02T03:04:05.678Z', metrics: { ...METRICS, gpuUtilization: 0.25 }, restarts: 2 };
  for (const metrics of [null, NO_WORK]) {
    const status = statusOf(metrics, { lastFigures });
    expect(figuresOf(status)?.title).toMatch(/^Embedding on this machine, on .*2026/);
    expect(detail(status, 'The embedder then')?.rows).toEqual([
      ['Embedder', '3 threads, 1 session, 1,230 MiB (at most 1,240)'],
      ['GPU in use', '25 %'],
      ['Embedder restarts', '2'],
    ]);
  }
  expect(figuresOf(statusOf(METRICS, { lastFigures }))?.title).toBe('Embedding on this machine');
});

test('the processes there are now stand with the model', () => {
  const facts = statusSections(statusOf(METRICS, { embedderRestarts: 1 })).find(({ kind }) => kind === 'facts');
  expect(facts).toMatchObject({
    facts: [
      { label: 'Embedder', value: '3 threads, 1 session, 1,230 MiB (at most 1,240)' },
      { label: 'Embedder restarts', value: '1' },
      { label: 'Index', value: 'chunks-1' },
      { label: 'Kept in', value: '/index' },
    ],
  });
});
