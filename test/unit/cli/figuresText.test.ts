import { expect, it } from 'vitest';
import { figuresText, runSizeText, sharesText } from '../../../src/cli/figuresText.ts';
import type { EmbedderMetrics } from '../../../src/protocol/embedder.ts';
import { NO_WORK } from '../../fakes/hashEmbedder.ts';
import { SOME_WORK } from '../../fakes/someWork.ts';

const METRICS: EmbedderMetrics = {
  ...NO_WORK,
  scopes: {
    docs: NO_WORK.scopes.docs,
    code: SOME_WORK,
  },
  lanes: { ...NO_WORK.lanes, saved: { requests: 2, waitP50Ms: 61, waitP90Ms: 62, waitP99Ms: 63 } },
  threads: 3,
  sessions: 2,
  rssMb: 230,
  peakRssMb: 240,
  gpuUtilization: 0.4,
};

// That of earlier starts is kept, and is of many runs: a few may be faster.
it.each([0, 40])('the best speed is not told before it is known: %i', (best) => {
  const { code, docs } = METRICS.scopes;
  const few = { ...code, bestTextsPerSecond: best, tuner: { ...code.tuner, bestTokensPerSecond: best } };
  const lines = figuresText({ metrics: { ...METRICS, scopes: { code: few, docs } }, restarts: 0 });
  expect(lines[1]).toBe('    speed  5,001 tokens/s (5,002 at the end), 51 texts/s (52 at the end)');
});

it('figures in words are all there are, of what had work', () => {
  expect(figuresText({ metrics: METRICS, restarts: 7 })).toEqual([
    '  code     321 runs of 4,321 texts on cuda, 100,000 tokens, 103,000 with padding (3.0 %)',
    '    speed  5,001 tokens/s (5,002 at the end, 5,003 at best), 51 texts/s (52 at the end, 53 at best)',
    '    times  runs p50 1.3 ms / p90 20 ms / p99 30 ms, tokenising 440 ms in all',
    '    batches 768 padded tokens a run, settled, 1 step back for want of memory, memory allows 4,096',
    '    moves  512 → 768 (faster)',
    '    memory 210 MiB at 512 tokens a run, 220 MiB at 1,024 tokens a run',
    '  waits    saved p50 61 ms / p90 62 ms / p99 63 ms',
    'embedder   3 threads, 2 sessions, 230 MiB, 240 MiB at most, 7 restarts, 40.0 % of the GPU in use',
  ]);
});

it('what keeps runs small is told, and the budget only where it is in use', () => {
  const { tuner } = METRICS.scopes.code;
  expect(runSizeText({ ...tuner, latencyCeilingTokens: 128 })).toBe(
    "128 padded tokens a run for the latency ceiling (the tuner's budget is 768)",
  );
  expect(runSizeText({ ...tuner, memoryCeilingTokens: 768 })).toBe('768 padded tokens a run for the memory ceiling');
  expect(runSizeText({ ...tuner, textsPerRun: 64 })).toBe('64 texts a run, as set');
});

it('of several devices each has its figures and its batches, all together have none', () => {
  const { code, docs } = METRICS.scopes;
  const slow = { ...code, runs: 1, texts: 1, tuner: { ...code.tuner, moves: [], latencyCeilingTokens: 512 } };
  const devices = [
    { device: 'cuda:0', scopes: { code, docs }, rssMb: 130, gpuUtilization: 0.4 },
    { device: 'cpu', scopes: { code: slow, docs }, rssMb: 100, gpuUtilization: null },
  ] as const;
  const lines = figuresText({ metrics: { ...METRICS, devices }, restarts: 0 });
  expect(lines[0]).toContain(' on cuda:0 + cpu, ');
  expect(lines.slice(3, 9)).toEqual([
    '    memory 210 MiB at 512 tokens a run, 220 MiB at 1,024 tokens a run',
    '    cuda:0 321 runs of 4,321 texts, 5,001 tokens/s (5,002 at the end, 5,003 at best), 51 texts/s (52 at the end, 53 at best), runs p50 1.3 ms / p90 20 ms / p99 30 ms',
    '    batches 768 padded tokens a run, settled, 1 step back for want of memory, memory allows 4,096',
    '    moves  512 → 768 (faster)',
    '    cpu    1 run of 1 text, 5,001 tokens/s (5,002 at the end, 5,003 at best), 51 texts/s (52 at the end, 53 at best), runs p50 1.3 ms / p90 20 ms / p99 30 ms',
    "    batches 512 padded tokens a run for the latency ceiling (the tuner's budget is 768), settled, 1 step back for want of memory, memory allows 4,096",
  ]);
  expect(lines.slice(10, 12)).toEqual(['  cuda:0   130 MiB, 40.0 % of the GPU in use', '  cpu      100 MiB']);
});

it('what several devices did of the work adds up their scopes', () => {
  const { code, docs } = METRICS.scopes;
  const devices = [
    { device: 'cuda:0', scopes: { code, docs: { ...code, runs: 1 } }, rssMb: 1, gpuUtilization: null },
    { device: 'cpu', scopes: { code: docs, docs }, rssMb: 1, gpuUtilization: null },
  ] as const;
  expect(sharesText(devices)).toEqual([
    '  cuda:0: 322 runs of 8,642 texts, 200,000 tokens',
    '  cpu: 0 runs of 0 texts, 0 tokens',
  ]);
  expect(sharesText(undefined)).toEqual([]);
});
