import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import type { SourceDocument } from '../../../src/indexing/document.ts';
import type { CutResult } from '../../../src/server/chunking/syntaxThread.ts';
import { SyntaxThreads } from '../../../src/server/chunking/syntaxThreads.ts';
import { ManualClock } from '../../fakes/manualClock.ts';

const document = (path: string, characters: number): SourceDocument => ({
  path,
  language: 'typescript',
  scope: 'code',
  text: ' '.repeat(characters),
});

/** Remembers what it was given; answers when told to. */
class FakeThread {
  readonly given: string[] = [];
  readonly #answers = new Map<string, Deferred<CutResult>>();
  restMs = 0;
  isUsable = true;
  isGivenUp = false;
  isDisposed = false;
  revivals: Deferred<void>[] = [];

  cut({ path }: SourceDocument): Promise<CutResult> {
    this.given.push(path);
    const answer = new Deferred<CutResult>();
    this.#answers.set(path, answer);
    return answer.promise;
  }

  answer(path: string, result: CutResult = []): void {
    this.#answers.get(path)?.resolve(result);
  }

  /** No documents, and no new thread, for so long. */
  rest(ms: number, isGivenUp = false): void {
    this.restMs = ms;
    this.isUsable = false;
    this.isGivenUp = isGivenUp;
  }

  revive(): Promise<void> {
    const revival = new Deferred<void>();
    this.revivals.push(revival);
    return revival.promise;
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

describe('several chunker threads', () => {
  it('are given each document where the least text waits, the first of them alone while nothing does', async () => {
    const [first, second] = [new FakeThread(), new FakeThread()];
    const threads = new SyntaxThreads([first, second]);
    for (const name of ['a', 'b']) {
      const cut = threads.cut(document(name, 10));
      first.answer(name);
      expect(await cut).toEqual([]);
    }
    expect(second.given).toEqual([]);
    void threads.cut(document('long', 1_000));
    void threads.cut(document('c', 400));
    void threads.cut(document('d', 400));
    void threads.cut(document('e', 400));
    void threads.cut(document('f', 10));
    expect([first.given, second.given]).toEqual([
      ['a', 'b', 'long', 'f'],
      ['c', 'd', 'e'],
    ]);
    first.answer('long');
    await turn();
    void threads.cut(document('g', 10));
    expect(first.given.at(-1)).toBe('g');
    threads.dispose();
    expect([first, second].every(({ isDisposed }) => isDisposed)).toBe(true);
  });

  it('take over what one of them cannot begin with', async () => {
    const [broken, whole] = [new FakeThread(), new FakeThread()];
    const threads = new SyntaxThreads([broken, whole], new ManualClock());
    const cut = threads.cut(document('a', 10));
    broken.rest(1000);
    broken.answer('a', 'not begun');
    await turn();
    expect(whole.given).toEqual(['a']);
    whole.answer('a');
    expect(await cut).toEqual([]);
    // A thread that has rested is started anew, and given nothing before it is up.
    broken.restMs = 0;
    void threads.cut(document('b', 10));
    void threads.cut(document('c', 10));
    expect([broken.given, broken.revivals.length]).toEqual([['a'], 2]);
    broken.isUsable = true;
    void threads.cut(document('d', 10));
    expect(broken.given).toEqual(['a', 'd']);
  });

  it('are waited for while they rest or are started, and cut nothing when all were given up', async () => {
    const clock = new ManualClock();
    const [one, other] = [new FakeThread(), new FakeThread()];
    const threads = new SyntaxThreads([one, other], clock);
    one.rest(10_000);
    other.rest(60_000, true);
    const cut = threads.cut(document('a', 10));
    await turn();
    one.restMs = 0;
    clock.advance(10_000);
    await turn();
    expect([one.revivals.length, one.given]).toEqual([1, []]);
    one.isUsable = true;
    one.revivals[0]!.resolve();
    await turn();
    expect(one.given).toEqual(['a']);
    one.rest(60_000, true);
    one.answer('a', 'not begun');
    expect(await cut).toBeUndefined();
    expect(await threads.cut(document('b', 10))).toBeUndefined();
    expect(clock.timers).toBe(0);
  });

  it('are not waited for in vain where a rest ends just while it is looked at', async () => {
    const clock = new ManualClock();
    const thread = new FakeThread();
    thread.rest(1000);
    let looks = 0;
    Object.defineProperty(thread, 'restMs', { get: () => (looks++ === 0 ? 0.001 : 0) });
    const threads = new SyntaxThreads([thread], clock);
    void threads.cut(document('a', 10));
    clock.advance(1);
    await turn();
    expect(thread.revivals).toHaveLength(1);
  });

  it('that were all given up are waited for a little when one of them is tried once more', async () => {
    const clock = new ManualClock();
    const thread = new FakeThread();
    thread.rest(0, true);
    const threads = new SyntaxThreads([thread], clock);
    const cut = threads.cut(document('a', 10));
    await turn();
    thread.isUsable = true;
    thread.revivals[0]!.resolve();
    await turn();
    thread.answer('a');
    expect(await cut).toEqual([]);
    thread.isUsable = false;
    const other = threads.cut(document('b', 10));
    await turn();
    clock.advance(5000);
    expect(await other).toBeUndefined();
    expect(clock.timers).toBe(0);
  });

  it('that were all given up are waited for also where the first that is tried once more is of no use', async () => {
    const clock = new ManualClock();
    const [one, other] = [new FakeThread(), new FakeThread()];
    const threads = new SyntaxThreads([one, other], clock);
    one.rest(0, true);
    other.rest(0, true);
    const cut = threads.cut(document('a', 10));
    await turn();
    one.rest(60_000, true);
    one.revivals[0]!.resolve();
    await turn();
    other.isUsable = true;
    for (const revival of other.revivals) revival.resolve();
    await turn();
    other.answer('a');
    expect(await cut).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('are waited for no longer once they are disposed', async () => {
    const thread = new FakeThread();
    thread.rest(10_000);
    const clock = new ManualClock();
    const threads = new SyntaxThreads([thread], clock);
    const cut = threads.cut(document('a', 10)).catch((error: unknown) => error);
    await turn();
    threads.dispose();
    expect(await cut).toMatchObject({ code: 'disposed' });
    expect(clock.timers).toBe(0);
  });
});
