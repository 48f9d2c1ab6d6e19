import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../src/base/logger.ts';
import { LastFigures } from '../../src/server/lastFigures.ts';
import { NO_WORK } from '../fakes/hashEmbedder.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tessera-figures-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const { code } = NO_WORK.scopes;

/** The file with these metrics, right or wrong. */
function kept(metrics: unknown): string {
  return JSON.stringify({ format: 1, time: '2026-01-02T03:04:05.678Z', metrics, restarts: 0 });
}

describe('the figures of the last pass', () => {
  it('are read as they were kept, by another process too', async () => {
    const figures = { time: '2026-01-02T03:04:05.678Z', metrics: NO_WORK, restarts: 3 };
    await new LastFigures(dir, SILENT_LOGGER).keep(figures);
    expect(await new LastFigures(dir, SILENT_LOGGER).read()).toEqual(figures);
  });

  it('are those of each of several devices, too', async () => {
    const { scopes, rssMb, gpuUtilization } = NO_WORK;
    const devices = (['cuda:0', 'cuda:1'] as const).map((device) => ({ device, scopes, rssMb, gpuUtilization }));
    const figures = { time: '2026-01-02T03:04:05.678Z', metrics: { ...NO_WORK, devices }, restarts: 3 };
    await new LastFigures(dir, SILENT_LOGGER).keep(figures);
    expect(await new LastFigures(dir, SILENT_LOGGER).read()).toEqual(figures);
  });

  it.each([
    ['nothing has been embedded', undefined],
    ['the file is cut off', '{"format":1,"time":"2026'],
    ['another program wrote it', '{"format":2,"time":"2026-01-02T03:04:05.678Z","metrics":{},"restarts":0}'],
    ['a scope has no figures', kept({ ...NO_WORK, scopes: { code: {}, docs: {} } })],
    ['a scope has no moves', kept({ ...NO_WORK, scopes: { ...NO_WORK.scopes, code: { ...code, tuner: {} } } })],
    [
      'a scope has no memory',
      kept({ ...NO_WORK, scopes: { ...NO_WORK.scopes, code: { ...code, rssByRunTokens: 0 } } }),
    ],
    [
      'a speed is missing',
      kept({ ...NO_WORK, scopes: { ...NO_WORK.scopes, code: { ...code, textsPerSecond: null } } }),
    ],
    ['a device has no figures', kept({ ...NO_WORK, devices: [{ device: 'cuda:0', rssMb: 1, gpuUtilization: null }] })],
    ['a lane has no figures', kept({ ...NO_WORK, lanes: { query: {}, saved: {}, bulk: {} } })],
    ['the threads are missing', kept({ ...NO_WORK, threads: undefined })],
    ['something is missing', '{"format":1,"time":"2026-01-02T03:04:05.678Z","metrics":{"scopes":{}},"restarts":0}'],
  ])('are none when %s', async (_, content) => {
    if (content !== undefined) await writeFile(path.join(dir, 'figures.json'), content);
    expect(await new LastFigures(dir, SILENT_LOGGER).read()).toBeNull();
  });

  it('bring no index back that has been cleared meanwhile', async () => {
    const gone = path.join(dir, 'gone');
    const figures = new LastFigures(gone, SILENT_LOGGER);
    await figures.keep({ time: '2026-01-02T03:04:05.678Z', metrics: NO_WORK, restarts: 0 });
    expect(await figures.read()).toBeNull();
  });
});
