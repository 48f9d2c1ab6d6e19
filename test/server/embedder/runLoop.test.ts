import { describe, expect, it } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { type LogRecord, Logger } from '../../../src/base/logger.ts';
import { PieceProgress, type PieceText } from '../../../src/embedder/pieceProgress.ts';
import { RunLoop, type RunLoopOptions } from '../../../src/embedder/runLoop.ts';
import { type TextInput, wholeText } from '../../../src/embedder/textInput.ts';
import { BatchTuner } from '../../../src/embedding/batchTuner.ts';
import { DEVICE_LIMITS } from '../../../src/embedding/deviceLimits.ts';
import { LaneQueue } from '../../../src/embedding/laneQueue.ts';
import type { MemoryCeilingState } from '../../../src/embedding/memoryCeiling.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { ExecutionProvider, Lane, LostRun } from '../../../src/protocol/embedder.ts';
import type { Scope } from '../../../src/protocol/scope.ts';
import { FAKE_MODEL } from '../../fakes/hashEmbedder.ts';

type Rows = readonly number[];

/** The id that any plain text is encoded to; no text of a test has it. */
const PLAIN = 1;
/** The message of a failure that is for want of memory. */
const NO_MEMORY = 'not enough memory';

/** Gives each text its first id, unless `fails` has a message for the texts of a run. */
class ScriptedModel {
  readonly info;
  readonly runs: Rows[] = [];
  releases = 0;
  readonly #fails: (ids: Rows, releases: number) => string | undefined;

  constructor(fails: (ids: Rows, releases: number) => string | undefined, device: ExecutionProvider = 'cpu') {
    this.info = { ...FAKE_MODEL, device };
    this.#fails = fails;
  }

  encode(): TextInput {
    return wholeText(Int32Array.of(PLAIN));
  }

  /** The ids themselves: a vector of one number for each token. */
  async runTokens(texts: readonly TextInput[]): Promise<Float32Array> {
    await this.run(texts);
    return Float32Array.from(texts.flatMap(({ ids }) => [...ids]));
  }

  run(texts: readonly TextInput[]): Promise<Float32Array> {
    const ids = texts.map((text) => text.ids[0] ?? 0);
    this.runs.push(ids);
    const message = this.#fails(ids, this.releases);
    const code = message === NO_MEMORY ? 'out-of-memory' : 'embedder-failed';
    if (message !== undefined) return Promise.reject(new TesseraError(code, message));
    return Promise.resolve(Float32Array.from(ids));
  }

  release(): Promise<void> {
    this.releases += 1;
    return Promise.resolve();
  }
}

interface LoopOptions extends Partial<Pick<RunLoopOptions, 'memoryCeilingMb' | 'residentMb' | 'onRunEnded' | 'clock'>> {
  readonly textsPerRun?: number;
  /** The model of docs, when that is another one. */
  readonly docs?: ScriptedModel;
  /** What is known of memory. */
  readonly memoryCeiling?: MemoryCeilingState;
}

function startLoop(model: RunLoopOptions['models']['code'], options: LoopOptions = {}) {
  const { textsPerRun = 0, memoryCeilingMb = Infinity, residentMb = () => 100, clock = SYSTEM_CLOCK } = options;
  const tunerOptions = {
    limits: DEVICE_LIMITS.cpu,
    latencyCeilingMs: 100,
    memoryCeilingMb,
    fixedCount: textsPerRun,
    lengthStep: 1,
  };
  const { memoryCeiling = new BatchTuner(tunerOptions).save().memoryCeiling } = options;
  const tuner = () => new BatchTuner(tunerOptions, { ...new BatchTuner(tunerOptions).save(), memoryCeiling });
  const tuners = { code: tuner(), docs: tuner() };
  const queue = new LaneQueue<PieceText>({
    clock: SYSTEM_CLOCK,
    planners: tuners,
    capacityTexts: 10_000,
    windowTexts: 16,
    lengthSteps: { code: 1, docs: 1 },
  });
  const answered: number[] = [];
  const events: string[] = [];
  const runs: LostRun[] = [];
  const broken: string[] = [];
  const backoffs: string[] = [];
  const logged: LogRecord[] = [];
  const loop = new RunLoop({
    models: { code: model, docs: options.docs ?? model },
    tuners,
    queue,
    clock,
    logger: new Logger({ level: 'info', write: (record) => logged.push(record) }, 'test'),
    observer: { ran: () => undefined, backedOff: (scope) => backoffs.push(scope), idle: () => undefined },
    memoryCeilingMb,
    residentMb,
    onRunStarted: (run) => {
      events.push('started');
      runs.push(run);
    },
    onRunEnded: (failed) => {
      events.push('ended');
      options.onRunEnded?.(failed);
    },
    onRows: ({ vectors }) => answered.push(...vectors),
    onHopeless: () => undefined,
    onBroken: ({ reason }) => broken.push(reason),
  });
  let pieces = 0;
  /** Queues texts of one id each, or runs them alone; the piece tells when all are done. */
  const work = (
    ids: Rows,
    lane: Lane = 'bulk',
    how: 'queued' | 'alone' = 'queued',
    scope: Scope = 'code',
  ): PieceProgress => {
    const texts = ids.map(String);
    const params = { texts, role: 'document', scope, lane, piece: ++pieces, alone: [] } as const;
    const { signal } = new AbortController();
    const piece = new PieceProgress(params, signal);
    const own = ids.map((id, index) => ({ piece, index, input: wholeText(Int32Array.of(id)) }));
    if (how === 'alone') for (const text of own) loop.runAlone(text);
    else {
      queue.push({ lane, scope, texts: own.map((payload) => ({ tokens: 1, payload })), signal });
      loop.wake();
    }
    return piece;
  };
  const failuresOf = async (ids: Rows): Promise<Rows> =>
    (await work(ids).done.promise).map(({ index }) => ids[index] ?? 0).sort((a, b) => a - b);
  return { loop, work, failuresOf, answered, events, runs, broken, backoffs, logged };
}

/** A clock by which memory is read after each run. */
function apart(): RunLoopOptions['clock'] {
  let nowMs = 0;
  return { ...SYSTEM_CLOCK, now: () => (nowMs += 10) };
}

const idsUpTo = (count: number): Rows => Array.from({ length: count }, (_, index) => index + 10);

describe('a run loop', () => {
  it('tells of a run that is larger than its ceiling was before it was raised, in case that costs the process', async () => {
    const raising = { runs: 0, needed: 1024, raisedFrom: 2 };
    const memoryCeiling = { tokens: 100, quietStarts: 0, provenTokens: 1, raising };
    const { work, runs } = startLoop(new ScriptedModel(() => undefined), { memoryCeiling, textsPerRun: 8 });
    await work([1, 2]).done.promise;
    await work([1, 2, 3]).done.promise;
    expect(runs.map(({ count, triedAfter }) => [count, triedAfter])).toEqual([
      [2, undefined],
      [3, 1024],
    ]);
  });

  it('runs no text twice when the runtime does not give its memory back', async () => {
    class StubbornModel extends ScriptedModel {
      override release(): Promise<void> {
        void super.release();
        return Promise.reject(new Error('still in use'));
      }
    }
    const model = new StubbornModel(() => undefined);
    const { work, failuresOf, answered, events } = startLoop(model, { textsPerRun: 2, memoryCeilingMb: 1 });
    expect(await failuresOf(idsUpTo(6))).toEqual([]);
    await work([99], 'query').done.promise;
    expect(model.releases).toBeGreaterThan(0);
    expect(model.runs.flat().sort()).toEqual([10, 11, 12, 13, 14, 15, 99]);
    expect(answered.sort()).toEqual([10, 11, 12, 13, 14, 15, 99]);
    expect(events.join(' ')).toMatch(/^(?:started ended ?)+$/);
  });

  it('gives memory back more and more seldom where that does not bring it below the ceiling, and says so', async () => {
    const model = new ScriptedModel(() => undefined);
    const { failuresOf, logged } = startLoop(model, { textsPerRun: 1, memoryCeilingMb: 50 });
    await failuresOf(idsUpTo(1500));
    // After 1 run, then 50, 100, 200, 400, and not every 50.
    expect(model.releases).toBeGreaterThan(2);
    expect(model.releases).toBeLessThan(7);
    const warnings = logged.filter(({ level }) => level === 'warn');
    expect(warnings[0]?.message).toContain('did not bring memory below the ceiling');
    expect(warnings[0]?.fields).toMatchObject({ rssMb: 100, memoryCeilingMb: 50 });
  });

  it('gives memory back at the same distance where that helps', async () => {
    const model = new ScriptedModel(() => undefined);
    const given = { releases: 0, atRun: 0 };
    // Above the ceiling from the fortieth run after a release on.
    const residentMb = () => {
      if (model.releases > given.releases) Object.assign(given, { releases: model.releases, atRun: model.runs.length });
      return model.runs.length - given.atRun >= 40 ? 100 : 10;
    };
    const { failuresOf, logged } = startLoop(model, {
      textsPerRun: 1,
      memoryCeilingMb: 50,
      residentMb,
      clock: apart(),
    });
    await failuresOf(idsUpTo(400));
    expect(model.releases).toBe(8);
    expect(logged.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('gives back what the other model holds, too, which may be what is too much', async () => {
    const code = new ScriptedModel(() => undefined);
    const docs = new ScriptedModel(() => undefined);
    const { failuresOf } = startLoop(code, { docs, textsPerRun: 1, memoryCeilingMb: 50 });
    await failuresOf([10]);
    await expect.poll(() => [code.releases, docs.releases]).toEqual([1, 1]);
  });

  it('gives back two models that together are too large no more often than one that is', async () => {
    class LargeModel extends ScriptedModel {
      isLoaded = false;

      override run(texts: readonly TextInput[]): Promise<Float32Array> {
        this.isLoaded = true;
        return super.run(texts);
      }

      override release(): Promise<void> {
        this.isLoaded = false;
        return super.release();
      }
    }
    const [code, docs] = [new LargeModel(() => undefined), new LargeModel(() => undefined)];
    const residentMb = () => 10 + (code.isLoaded ? 30 : 0) + (docs.isLoaded ? 30 : 0);
    const { work, logged } = startLoop(code, { docs, textsPerRun: 1, memoryCeilingMb: 50, residentMb });
    for (let round = 0; round < 750; round++) {
      await work([round], 'bulk', 'queued', 'code').done.promise;
      await work([round], 'bulk', 'queued', 'docs').done.promise;
    }
    expect(code.releases).toBeLessThan(7);
    expect(logged.find(({ level }) => level === 'warn')?.message).toContain('did not bring memory below');
  });

  it('lets only so many queries pass in front of a text that is to be run alone', async () => {
    const model = new ScriptedModel(() => undefined);
    let endless: (() => void) | undefined;
    const { work, answered } = startLoop(model, { onRunEnded: () => endless?.() });
    let queries = 0;
    endless = () => {
      if (queries++ < 500) work([1000 + queries], 'query');
    };
    endless();
    await work([10], 'bulk', 'alone').done.promise;
    expect(answered.indexOf(10)).toBeLessThan(64);
    endless = undefined;
  });
});

describe('texts over which a process ended', () => {
  it('are run one by one, each after a plain text that no one waits for and that takes the blame for a want of memory', async () => {
    const model = new ScriptedModel(() => undefined);
    const { work, answered } = startLoop(model);
    await work([10, 11], 'bulk', 'alone').done.promise;
    expect(model.runs).toEqual([[PLAIN], [10], [PLAIN], [11]]);
    expect(answered).toEqual([10, 11]);
  });
});

describe('a run that fails', () => {
  it('on a device has its session opened anew before its texts are tried alone', async () => {
    const model = new ScriptedModel((_, releases) => (releases === 0 ? 'device lost' : undefined), 'webgpu');
    const { failuresOf, broken } = startLoop(model, { textsPerRun: 4 });
    expect(await failuresOf(idsUpTo(12))).toEqual([]);
    expect(broken).toEqual([]);
    expect(model.releases).toBe(1);
  });

  it('on the processor, where nothing can be lost, costs no loading of the model', async () => {
    const model = new ScriptedModel((ids) => (ids.includes(13) ? 'index out of bounds' : undefined));
    const { failuresOf, broken } = startLoop(model, { textsPerRun: 4 });
    expect(await failuresOf(idsUpTo(12))).toEqual([13]);
    expect(broken).toEqual([]);
    expect(model.releases).toBe(0);
  });

  it('because of one text fails that text alone', async () => {
    const model = new ScriptedModel((ids) => (ids.includes(13) ? 'index out of bounds' : undefined), 'cuda');
    const { failuresOf, broken } = startLoop(model, { textsPerRun: 4 });
    expect(await failuresOf(idsUpTo(12))).toEqual([13]);
    expect(broken).toEqual([]);
  });

  it('because of one text or another has the session of a device opened anew once for each, not twice', async () => {
    const isBad = (id: number) => id === 13 || id === 18;
    const model = new ScriptedModel((ids) => (ids.some(isBad) ? 'index out of bounds' : undefined), 'cuda');
    const { failuresOf } = startLoop(model, { textsPerRun: 4 });
    expect(await failuresOf(idsUpTo(12))).toEqual([13, 18]);
    expect(model.releases).toBe(2);
  });

  it.each([
    ['with others after it', 14],
    ['the last of all', 21],
  ])('because of a text that takes the device with it each time (%s) fails that text alone', async (_, bad) => {
    let lostUntil = 0;
    const model = new ScriptedModel((ids, releases) => {
      if (ids.includes(bad)) lostUntil = releases + 1;
      return releases < lostUntil ? 'device lost' : undefined;
    }, 'webgpu');
    const { failuresOf, broken } = startLoop(model, { textsPerRun: 4 });
    expect(await failuresOf(idsUpTo(12))).toEqual([bad]);
    expect(broken).toEqual([]);
  });

  it('because of one text is told also when no other text follows', async () => {
    const model = new ScriptedModel((ids) => (ids.includes(13) ? 'index out of bounds' : undefined), 'cuda');
    const { work, failuresOf, broken } = startLoop(model);
    expect(await work([13], 'query').done.promise).toMatchObject([{ index: 0, reason: 'index out of bounds' }]);
    expect(broken).toEqual([]);
    expect(await failuresOf([14])).toEqual([]);
  });

  it('as every other does on a device that is lost for good fails no text, and the loop ends saying so', async () => {
    const model = new ScriptedModel((ids) => (ids.includes(99) ? undefined : 'device lost'), 'webgpu');
    const { work, failuresOf, broken } = startLoop(model, { textsPerRun: 4 });
    expect(await failuresOf([99])).toEqual([]);
    let isDone = false;
    const failures = work(idsUpTo(1000)).done.promise.then(() => (isDone = true));
    await expect.poll(() => broken).toEqual(['device lost']);
    const runs = model.runs.length;
    work([99], 'query');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(model.runs).toHaveLength(runs);
    expect(runs).toBeLessThan(20);
    expect(isDone).toBe(false);
    void failures;
  });

  it('with the last texts of all, on a device that is lost for good, fails none of them', async () => {
    const model = new ScriptedModel(() => 'device lost', 'cuda');
    const { work, answered, broken } = startLoop(model);
    let isDone = false;
    void work([10]).done.promise.then(() => (isDone = true));
    await expect.poll(() => broken).toEqual(['device lost']);
    expect([isDone, answered]).toEqual([false, []]);
  });

  it('as every other does on the processor ends the loop too', async () => {
    const model = new ScriptedModel(() => 'no such file');
    const { work, broken } = startLoop(model, { textsPerRun: 4 });
    void work(idsUpTo(1000));
    await expect.poll(() => broken).toEqual(['no such file']);
  });

  it('because of texts next to each other fails those on the processor, which does any other', async () => {
    const isBad = (id: number) => id >= 13 && id <= 17;
    const model = new ScriptedModel((ids) => (ids.some(isBad) ? 'index out of bounds' : undefined));
    const { failuresOf, broken } = startLoop(model);
    expect(await failuresOf(idsUpTo(12))).toEqual([13, 14, 15, 16, 17]);
    expect(broken).toEqual([]);
  });

  describe.each(['the same model', 'another model'])(
    'because of one text, while docs have work without end for %s,',
    (which) => {
      const isBad = (ids: Rows) => ids.some((id) => id >= 13 && id < 99);
      const start = () => {
        const model = new ScriptedModel((ids) => (isBad(ids) ? 'index out of bounds' : undefined), 'cuda');
        const docs = which === 'the same model' ? model : new ScriptedModel(() => undefined, 'cuda');
        let left = 300;
        const loop = startLoop(model, {
          docs,
          onRunEnded: () => {
            if (left-- > 0) loop.work([1000 + left], 'bulk', 'queued', 'docs');
          },
        });
        loop.work([1000], 'bulk', 'queued', 'docs');
        return { ...loop, docs };
      };

      it.each(['query', 'bulk'] as const)('is told soon (%s)', async (lane) => {
        const { work, broken, docs } = start();
        expect(await work([13], lane).done.promise).toMatchObject([{ index: 0, reason: 'index out of bounds' }]);
        expect(docs.runs.length).toBeLessThan(10);
        expect(broken).toEqual([]);
      });

      it('leaves the device alone, though query after query fails', async () => {
        const { work, broken } = start();
        const pieces = [work([13], 'query'), work([14], 'query'), work([15], 'query'), work([16], 'query')];
        for (const piece of pieces) expect(await piece.done.promise).toHaveLength(1);
        expect(broken).toEqual([]);
      });
    },
  );

  it('for want of memory is made smaller while it can be, then waits for it, then is of one text each', async () => {
    const model = new ScriptedModel((ids) => {
      // Endless otherwise: nothing but runs that fail.
      if (model.runs.length > 400) return undefined;
      return ids.length > 1 ? NO_MEMORY : undefined;
    });
    const { failuresOf, answered } = startLoop(model, { textsPerRun: 128 });
    expect(await failuresOf(idsUpTo(128))).toEqual([]);
    expect(answered.toSorted((a, b) => a - b)).toEqual(idsUpTo(128));
    const failed = model.runs.filter((ids) => ids.length > 1).map((ids) => ids.length);
    expect([...new Set(failed)]).toEqual([128, 64]);
    // Seconds, not thousands of times a second for ever.
    expect(failed.length).toBeLessThan(200);
    expect(model.runs.filter((ids) => ids.length === 1)).toHaveLength(128);
  });

  it('though its texts do not is of a size that is too large', async () => {
    const model = new ScriptedModel((ids) => (ids.length > 70 ? 'no kernel for this shape' : undefined), 'webgpu');
    const { failuresOf, backoffs } = startLoop(model, { textsPerRun: 100 });
    for (let window = 0; window < 60; window++) expect(await failuresOf(idsUpTo(100))).toEqual([]);
    const failed = model.runs.filter((ids) => ids.length > 70);
    expect(backoffs.length).toBeGreaterThan(0);
    expect(failed.length).toBeLessThan(10);
  });
});

describe('vectors of tokens', () => {
  const textsOf = (...ids: readonly Rows[]): TextInput[] => ids.map((own) => wholeText(Int32Array.from(own)));
  const TEXTS = textsOf([10, 11], [12], [13, 14, 15], [16, 17]);

  it('come in smaller runs where memory is short, each text with its own', async () => {
    const model = new ScriptedModel((ids) => (ids.length > 1 ? NO_MEMORY : undefined));
    const { loop, events, backoffs } = startLoop(model);
    const vectors = await loop.runTokens('code', TEXTS, 3);
    expect(vectors.map((own) => [...own])).toEqual([[10, 11], [12], [13, 14, 15], [16, 17]]);
    expect(model.runs.map(({ length }) => length)).toEqual([4, 2, 1, 1, 2, 1, 1]);
    expect(backoffs).toEqual(['code', 'code', 'code']);
    // Each is watched, as any run: a driver may hang in it.
    expect(events).toEqual(Array.from({ length: 7 }, () => ['started', 'ended']).flat());
  });

  it('of one text come with all the memory there is, and are refused where that does not suffice', async () => {
    const needsRelease = new ScriptedModel((_, releases) => (releases === 0 ? NO_MEMORY : undefined));
    expect(await startLoop(needsRelease).loop.runTokens('code', textsOf([10]), 1)).toEqual([Float32Array.of(10)]);
    const hopeless = new ScriptedModel(() => NO_MEMORY);
    const asked = startLoop(hopeless).loop.runTokens('code', textsOf([10]), 1);
    await expect(asked).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(hopeless.runs).toHaveLength(2);
  });

  it('that fail otherwise are not tried again, and what is queued goes on', async () => {
    const model = new ScriptedModel((ids) => (ids[0] === 10 ? 'bad input' : undefined));
    const { loop, work, answered } = startLoop(model);
    const asked = loop.runTokens('code', TEXTS, 3);
    const piece = work([20, 21]);
    await expect(asked).rejects.toMatchObject({ code: 'embedder-failed' });
    await piece.done.promise;
    expect(answered).toEqual([20, 21]);
    expect(model.runs.filter((ids) => ids[0] === 10)).toHaveLength(1);
  });
});
