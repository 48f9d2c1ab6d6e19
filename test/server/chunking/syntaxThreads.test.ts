import { afterEach, describe, expect, it } from 'vitest';
import type { SourceDocument } from '../../../src/indexing/document.ts';
import { DEFAULT_CHUNK_LIMITS } from '../../../src/indexing/chunking/limits.ts';
import { SyntaxThreads } from '../../../src/server/chunking/syntaxThreads.ts';

const document = (name: string, lines: number): SourceDocument => ({
  path: `${name}.ts`,
  language: 'typescript',
  scope: 'code',
  text: `export class ${name} {}\n`.repeat(lines),
});

describe('several chunker threads', () => {
  let threads: SyntaxThreads | undefined;
  afterEach(() => threads?.dispose());

  it('answer each document with its own chunks, whichever thread cut it', async () => {
    threads = new SyntaxThreads({ grammarFolder: undefined, limits: DEFAULT_CHUNK_LIMITS }, undefined, 3);
    const names = Array.from({ length: 60 }, (_, at) => `Name${at}`);
    const cut = await Promise.all(names.map(async (name, at) => threads?.cut(document(name, 1 + (at % 7) * 20))));
    expect(cut.map((chunks) => chunks?.[0]?.symbol)).toEqual(names);
  });

  it('give a document to the thread with the least text before it', async () => {
    threads = new SyntaxThreads({ grammarFolder: undefined, limits: DEFAULT_CHUNK_LIMITS }, undefined, 2);
    const done: string[] = [];
    const cut = async (name: string, lines: number) => {
      await threads?.cut(document(name, lines));
      done.push(name);
    };
    await Promise.all([cut('Warm', 1), cut('Too', 1)]);
    done.length = 0;
    await Promise.all([cut('Long', 20_000), cut('Short', 1), cut('Brief', 1)]);
    expect(done).toEqual(['Short', 'Brief', 'Long']);
  });
});
