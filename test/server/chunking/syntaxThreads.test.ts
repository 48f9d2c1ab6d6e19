import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import type { Chunk, SourceDocument } from '../../../src/indexing/document.ts';
import { SyntaxThreads } from '../../../src/server/chunking/syntaxThreads.ts';

const document = (path: string, characters: number): SourceDocument => ({
  path,
  language: 'typescript',
  scope: 'code',
  text: ' '.repeat(characters),
});

/** Remembers what it was given; answers when told to. */
class FakeThread {
  readonly given: string[] = [];
  readonly #answers = new Map<string, Deferred<readonly Chunk[] | undefined>>();
  isUsable = true;
  isDisposed = false;

  cut({ path }: SourceDocument): Promise<readonly Chunk[] | undefined> {
    this.given.push(path);
    if (!this.isUsable) return Promise.resolve(undefined);
    const answer = new Deferred<readonly Chunk[] | undefined>();
    this.#answers.set(path, answer);
    return answer.promise;
  }

  answer(path: string): void {
    this.#answers.get(path)?.resolve([]);
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

  it('are none the worse for one that was given up, and cut nothing when all were', async () => {
    const [broken, whole] = [new FakeThread(), new FakeThread()];
    broken.isUsable = false;
    const threads = new SyntaxThreads([broken, whole]);
    void threads.cut(document('a', 10));
    void threads.cut(document('b', 10));
    expect(broken.given).toEqual([]);
    whole.isUsable = false;
    expect(await threads.cut(document('c', 10))).toBeUndefined();
  });
});
