import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import type { ChildHandle } from '../../../src/process/childProcess.ts';
import type { Lane, OpenParams } from '../../../src/protocol/embedder.ts';
import { AdaptiveEmbedder } from '../../../src/server/embedder/adaptiveEmbedder.ts';
import { type FakeEmbedderOptions, fakeEmbedderProcess } from '../../fakes/embedderProcess.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const TEXT = 'x'.repeat(100);
const GROUP = new Array<string>(64).fill(TEXT);
const STEP_MS = 100;
/** Of each process. */
const RESIDENT_MB = 100;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tessera-layout-'));
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Tokens a second of so many processes together, or of so many that have so many threads each: `2 × 1`. */
type Speeds = Readonly<Record<string, number>>;

interface MachineOptions {
  /** Of the machine, where no person has chosen how many are used; else a person has chosen 4. */
  readonly machineThreads?: number;
  /** As processes tell it; those they are to have when left out. */
  readonly processThreads?: number;
  readonly device?: 'cpu' | 'auto';
  readonly memoryCeilingMb?: number;
  readonly fails?: (params: OpenParams) => boolean;
  readonly modelId?: (params: OpenParams) => string;
}

/** When the last machine was switched off: the next is a later start. */
let lastMs = 0;

/** A machine in simulated time. */
class SimulatedMachine {
  readonly clock = new ManualClock();
  readonly embedder: AdaptiveEmbedder;
  /** Processes at present, by how many share the machine with each. */
  readonly processes: number[] = [];
  readonly started: number[] = [];
  readonly opened: OpenParams[] = [];
  /** Pieces of work given to processes by themselves (1), and to one of several. */
  readonly pieces: { readonly lane: Lane; readonly of: number; readonly threads: number }[] = [];
  readonly #speeds: Speeds;
  readonly #threads: number;
  readonly #running = new Map<ChildHandle, number>();

  constructor(speeds: Speeds, options: MachineOptions = {}) {
    this.#speeds = speeds;
    this.#threads = options.machineThreads ?? 4;
    this.clock.advance(lastMs);
    const embedderOptions = {
      settings: {
        models: { code: 'model', docs: 'model' },
        device: options.device ?? 'cpu',
        threads: options.machineThreads === undefined ? 4 : 0,
        sessions: 0,
        batchSize: 0,
        memoryCeilingMb: options.memoryCeilingMb ?? 10_000,
        latencyCeilingMs: 100,
        tunerStateFile: path.join(folder, 'tuner.json'),
      },
      spawn: () => this.#spawn(options),
      clock: this.clock,
      logger: SILENT_LOGGER,
    };
    this.embedder = new AdaptiveEmbedder(embedderOptions, this.#threads);
  }

  /** Does bulk work for so long, two calls at a time as the indexer does; the tokens done. */
  async work(seconds: number): Promise<number> {
    const endMs = this.clock.now() + seconds * 1000;
    let tokens = 0;
    let working = 2;
    const indexer = async (): Promise<void> => {
      while (this.clock.now() < endMs) {
        const result = await this.embedder.embed({ texts: GROUP, role: 'document', scope: 'code', lane: 'bulk' });
        tokens += result.tokenCounts.reduce((sum, count) => sum + count, 0);
      }
    };
    const indexers = Promise.all([indexer(), indexer()].map((run) => run.finally(() => (working -= 1))));
    indexers.catch(() => undefined);
    while (working > 0) await this.pass(STEP_MS);
    await indexers;
    return tokens;
  }

  /** The same until something has come true: files are written and read in real time. */
  async workUntil(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await this.work(5);
  }

  /** Whether pools of two and of four processes were tried, and only these are left. */
  hasDecidedFor(...processes: readonly number[]): boolean {
    return (
      this.started.includes(processes.length > 1 ? 4 : 2) && [...this.processes].sort().join() === processes.join()
    );
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.clock.advance(STEP_MS);
      // Messages to the processes and back, and files, in real time.
      for (let turns = 0; turns < 4; turns++) await turn();
      lastMs = this.clock.now();
    }
  }

  /** Ends one of so many processes that share the machine. */
  killOne(of: number): void {
    const [handle] = [...this.#running].find(([, processes]) => processes === of) ?? [];
    handle?.kill();
  }

  #spawn({ fails = () => false, modelId = () => 'model', processThreads }: MachineOptions): ChildHandle {
    let of = 0;
    let threads = 0;
    let busyUntilMs = 0;
    const options: FakeEmbedderOptions = {
      residentMb: () => RESIDENT_MB,
      machineThreads: this.#threads,
      ...(processThreads === undefined ? {} : { threads: processThreads }),
      model: (params) => ({ id: modelId(params) }),
      onOpen: (params) => {
        of = params.processes;
        threads = params.threads ?? this.#threads / of;
        this.started.push(of);
        this.opened.push(params);
        this.processes.push(of);
        this.#running.set(handle, of);
        if (fails(params)) setImmediate(() => handle.dispose());
      },
      work: ({ lane, texts }) => {
        this.pieces.push({ lane, of, threads });
        const tokens = texts.reduce((sum, text) => sum + text.length, 0);
        const now = this.clock.now();
        busyUntilMs =
          Math.max(now, busyUntilMs) +
          (tokens * 1000 * of) / (this.#speeds[`${of} × ${threads}`] ?? this.#speeds[of] ?? 1);
        return new Promise((resolve) => this.clock.after(busyUntilMs - now, resolve));
      },
      onExit: () => {
        this.processes.splice(this.processes.indexOf(of), 1);
        this.#running.delete(handle);
      },
    };
    const handle = fakeEmbedderProcess(options);
    return handle;
  }
}

const bulkBy = (machine: SimulatedMachine, from: number) =>
  new Set(machine.pieces.slice(from).flatMap(({ lane, of }) => (lane === 'bulk' ? [of] : [])));
const isSaved = () => existsSync(path.join(folder, 'layouts.json'));
/** Whether all there is to be tried of some number of threads was. */
const isDone = () => isSaved() && readFileSync(path.join(folder, 'layouts.json'), 'utf8').includes('"untried":[]');

const TWO_ARE_FASTER = { 1: 10_000, 2: 12_000, 4: 9_000 };
const ONE_IS_FASTER = { 1: 10_000, 2: 8_000 };

describe('bulk work that lasts', () => {
  it('goes over to two processes where they are faster, and not on to four where those are not', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    const before = machine.pieces.length;
    await machine.work(20);
    expect(bulkBy(machine, before)).toEqual(new Set([2]));
    expect(await machine.embedder.metrics()).toMatchObject({ threads: 4, sessions: 2 });
    machine.embedder.dispose();
  });

  it.each([10_100, 10_000, 8_000])(
    'stays with one process of 10,000 tokens/s where two reach %i, and lets those go',
    async (speed) => {
      const machine = new SimulatedMachine({ 1: 10_000, 2: speed });
      await machine.workUntil(() => machine.hasDecidedFor(1));
      const before = machine.pieces.length;
      await machine.work(200);
      expect(machine.started).toEqual([1, 2, 2]);
      expect(bulkBy(machine, before)).toEqual(new Set([1]));
      machine.embedder.dispose();
    },
  );

  it('decides nothing for another time while somebody types and it comes in portions', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    await machine.workUntil(() => machine.started.includes(2));
    for (let portions = 0; portions < 40 && machine.processes.length > 1; portions++) {
      await machine.work(0.5);
      await machine.pass(2_200);
    }
    expect(machine.processes).toEqual([1]);
    // Longer than saving would take.
    await machine.pass(20_000);
    expect(isSaved()).toBe(false);
    machine.embedder.dispose();
  });

  it('is decided once for the machine and the model', async () => {
    const first = new SimulatedMachine(TWO_ARE_FASTER);
    await first.workUntil(isDone);
    first.embedder.dispose();
    const second = new SimulatedMachine(TWO_ARE_FASTER);
    await second.workUntil(() => second.processes.length === 3);
    await second.work(5);
    const before = second.pieces.length;
    await second.work(60);
    expect(bulkBy(second, before)).toEqual(new Set([2]));
    expect(second.started).toEqual([1, 2, 2]);
    second.embedder.dispose();
  });

  it('starts nothing where one process was found to be best', async () => {
    const first = new SimulatedMachine(ONE_IS_FASTER);
    await first.workUntil(isSaved);
    first.embedder.dispose();
    const second = new SimulatedMachine(ONE_IS_FASTER);
    await second.work(120);
    expect(second.started).toEqual([1]);
    second.embedder.dispose();
  });

  it('loses nothing of its results, whoever does it', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    const lengths = Array.from({ length: 300 }, (_, index) => 1 + (index % 90));
    const working = machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    for (let round = 0; round < 20; round++) {
      const texts = lengths.map((length) => 'y'.repeat(length));
      const result = machine.embedder.embed({ texts, role: 'document', scope: 'code', lane: 'bulk' });
      await machine.pass(6_000);
      expect([...(await result).vectors]).toEqual(lengths);
    }
    await working;
    machine.embedder.dispose();
  });
});

describe('fewer threads', () => {
  const SPEEDS = { '1 × 8': 10_000, '2 × 4': 9_000, '1 × 4': 12_000, '1 × 2': 7_000 };
  const threadsOf = (machine: SimulatedMachine, asked: Lane, from = 0) =>
    new Set(machine.pieces.slice(from).flatMap(({ lane, threads }) => (lane === asked ? [threads] : [])));

  it('do the bulk work where they are faster, and queries have all', async () => {
    const machine = new SimulatedMachine(SPEEDS, { machineThreads: 8 });
    await machine.workUntil(isDone);
    // Less than half was tried.
    expect(threadsOf(machine, 'bulk')).toEqual(new Set([8, 4, 2]));
    const before = machine.pieces.length;
    await machine.work(20);
    void machine.embedder.embed({ texts: ['z'], role: 'query', scope: 'code', lane: 'query' });
    await machine.pass(1_000);
    expect(threadsOf(machine, 'bulk', before)).toEqual(new Set([4]));
    expect(threadsOf(machine, 'query', before)).toEqual(new Set([8]));
    expect(await machine.embedder.metrics()).toMatchObject({ threads: 4, sessions: 1 });
    expect(machine.processes).toEqual([1, 1]);
    machine.embedder.dispose();
  });

  it('are remembered', async () => {
    const first = new SimulatedMachine(SPEEDS, { machineThreads: 8 });
    await first.workUntil(isDone);
    first.embedder.dispose();
    const second = new SimulatedMachine(SPEEDS, { machineThreads: 8 });
    await second.workUntil(() => second.processes.length === 2);
    await second.work(5);
    const before = second.pieces.length;
    await second.work(60);
    expect(threadsOf(second, 'bulk', before)).toEqual(new Set([4]));
    expect(second.started).toEqual([1, 1]);
    second.embedder.dispose();
  });

  it('are tried of several processes, too', async () => {
    const speeds = {
      '1 × 8': 10_000,
      '2 × 4': 12_000,
      '4 × 2': 11_000,
      '2 × 2': 14_000,
      '1 × 2': 9_000,
      '2 × 1': 8_000,
    };
    const machine = new SimulatedMachine(speeds, { machineThreads: 8 });
    await machine.workUntil(isDone);
    expect(await machine.embedder.metrics()).toMatchObject({ threads: 4, sessions: 2 });
    machine.embedder.dispose();
  });

  it('are not taken where they are slower, nor tried of three or fewer', async () => {
    const eight = new SimulatedMachine({ '1 × 8': 10_000, '2 × 4': 9_900, '1 × 4': 6_000 }, { machineThreads: 8 });
    await eight.workUntil(isDone);
    expect(await eight.embedder.metrics()).toMatchObject({ threads: 8, sessions: 1 });
    eight.embedder.dispose();
    await rm(path.join(folder, 'layouts.json'));
    const three = new SimulatedMachine({ '1 × 3': 10_000, '2 × 1': 9_900, '1 × 1': 90_000 }, { machineThreads: 3 });
    await three.workUntil(isDone);
    expect(threadsOf(three, 'bulk')).toEqual(new Set([3, 1]));
    expect(three.started).toEqual([1, 2, 2]);
    three.embedder.dispose();
  });

  it('are tried another time, and several processes not again, where work ends before', async () => {
    const first = new SimulatedMachine(SPEEDS, { machineThreads: 8 });
    await first.workUntil(() => first.started.includes(2) && !first.processes.includes(2));
    expect(threadsOf(first, 'bulk')).not.toContain(2);
    await expect.poll(isSaved).toBe(true);
    expect(isDone()).toBe(false);
    first.embedder.dispose();
    const second = new SimulatedMachine(SPEEDS, { machineThreads: 8 });
    await second.workUntil(isDone);
    expect(new Set(second.started)).toEqual(new Set([1]));
    expect(await second.embedder.metrics()).toMatchObject({ threads: 4, sessions: 1 });
    second.embedder.dispose();
  });

  it('are not taken where a person chooses as many as there are', async () => {
    const first = new SimulatedMachine({ '1 × 4': 10_000, '2 × 2': 9_000, '1 × 2': 12_000 }, { machineThreads: 4 });
    await first.workUntil(isDone);
    expect(await first.embedder.metrics()).toMatchObject({ threads: 2 });
    first.embedder.dispose();
    const chosen = new SimulatedMachine({ '1 × 4': 10_000, '2 × 2': 9_000, '1 × 2': 12_000 });
    await chosen.work(200);
    expect(threadsOf(chosen, 'bulk')).toEqual(new Set([4, 2]));
    expect(chosen.started).toEqual([1, 2, 2]);
    expect(await chosen.embedder.metrics()).toMatchObject({ threads: 4, sessions: 1 });
    chosen.embedder.dispose();
  });

  it('are not tried of a model that has one thread only', async () => {
    const machine = new SimulatedMachine({ 1: 10_000, 2: 9_000 }, { machineThreads: 8, processThreads: 1 });
    await machine.work(300);
    expect(machine.started).toEqual([1, 2, 2]);
    machine.embedder.dispose();
  });
});

describe('a query', () => {
  it('is always the first process’s, which bulk work leaves free', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    const working = machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    for (let query = 0; query < 50; query++) {
      void machine.embedder.embed({ texts: ['z'], role: 'query', scope: 'code', lane: 'query' });
      await machine.pass(2_000);
    }
    await working;
    const queries = machine.pieces.filter(({ lane }) => lane === 'query');
    expect(queries).toHaveLength(50);
    expect(new Set(queries.map(({ of }) => of))).toEqual(new Set([1]));
    machine.embedder.dispose();
  });
});

describe('several processes', () => {
  it('are not started for short work', async () => {
    const machine = new SimulatedMachine({ 1: 10_000, 2: 12_000 });
    for (let round = 0; round < 10; round++) {
      await machine.work(12);
      await machine.pass(10_000);
    }
    expect(machine.started).toEqual([1]);
    machine.embedder.dispose();
  });

  it('are not started while the embedder waits for work a fifth of the time, but when it does no more', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    for (let portions = 0; portions < 40; portions++) {
      await machine.work(4);
      await machine.pass(1_200);
    }
    expect(machine.started).toEqual([1]);
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    machine.embedder.dispose();
  });

  it('are not started where they would need more memory than is allowed', async () => {
    const machine = new SimulatedMachine({ 1: 10_000, 2: 20_000 }, { memoryCeilingMb: 250 });
    await machine.work(60);
    expect(machine.started).toEqual([1]);
    machine.embedder.dispose();
  });

  it('are judged by several pieces of work where each ends before', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    for (let round = 0; round < 12 && !isDone(); round++) {
      await machine.work(45);
      await machine.pass(70_000);
    }
    expect(isDone()).toBe(true);
    expect(machine.started.filter((of) => of === 4).length).toBeGreaterThan(4);
    machine.embedder.dispose();
  });

  it('are found out anew after a month', async () => {
    const first = new SimulatedMachine(ONE_IS_FASTER);
    await first.workUntil(isDone);
    first.embedder.dispose();
    for (const [days, started] of [
      [29, [1]],
      [2, [1, 2, 2]],
    ] as const) {
      lastMs += days * 24 * 60 * 60 * 1000;
      const later = new SimulatedMachine(ONE_IS_FASTER);
      await later.work(60);
      expect(later.started).toEqual(started);
      later.embedder.dispose();
    }
  });

  it('give their memory back after the work, and come back with the next', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER);
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    await machine.pass(70_000);
    expect(machine.processes).toEqual([1]);
    // Four were tried beside two at the most.
    const { peakRssMb } = (await machine.embedder.metrics())!;
    expect(peakRssMb).toBeLessThanOrEqual(7 * RESIDENT_MB);
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    await machine.pass(70_000);
    expect(await machine.embedder.metrics()).toMatchObject({ peakRssMb });
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    await machine.work(5);
    const before = machine.pieces.length;
    await machine.work(10);
    expect(bulkBy(machine, before)).toEqual(new Set([2]));
    machine.embedder.dispose();
  });

  it('are all on the processor where that was found to be best, and look no further', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER, { device: 'auto' });
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    const [first, ...others] = machine.opened.map(({ settings }) => settings);
    expect(first).toMatchObject({ device: 'auto' });
    expect(others.length).toBeGreaterThan(1);
    for (const settings of others)
      expect(settings).toMatchObject({ device: 'cpu', graphFor: { code: 'cpu', docs: 'cpu' } });
    machine.embedder.dispose();
  });

  it('that open another model than the first one did are given nothing', async () => {
    const machine = new SimulatedMachine(TWO_ARE_FASTER, { modelId: ({ processes }) => `model of ${processes}` });
    await machine.workUntil(() => machine.started.includes(2) && machine.processes.join() === '1');
    await machine.work(60);
    expect(bulkBy(machine, 0)).toEqual(new Set([1]));
    machine.embedder.dispose();
  });

  it('that cannot be started leave the work to the one that can', async () => {
    const machine = new SimulatedMachine({ 1: 10_000, 2: 12_000 }, { fails: ({ processes }) => processes > 1 });
    await machine.workUntil(() => machine.hasDecidedFor(1));
    expect(await machine.work(60)).toBeGreaterThan(50 * 10_000);
    expect(machine.processes).toEqual([1]);
    machine.embedder.dispose();
  });
});

describe('one of several processes', () => {
  it('that cannot be started leaves the work to the one with all threads', async () => {
    const machine: SimulatedMachine = new SimulatedMachine(TWO_ARE_FASTER, {
      fails: () => machine.processes.filter((of) => of > 1).length > 1,
    });
    await machine.workUntil(() => machine.started.includes(2) && machine.processes.join() === '1');
    const before = machine.pieces.length;
    expect(await machine.work(60)).toBeGreaterThan(50 * 10_000);
    expect(bulkBy(machine, before)).toEqual(new Set([1]));
    machine.embedder.dispose();
  });

  it('that fails for good later does, too', async () => {
    let fails = false;
    const machine: SimulatedMachine = new SimulatedMachine(TWO_ARE_FASTER, {
      fails: () => fails && machine.processes.filter((of) => of > 1).length > 1,
    });
    await machine.workUntil(() => machine.hasDecidedFor(1, 2, 2));
    fails = true;
    machine.killOne(2);
    await machine.workUntil(() => machine.processes.join() === '1');
    const before = machine.pieces.length;
    expect(await machine.work(60)).toBeGreaterThan(50 * 10_000);
    expect(bulkBy(machine, before)).toEqual(new Set([1]));
    machine.embedder.dispose();
  });
});

describe('closing in the middle of a trial', () => {
  it('settles every call and ends every process', async () => {
    const machine = new SimulatedMachine({ 1: 10_000, 2: 10_000 });
    await machine.workUntil(() => machine.started.includes(2));
    const working = machine.work(60);
    working.catch(() => undefined);
    const calls: Promise<unknown>[] = [];
    for (let call = 0; call < 20; call++) {
      calls.push(machine.embedder.embed({ texts: GROUP, role: 'document', scope: 'code', lane: 'bulk' }));
      await machine.pass(300);
    }
    machine.embedder.dispose();
    for (const { status, ...rest } of await Promise.allSettled(calls)) {
      if (status === 'rejected') expect(rest).toMatchObject({ reason: { code: 'disposed' } });
    }
    await expect(working).rejects.toMatchObject({ code: 'disposed' });
    expect(machine.processes).toEqual([]);
  });
});
