import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import type { ChildHandle } from '../../../src/process/childProcess.ts';
import { RestartPolicy } from '../../../src/process/restartPolicy.ts';
import { SYSTEM_CLOCK } from '../../../src/process/systemClock.ts';
import type { EmbedResult, Lane, OpenParams } from '../../../src/protocol/embedder.ts';
import type { EmbedderClientOptions } from '../../../src/server/embedder/embedderClient.ts';
import { EmbedderPool, sharing } from '../../../src/server/embedder/embedderPool.ts';
import { fakeEmbedderProcess } from '../../fakes/embedderProcess.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const STEP_MS = 20;

interface FakeMember {
  /** Tokens a second. */
  speed: number;
  /** Whether every start of its process fails. */
  fails: boolean;
}

interface Piece {
  readonly member: number;
  readonly lane: Lane;
  readonly texts: readonly string[];
}

/** Processes of different speeds in simulated time; a text has a token a character. */
class SimulatedPool {
  readonly clock = new ManualClock();
  readonly pool: EmbedderPool;
  /** In the order in which they arrived. */
  readonly pieces: Piece[] = [];
  readonly members: readonly FakeMember[];
  readonly #handles: (ChildHandle | undefined)[] = [];

  private constructor(members: readonly FakeMember[]) {
    this.members = members;
    let spawned = 0;
    const options: EmbedderClientOptions = {
      settings: {
        models: { code: 'model', docs: 'model' },
        device: 'cpu',
        threads: members.length,
        sessions: 0,
        batchSize: 0,
        memoryCeilingMb: 1_000,
        latencyCeilingMs: 100,
        tunerStateFile: null,
      },
      // The first start of each comes in their order, a later one is that of the one that has ended.
      spawn: () => {
        const start = spawned++;
        return this.#spawn(start < members.length ? start : this.#handles.indexOf(undefined));
      },
      clock: this.clock,
      logger: SILENT_LOGGER,
      restartPolicy: new RestartPolicy({ maxDeaths: 2, windowMs: 60_000, baseDelayMs: 1, maxDelayMs: 1 }),
    };
    this.pool = new EmbedderPool(sharing(options, members.length));
  }

  /** A pool whose processes run, with so many tokens a second each; those that are `failing` cannot be started. */
  static async open(
    speeds: readonly number[],
    { failing = [] }: { readonly failing?: readonly number[] } = {},
  ): Promise<SimulatedPool> {
    const simulated = new SimulatedPool(speeds.map((speed, member) => ({ speed, fails: failing.includes(member) })));
    await simulated.during(simulated.pool.open());
    return simulated;
  }

  embed(texts: readonly string[], lane: Lane = 'bulk', signal?: AbortSignal): Promise<EmbedResult> {
    return this.pool.embed({ texts, role: 'document', scope: 'code', lane }, signal);
  }

  /** Lets time pass until something is settled; seconds it took. */
  async during(promise: Promise<unknown>): Promise<number> {
    const startedMs = this.clock.now();
    const state = { isSettled: false };
    const settle = (): void => {
      state.isSettled = true;
    };
    promise.then(settle, settle);
    while (!state.isSettled) await this.pass(STEP_MS);
    return (this.clock.now() - startedMs) / 1_000;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.clock.advance(STEP_MS);
      for (let turns = 0; turns < 3; turns++) await turn();
    }
  }

  /** Its process ends now, and cannot be started any more. */
  failForGood(member: number): void {
    this.members[member]!.fails = true;
    this.#handles[member]?.kill();
  }

  /** Its process ends now, and is started again. */
  kill(member: number): void {
    this.#handles[member]?.kill();
  }

  isRunning(member: number): boolean {
    return this.#handles[member] !== undefined;
  }

  /** Texts given to a member so far, again and again where they were. */
  givenTo(member: number): number {
    return this.pieces.reduce((sum, piece) => sum + (piece.member === member ? piece.texts.length : 0), 0);
  }

  #spawn(member: number): ChildHandle {
    let busyUntilMs = 0;
    const handle = fakeEmbedderProcess({
      onOpen: () => {
        if (this.members[member]?.fails === true) setImmediate(() => handle.kill());
      },
      work: ({ lane, texts }) => {
        this.pieces.push({ member, lane, texts });
        const tokens = texts.reduce((sum, text) => sum + text.length, 0);
        const now = this.clock.now();
        busyUntilMs = Math.max(now, busyUntilMs) + (tokens * 1_000) / (this.members[member]?.speed ?? 1);
        return new Promise((resolve) => this.clock.after(busyUntilMs - now, resolve));
      },
      onExit: () => {
        this.#handles[member] = undefined;
      },
    });
    this.#handles[member] = handle;
    return handle;
  }
}

let machine: SimulatedPool;
afterEach(() => machine.pool.dispose());

/** Texts of 20 to 180 characters. */
const someTexts = (count: number) => Array.from({ length: count }, (_, index) => 'x'.repeat(20 + ((index * 37) % 161)));
const charsOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0);
const lengthsOf = (texts: readonly string[]) => texts.map((text) => text.length);

/** The share of the time that members of these speeds need at the least. */
function idealSeconds(texts: readonly string[], speeds: readonly number[]): number {
  return charsOf(texts) / speeds.reduce((sum, speed) => sum + speed, 0);
}

describe('members of a pool', () => {
  it.each([[[1_000, 1_000]], [[1_000, 5_000]], [[5_000, 1_000]], [[1_000, 2_000, 4_000]], [[500, 10_000]]])(
    'that do %j tokens a second end together',
    async (speeds) => {
      machine = await SimulatedPool.open(speeds);
      const texts = someTexts(3_000);
      const seconds = await machine.during(machine.embed(texts));
      expect(seconds / idealSeconds(texts, speeds)).toBeLessThan(1.1);
    },
  );

  it('all work on when texts come in groups, two at a time, as the indexer sends them', async () => {
    const speeds = [1_000, 5_000];
    machine = await SimulatedPool.open(speeds);
    const texts = someTexts(6_000);
    let next = 0;
    const indexer = async (): Promise<void> => {
      while (next < texts.length) await machine.embed(texts.slice(next, (next += 200)));
    };
    const seconds = await machine.during(Promise.all([indexer(), indexer(), indexer()]));
    expect(seconds / idealSeconds(texts, speeds)).toBeLessThan(1.1);
  });

  it('that are let go leave their figures and restarts to the pool, and their work to the others', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    machine.kill(0);
    await machine.during(machine.embed(someTexts(500)));
    // Figures are asked for every two seconds.
    await machine.pass(3_000);
    const texts = someTexts(300);
    const result = machine.embed(texts);
    await machine.pass(200);
    machine.pool.drop([0]);
    await machine.during(result);
    expect([...(await result).vectors]).toEqual(lengthsOf(texts));
    await machine.pass(3_000);
    expect((await machine.pool.metrics())?.scopes.code.texts).toBeGreaterThanOrEqual(800);
    expect(machine.pool.restarts).toBe(1);
    expect(machine.isRunning(0)).toBe(false);
    expect(machine.isRunning(1)).toBe(true);
  });

  it('that become slower or faster in the middle get less or more', async () => {
    machine = await SimulatedPool.open([4_000, 4_000]);
    const texts = someTexts(4_000);
    const answer = machine.embed(texts);
    while (machine.givenTo(0) + machine.givenTo(1) < 1_500) await machine.pass(STEP_MS);
    machine.members[0]!.speed = 500;
    const left = texts.slice(machine.givenTo(0) + machine.givenTo(1));
    const seconds = await machine.during(answer);
    // What the slow one had before it when it became slow is a fourth of the time.
    expect(seconds / idealSeconds(left, [500, 4_000])).toBeLessThan(1.4);
  });

  it('answer in the order of the texts, whoever was asked, with what could not be embedded in its place', async () => {
    machine = await SimulatedPool.open([1_000, 3_000]);
    const calls = [someTexts(700), someTexts(3), [], someTexts(90).reverse()];
    const answers = calls.map((texts, call) => machine.embed(texts, call === 1 ? 'saved' : 'bulk'));
    await machine.during(Promise.all(answers));
    const results = await Promise.all(answers);
    results.forEach(({ vectors, tokenCounts, failures }, call) => {
      expect([...vectors]).toEqual(lengthsOf(calls[call]!));
      expect([...tokenCounts]).toEqual(lengthsOf(calls[call]!));
      expect(failures).toEqual([]);
    });
  });
});

describe('members that share a device', () => {
  const optionsOf = (modelOf: (params: OpenParams, start: number) => string): EmbedderClientOptions => {
    let starts = 0;
    return {
      settings: {
        models: { code: 'model', docs: 'model' },
        device: 'webgpu',
        threads: 2,
        sessions: 2,
        batchSize: 0,
        memoryCeilingMb: 1_000,
        latencyCeilingMs: 100,
        tunerStateFile: null,
      },
      spawn: () => {
        const start = starts++;
        return fakeEmbedderProcess({ model: (params) => ({ id: modelOf(params, start) }) });
      },
      clock: SYSTEM_CLOCK,
      logger: SILENT_LOGGER,
    };
  };
  const work = { texts: ['ab'], role: 'document', scope: 'code', lane: 'bulk' } as const;

  it('load the graph of its kind, whoever cannot have it', async () => {
    const graph = ({ settings }: OpenParams) => `for ${settings.graphFor?.code}`;
    const pool = new EmbedderPool(sharing(optionsOf(graph), 2));
    expect((await pool.open()).code.id).toBe('for webgpu');
    expect([...(await pool.embed(work)).vectors]).toEqual([2]);
    pool.dispose();
  });

  it('embed nothing when they have opened different models', async () => {
    const pool = new EmbedderPool(
      sharing(
        optionsOf((_, start) => `model ${start}`),
        2,
      ),
    );
    await expect(pool.embed(work)).rejects.toMatchObject({ code: 'model-invalid' });
    pool.dispose();
  });
});

describe('work that waits in a pool', () => {
  it('is saved files before everything else, and these wait for no bulk work', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    const bulk = machine.embed(someTexts(2_000));
    await machine.pass(5_000);
    const before = machine.pieces.length;
    const saved = machine.embed(someTexts(40), 'saved');
    await machine.pass(STEP_MS);
    expect(new Set(machine.pieces.slice(before).map(({ lane }) => lane))).toEqual(new Set(['saved']));
    expect(machine.pieces.slice(before).reduce((sum, { texts }) => sum + texts.length, 0)).toBe(40);
    await machine.during(Promise.all([bulk, saved]));
  });

  it('is given to nobody when its caller has left, and the caller hears so at once', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    const stop = new AbortController();
    const first = machine.embed(someTexts(600));
    const second = machine.embed(someTexts(5_000), 'bulk', stop.signal);
    await machine.pass(1_000);
    stop.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    await machine.during(first);
    expect(machine.givenTo(0) + machine.givenTo(1)).toBeLessThan(600 + 2 * 256);
  });

  it('is settled when the pool is closed', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    const calls = [machine.embed(someTexts(2_000)), machine.embed(someTexts(10), 'saved')];
    await machine.pass(100);
    machine.pool.dispose();
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('a query', () => {
  it('goes to the fastest member that has nothing to do', async () => {
    machine = await SimulatedPool.open([1_000, 5_000, 2_000]);
    await machine.during(machine.embed(someTexts(3_000)));
    const asked = machine.pieces.length;
    const queries = [0, 1, 2, 3].map(() => machine.embed(['q'], 'query'));
    await machine.during(Promise.all(queries));
    // The fourth waits behind one other, where that is over soonest.
    expect(machine.pieces.slice(asked).map(({ member }) => member)).toEqual([1, 2, 0, 1]);
  });

  it('is never held back by bulk work', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    const bulk = machine.embed(someTexts(2_000));
    await machine.pass(5_000);
    const query = machine.embed(['q'], 'query');
    await machine.pass(STEP_MS);
    expect(machine.pieces.at(-1)).toMatchObject({ lane: 'query' });
    await machine.during(Promise.all([bulk, query]));
  });
});

describe('a member that dies', () => {
  it('and can be started again goes on with what it had', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    const texts = someTexts(1_000);
    const answer = machine.embed(texts);
    await machine.pass(10_000);
    machine.kill(0);
    await machine.during(answer);
    expect([...(await answer).vectors]).toEqual(lengthsOf(texts));
    expect(machine.pool.restarts).toBe(1);
    expect(machine.pool.failure).toBeUndefined();
  });

  it.each([0, 1])('for good leaves all its work to the other (%i)', async (dying) => {
    machine = await SimulatedPool.open([1_000, 5_000]);
    const texts = someTexts(2_000);
    const answer = machine.embed(texts);
    const saved = machine.embed(someTexts(300), 'saved');
    await machine.pass(10_000);
    machine.failForGood(dying);
    await machine.during(Promise.all([answer, saved]));
    expect([...(await answer).vectors]).toEqual(lengthsOf(texts));
    expect((await answer).failures).toEqual([]);
    expect([...(await saved).vectors]).toEqual(lengthsOf(someTexts(300)));
    expect(machine.pool.failure).toMatchObject({ code: 'process-exited' });
    expect(machine.pool.state.kind).toBe('running');
    const query = machine.embed(['query'], 'query');
    await machine.during(query);
    expect(machine.pieces.at(-1)?.member).toBe(1 - dying);
  });

  it('as the last one ends every call with its error, until somebody forgives', async () => {
    machine = await SimulatedPool.open([1_000, 5_000]);
    const calls = [machine.embed(someTexts(2_000)), machine.embed(someTexts(20), 'saved')];
    await machine.pass(1_000);
    machine.failForGood(0);
    machine.failForGood(1);
    await machine.during(Promise.allSettled(calls));
    await expect(calls[0]).rejects.toMatchObject({ code: 'process-exited' });
    expect(machine.pool.state.kind).toBe('failed');
    await expect(machine.embed(['late'])).rejects.toMatchObject({ code: 'process-exited' });
    for (const member of machine.members) member.fails = false;
    machine.pool.forgive();
    const again = machine.embed(['again']);
    await machine.during(again);
    expect([...(await again).vectors]).toEqual([5]);
  });

  it('before it was ever ready does not keep the others from working', async () => {
    machine = await SimulatedPool.open([1_000, 1_000], { failing: [0] });
    const texts = someTexts(100);
    const answer = machine.embed(texts);
    await machine.during(answer);
    expect([...(await answer).vectors]).toEqual(lengthsOf(texts));
  });
});

describe('a member whose process has ended', () => {
  it('gets no query while another one can answer at once', async () => {
    machine = await SimulatedPool.open([1_000, 1_000]);
    await machine.during(machine.embed(someTexts(200)));
    machine.kill(1);
    await machine.pass(20);
    const queries = [machine.embed(['one'], 'query'), machine.embed(['another'], 'query')];
    await machine.during(Promise.all(queries));
    expect(machine.pieces.slice(-2).map(({ member, lane }) => ({ member, lane }))).toEqual([
      { member: 0, lane: 'query' },
      { member: 0, lane: 'query' },
    ]);
  });
});

describe('a call that is cancelled', () => {
  it.each([2_000, 20_000])('leaves its room to the others, at %i tokens a second', async (speed) => {
    machine = await SimulatedPool.open([speed, speed]);
    const leaving = new AbortController();
    const first = machine.embed(someTexts(speed), 'bulk', leaving.signal);
    await machine.pass(200);
    const texts = someTexts(200);
    const second = machine.embed(texts);
    await machine.pass(40);
    leaving.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    let answer: Float32Array | undefined;
    void second.then(({ vectors }) => {
      answer = vectors;
    });
    await machine.pass(60_000);
    expect([...(answer ?? [])]).toEqual(lengthsOf(texts));
  });
});
