import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isTesseraError } from '../../../src/base/errors.ts';
import { Logger, type LogRecord } from '../../../src/base/logger.ts';
import type { SourceDocument } from '../../../src/indexing/document.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import { lateness } from '../../../src/server/chunking/syntaxParser.ts';
import { spawnChunker, SyntaxThread } from '../../../src/server/chunking/syntaxThread.ts';
import { SyntaxThreads } from '../../../src/server/chunking/syntaxThreads.ts';
import type { SyntaxWorkerData } from '../../../src/server/chunking/syntaxWorkerProtocol.ts';
import type { ChunkerFaults } from '../../fakes/chunkerThread.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const document = (language: string, text: string): SourceDocument => ({
  path: `a.${language}`,
  language,
  scope: 'code',
  text,
});
const SMALL = document('typescript', 'export class A {}\n');

/** What sends C#'s parser into an endless search for a meaning, and without a limit into 2 GB. */
const PATHOLOGICAL = document('csharp', 'a<'.repeat(50_000));

describe('the chunker', () => {
  it('cuts by lines what the grammar cannot cope with, and goes on with the documents behind it', async () => {
    const chunker = createChunker();
    const [strange, small] = await Promise.all([chunker.chunk(PATHOLOGICAL), chunker.chunk(SMALL)]);
    expect(strange).toHaveLength(1);
    expect(small[0]!.symbol).toBe('A');
    chunker.dispose();
  });

  it('answers many documents at once, each with its own chunks', async () => {
    const chunker = createChunker();
    const names = Array.from({ length: 200 }, (_, n) => `name${n}`);
    const cut = await Promise.all(
      names.map((name, n) => {
        const isPython = n % 2 === 0;
        const text = isPython ? `class ${name}:\n  pass\n` : `function ${name}() {}\n`;
        return chunker.chunk(document(isPython ? 'python' : 'javascript', text));
      }),
    );
    expect(cut.map((chunks) => chunks[0]!.symbol)).toEqual(names);
    chunker.dispose();
  });

  it('hands a long text over whole, whatever its characters, and however far the parser goes back', async () => {
    const chunker = createChunker();
    const names = Array.from({ length: 4000 }, (_, n) => `größe${n}`);
    // An unclosed template literal makes the parser try again from far behind; the emoji are two code units each.
    const text = names.map((name, n) => `function ${name}() { return '${'🦀'.repeat(n % 40)}'; }\n`).join('') + '`';
    const cut = await chunker.chunk(document('javascript', text));
    expect(cut.flatMap(({ definitions }) => definitions)).toEqual(names);
    chunker.dispose();
  });

  it('leaves a grammar alone whose lexer V8 cannot optimise without gigabytes', async () => {
    const chunker = createChunker();
    const body = Array.from(
      { length: 400 },
      (_, n) => `  func f${n}(a: Int, b: [String: Int?]) -> Int { a &+ ${n} }\n`,
    ).join('');
    const peakMb = () => process.resourceUsage().maxRSS / 1024;
    const before = peakMb();
    // Enough of it to make the lexer hot.
    const files = Array.from({ length: 60 }, (_, n) => chunker.chunk(document('swift', `struct S${n} {\n${body}}\n`)));
    const cut = await Promise.all(files);
    expect(cut.every((chunks) => chunks.some(({ definitions }) => definitions.includes('f399')))).toBe(true);
    // Measured: 40 MB, and 970 MB with the end of the process soon after, when V8 may optimise it.
    expect(peakMb() - before).toBeLessThan(400);
    chunker.dispose();
  }, 60_000);

  it('cuts by lines and says so when a grammar cannot be loaded', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tessera-grammars-'));
    await writeFile(join(folder, 'typescript.wasm'), 'no grammar');
    const records: LogRecord[] = [];
    const logger = new Logger({ level: 'debug', write: (record) => records.push(record) }, 'test');
    const chunker = createChunker({ grammarFolder: folder, logger });
    expect(await chunker.chunk(SMALL)).toMatchObject([{ startLine: 1, endLine: 1, symbol: '' }]);
    await chunker.chunk(SMALL);
    expect(records.filter((record) => record.level === 'error')).toHaveLength(1);
    chunker.dispose();
    await rm(folder, { recursive: true });
  });

  it('rejects with `disposed` what is asked after, and what is under way at, its end', async () => {
    const chunker = createChunker();
    const underWay = chunker.chunk(SMALL);
    chunker.dispose();
    chunker.dispose();
    const isDisposed = (error: unknown): boolean => isTesseraError(error, 'disposed');
    expect(await underWay.catch(isDisposed)).toBe(true);
    expect(await chunker.chunk(SMALL).catch(isDisposed)).toBe(true);
  });
});

describe('a syntax thread', () => {
  const entry = new URL('../../fakes/chunkerThread.ts', import.meta.url);
  let threads: SyntaxThreads | undefined;
  afterEach(() => threads?.dispose());

  /** `refused`: the numbers of the starts for which the system has no room. */
  function start(faults: Omit<ChunkerFaults, 'counts'> = {}, refused: readonly number[] = [], size = 1) {
    const clock = new ManualClock();
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const data = { ...faults, counts: counts.buffer } as unknown as SyntaxWorkerData;
    let starts = 0;
    const spawn = (data: SyntaxWorkerData) => {
      if (refused.includes(++starts)) throw new Error('ERR_WORKER_INIT_FAILED: EAGAIN');
      return spawnChunker(data, entry);
    };
    const all = Array.from({ length: size }, () => new SyntaxThread(data, { clock, spawn }));
    threads = new SyntaxThreads(all, clock);
    return { thread: all[0]!, threads, clock, counts };
  }

  /** Lets time pass until a promise has settled. */
  async function pass<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
    const state = { isOver: false };
    promise.finally(() => (state.isOver = true)).catch(() => undefined);
    while (!state.isOver) {
      clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return promise;
  }

  it('that ends before it begins leaves the document to the next, after a pause', async () => {
    const { threads, clock, counts } = start({ endEarly: 2 });
    expect(await pass(clock, threads.cut(SMALL))).toEqual([]);
    expect(counts[0]).toBe(3);
    expect(clock.now()).toBeGreaterThanOrEqual(11_000);
  });

  it('that does not begin leaves the document to the next', async () => {
    const { threads, clock, counts } = start({ beginNothing: 1 });
    const cut = threads.cut(SMALL);
    await vi.waitUntil(() => counts[0] === 1, { timeout: 30_000 });
    clock.advance(60_000);
    expect(await pass(clock, cut)).toEqual([]);
    expect(counts[0]).toBe(2);
  });

  it('that the system has no room for leaves the documents to the next, after a pause', async () => {
    const { threads, clock, counts } = start({}, [1, 2, 3]);
    const cuts = Promise.all([threads.cut(SMALL), threads.cut(SMALL)]);
    expect(await pass(clock, cuts)).toEqual([[], []]);
    expect(counts[0]).toBe(1);
    expect(clock.now()).toBeGreaterThanOrEqual(61_000);
  });

  it('gives back what it cannot begin with, and what was behind a document that ended the one before', async () => {
    const { thread, clock } = start({}, [2]);
    const cuts = Promise.all(['ends the thread', 'fine'].map((text) => thread.cut(document('typescript', text))));
    expect(await pass(clock, cuts)).toEqual([undefined, 'not begun']);
    expect(thread.restMs).toBeGreaterThan(0);
    expect(await thread.cut(SMALL)).toBe('not begun');
  });

  it('is given up when it never begins, and tried once more after a minute', async () => {
    const { thread, threads, clock, counts } = start({ endEarly: 5 });
    expect(await pass(clock, threads.cut(SMALL))).toBeUndefined();
    expect(thread.isGivenUp).toBe(true);
    clock.advance(thread.restMs - 1);
    expect(await threads.cut(SMALL)).toBeUndefined();
    expect(counts[0]).toBe(4);
    clock.advance(1);
    // The fifth ends, too.
    expect(await pass(clock, threads.cut(SMALL))).toBeUndefined();
    expect([counts[0], thread.isGivenUp]).toEqual([5, true]);
    clock.advance(thread.restMs);
    expect(await pass(clock, threads.cut(SMALL))).toEqual([]);
    expect([counts[0], thread.isGivenUp]).toEqual([6, false]);
  });

  it.each([
    ['are never up', { beginNothing: Infinity }],
    ['end at once', { endEarly: Infinity }],
    ['end before they begin', { endUp: Infinity }],
  ])('that is one of several that %s is given up with them', async (_, faults) => {
    const { threads, clock } = start(faults, [], 3);
    expect(await pass(clock, threads.cut(SMALL))).toBeUndefined();
    expect(clock.now()).toBeLessThan(10 * 60_000);
  });

  it('that hangs while it starts leaves its document, and those that come later, to the others', async () => {
    const { threads, clock } = start({ beginNothing: 1 }, [], 2);
    expect(await pass(clock, threads.cut(SMALL))).toEqual([]);
    const before = clock.now();
    expect(await Promise.all([threads.cut(SMALL), threads.cut(SMALL)])).toEqual([[], []]);
    expect(clock.now()).toBe(before);
  });

  it('gives up a document that takes too long, or ends the thread, and goes on with those behind it', async () => {
    const { thread, clock, counts } = start();
    await thread.cut(SMALL);
    const cuts = ['takes for ever', 'fine', 'ends the thread', 'fine'].map((text) =>
      thread.cut(document('typescript', text)),
    );
    await vi.waitUntil(() => counts[1] === 2, { timeout: 30_000 });
    // A machine ten times as slow as the slowest seen is still waited for.
    clock.advance(30_000);
    expect(counts[0]).toBe(1);
    const first = { isOver: false };
    void cuts[0]!.then(() => (first.isOver = true));
    while (!first.isOver) {
      clock.advance(5000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await Promise.all(cuts)).toEqual([undefined, [], undefined, []]);
    expect(counts[0]).toBe(3);
  });
});

describe('the time a parser is given', () => {
  it('is not used up by a machine that was asleep', () => {
    let nowMs = 0;
    const isLate = lateness(2500, () => nowMs);
    nowMs += 3_600_000;
    expect(isLate()).toBe(false);
    nowMs += 1400;
    expect(isLate()).toBe(false);
    nowMs += 400;
    expect(isLate()).toBe(false);
    nowMs += 200;
    expect(isLate()).toBe(true);
  });
});
