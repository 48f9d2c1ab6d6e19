import { describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { PieceProgress, type PieceText } from '../../../src/embedder/pieceProgress.ts';
import { RunLoop } from '../../../src/embedder/runLoop.ts';
import { BatchTuner } from '../../../src/embedding/batchTuner.ts';
import { DEVICE_LIMITS } from '../../../src/embedding/deviceLimits.ts';
import { LaneQueue } from '../../../src/embedding/laneQueue.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import { FAKE_MODEL } from '../../fakes/hashEmbedder.ts';

/** Gives each text its first id; cannot let go of its memory. */
class StubbornModel {
  readonly info = FAKE_MODEL;
  readonly ran: number[] = [];
  releases = 0;

  run(texts: readonly Int32Array[]): Promise<Float32Array> {
    this.ran.push(...texts.map((ids) => ids[0] ?? 0));
    return Promise.resolve(Float32Array.from(texts, (ids) => ids[0] ?? 0));
  }

  release(): Promise<void> {
    this.releases += 1;
    return Promise.reject(new Error('still in use'));
  }
}

describe('a run loop', () => {
  it('runs no text twice when the runtime does not give its memory back', async () => {
    const model = new StubbornModel();
    const tuner = () =>
      new BatchTuner({
        limits: DEVICE_LIMITS.cpu,
        latencyCeilingMs: 100,
        memoryCeilingMb: 1,
        fixedCount: 2,
        lengthStep: 1,
      });
    const tuners = { code: tuner(), docs: tuner() };
    const queue = new LaneQueue<PieceText>({
      clock: SYSTEM_CLOCK,
      planners: tuners,
      capacityTexts: 1000,
      windowTexts: 16,
      lengthStep: 1,
    });
    const answered: number[] = [];
    const runs: string[] = [];
    const loop = new RunLoop({
      models: { code: model, docs: model },
      tuners,
      queue,
      clock: SYSTEM_CLOCK,
      logger: SILENT_LOGGER,
      observer: { ran: () => undefined, backedOff: () => undefined, idle: () => undefined },
      memoryCeilingMb: 1,
      residentMb: () => 100,
      onRunStarted: () => runs.push('started'),
      onRunEnded: () => runs.push('ended'),
      onRows: ({ vectors }) => answered.push(...vectors),
      onHopeless: () => undefined,
    });
    const texts = ['a', 'b', 'c', 'd', 'e', 'f'];
    const params = { texts, role: 'document', scope: 'code', lane: 'bulk', piece: 1, alone: [] } as const;
    const { signal } = new AbortController();
    const piece = new PieceProgress(params, signal);
    const waiting = texts.map((_, index) => ({
      tokens: 1,
      payload: { piece, index, ids: Int32Array.of(index + 10) },
    }));
    queue.push({ lane: 'bulk', scope: 'code', texts: waiting, signal });
    loop.wake();
    expect(await piece.done.promise).toEqual([]);
    queue.push({
      lane: 'query',
      scope: 'code',
      texts: [{ tokens: 1, payload: { piece, index: 0, ids: Int32Array.of(99) } }],
      signal,
    });
    loop.wake();
    await expect.poll(() => model.ran).toContain(99);
    expect(model.releases).toBeGreaterThan(0);
    expect(model.ran.filter((id) => id < 99).sort()).toEqual([10, 11, 12, 13, 14, 15]);
    expect(answered.filter((id) => id < 99).sort()).toEqual([10, 11, 12, 13, 14, 15]);
    expect(runs.join(' ')).toMatch(/^(?:started ended ?)+$/);
  });
});
