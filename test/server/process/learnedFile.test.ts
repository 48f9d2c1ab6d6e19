import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { BatchTuner } from '../../../src/embedding/batchTuner.ts';
import { DEVICE_LIMITS } from '../../../src/embedding/deviceLimits.ts';
import { withSharedCeiling } from '../../../src/embedding/mergeTunerStates.ts';
import { LearnedFile } from '../../../src/process/learnedFile.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tessera-learned-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const KEY = 'machine|cpu|model|code';

/** A process with a tuner whose state is kept in the file. */
async function startProcess() {
  const file = new LearnedFile(path.join(folder, 'tuner.json'), SILENT_LOGGER, withSharedCeiling);
  const options = {
    limits: DEVICE_LIMITS.cpu,
    latencyCeilingMs: 100,
    memoryCeilingMb: Infinity,
    fixedCount: 0,
    lengthStep: 1,
  };
  const tuner = new BatchTuner(options, await file.read(KEY));
  return {
    ceiling: () => tuner.report().memoryCeilingTokens,
    succeed: (tokens: number) =>
      tuner.record({
        shape: { length: tokens, count: 1 },
        probe: false,
        realTokens: tokens,
        elapsedMs: 1,
        endedAtMs: 0,
      }),
    runOut: (tokens: number) => tuner.outOfMemory({ length: tokens, count: 1 }),
    save: () => file.save({ [KEY]: tuner.save() }),
  };
}

describe('what was learned', () => {
  it('is there for the next process', async () => {
    const first = await startProcess();
    first.runOut(8192);
    await first.save();
    expect((await startProcess()).ceiling()).toBe(4096);
  });

  it('of memory by one of several processes is not lost when another that learned nothing saves last, and again', async () => {
    const [unlucky, other] = [await startProcess(), await startProcess()];
    unlucky.runOut(8192);
    await unlucky.save();
    await other.save();
    await other.save();
    expect((await startProcess()).ceiling()).toBe(4096);
  });

  it('of memory by one that was started again since is not lost when another that learned nothing saves last', async () => {
    const [unlucky, other] = [await startProcess(), await startProcess()];
    unlucky.runOut(8192);
    await unlucky.save();
    await other.save();
    await (await startProcess()).save();
    await other.save();
    expect((await startProcess()).ceiling()).toBe(4096);
  });

  it('of memory is forgotten little by little also beside a process that runs for long', async () => {
    const [unlucky, other] = [await startProcess(), await startProcess()];
    unlucky.runOut(8192);
    await unlucky.save();
    await other.save();
    for (let start = 0; start < 4; start++) {
      await (await startProcess()).save();
      await other.save();
    }
    expect((await startProcess()).ceiling()).toBe(5120);
  });

  it('of memory by several processes is the least that any of them found', async () => {
    const [first, second] = [await startProcess(), await startProcess()];
    first.runOut(8192);
    second.runOut(4096);
    await first.save();
    await second.save();
    await first.save();
    expect((await startProcess()).ceiling()).toBe(2048);
  });

  it('of memory is forgotten little by little where nothing runs out any more, as by a single process', async () => {
    const first = await startProcess();
    first.runOut(8192);
    await first.save();
    for (let start = 0; start < 4; start++) await (await startProcess()).save();
    expect((await startProcess()).ceiling()).toBe(5120);
  });

  it('of memory that was outgrown is remembered also beside what a process that has ended had saved', async () => {
    const [unlucky, other] = [await startProcess(), await startProcess()];
    unlucky.runOut(8192);
    await unlucky.save();
    await other.save();
    const next = await startProcess();
    for (let run = 0; run < 1024; run++) next.succeed(4096);
    await other.save();
    await next.save();
    expect((await startProcess()).ceiling()).toBe(8192);
    await other.save();
    expect((await startProcess()).ceiling()).toBe(8192);
  });
});
