import { expect, it } from 'vitest';
import type { EmbedderSettings } from '../../../src/protocol/embedder.ts';
import { RestartTerms } from '../../../src/server/embedder/restartTerms.ts';
import { FAKE_MODEL } from '../../fakes/hashEmbedder.ts';

const SETTINGS: EmbedderSettings = {
  models: { code: '/models/code', docs: '/models/docs' },
  device: 'webgpu',
  threads: 1,
  sessions: 1,
  batchSize: 0,
  memoryCeilingMb: 0,
  latencyCeilingMs: 100,
  tunerStateFile: null,
};
const ALONE = { processes: 1, threads: null };

it('a device is left after three texts in a row, whatever a model on the processor does between them', () => {
  const terms = new RestartTerms(SETTINGS, ALONE);
  terms.opened({ code: { ...FAKE_MODEL, device: 'webgpu' }, docs: { ...FAKE_MODEL, device: 'cpu' } });
  const blamed = [1, 2, 3].map(() => {
    const blame = terms.blame('code', 'SIGKILL');
    terms.succeeded('docs', undefined);
    return blame;
  });
  expect(blamed).toEqual(['unknown', 'unknown', 'device']);
  expect(terms.openParams.processorOnly).toContain('webgpu');
});

it('a device is not left where others of its texts are answered between', () => {
  const terms = new RestartTerms(SETTINGS, ALONE);
  terms.opened({ code: { ...FAKE_MODEL, device: 'webgpu' }, docs: { ...FAKE_MODEL, device: 'webgpu' } });
  for (let text = 0; text < 9; text++) {
    expect(terms.blame('code', 'SIGKILL')).toBe('unknown');
    terms.succeeded('docs', undefined);
  }
  expect(terms.openParams.processorOnly).toBeNull();
});

it('tells the largest run that succeeded, and on which device', () => {
  const terms = new RestartTerms(SETTINGS, ALONE);
  const models = (device: 'webgpu' | 'cpu') => ({ code: { ...FAKE_MODEL, device }, docs: { ...FAKE_MODEL, device } });
  terms.opened(models('webgpu'));
  expect(terms.openParams.provenRuns).toEqual({ code: null, docs: null });
  terms.succeeded('code', { scope: 'code', length: 100, count: 20 });
  terms.succeeded('code', { scope: 'code', length: 300, count: 1 });
  terms.ranOutOfMemory({ scope: 'code', length: 100, count: 40 });
  expect(terms.openParams.provenRuns).toEqual({ code: { device: 'webgpu', tokens: 2000 }, docs: null });
  expect(terms.diedLoading('SIGSEGV')).toBe(true);
  expect(terms.openParams.lostRuns).toEqual([]);
  terms.opened(models('cpu'));
  terms.succeeded('code', { scope: 'code', length: 10, count: 2 });
  expect(terms.openParams.provenRuns).toEqual({ code: { device: 'cpu', tokens: 20 }, docs: null });
});

it('tells every process of runs that others died in, and whether they were tries of a larger size', () => {
  const models = { code: FAKE_MODEL, docs: FAKE_MODEL };
  const terms = new RestartTerms(SETTINGS, ALONE);
  terms.opened(models);
  terms.ranOutOfMemory({ scope: 'code', length: 100, count: 40, triedAfter: 1024 });
  terms.ranOutOfMemory({ scope: 'docs', length: 50, count: 40 });
  expect(terms.openParams.lostRuns).toEqual([
    { scope: 'code', length: 100, count: 40, triedAfter: 1024 },
    { scope: 'docs', length: 50, count: 40 },
  ]);
  terms.opened(models);
  expect(terms.openParams.lostRuns).toMatchObject([{ triedAfter: 1024, isRetold: true }, { isRetold: true }]);
});

it('keeps what ran out of memory on the processor where auto came to that, also when a process ends loading', () => {
  const terms = new RestartTerms({ ...SETTINGS, device: 'auto' }, ALONE);
  terms.opened({ code: { ...FAKE_MODEL, device: 'cpu' }, docs: { ...FAKE_MODEL, device: 'cpu' } });
  const run = { scope: 'code', length: 100, count: 40 } as const;
  terms.ranOutOfMemory(run);
  terms.diedLoading('SIGKILL');
  expect(terms.openParams.lostRuns).toEqual([run]);
});
