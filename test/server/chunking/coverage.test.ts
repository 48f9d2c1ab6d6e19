import { afterAll, describe, expect, it } from 'vitest';
import { joinLines, readLines } from '../../../src/indexing/chunking/lines.ts';
import { estimateTokens } from '../../../src/indexing/chunking/tokenEstimate.ts';
import type { Chunk, ChunkLimits, SourceDocument } from '../../../src/indexing/document.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import { NAMING } from './golden.ts';
import { Dice, randomDocument } from './randomDocument.ts';

const LIMITS: ChunkLimits = { targetTokens: 40, maxTokens: 60, overlapLines: 0 };
const chunker = createChunker({ limits: LIMITS });
const overlapping = createChunker({ limits: { ...LIMITS, overlapLines: 2 } });
afterAll(() => {
  chunker.dispose();
  overlapping.dispose();
});

const PROSE =
  '# Title\n\nSome words here.\n\n## Part\n\n- item\n- item\n\n```js\ncode();\n```\n\n| a | b |\n|---|---|\n';
const code = (language: string, text: string): SourceDocument => ({ path: 'a/b', language, scope: 'code', text });
const docs = (language: string, text: string): SourceDocument => ({ path: 'a/b', language, scope: 'docs', text });

/** Every line in exactly one chunk, in order, with its own text and size, within the limits. */
function expectExactCover(text: string, chunks: readonly Chunk[], limits: ChunkLimits): void {
  const lines = readLines(text);
  let next = 1;
  for (const chunk of chunks) {
    expect(chunk.startLine).toBe(next);
    expect(chunk.endLine).toBeGreaterThanOrEqual(chunk.startLine);
    expect(chunk.text).toBe(joinLines(lines, chunk.startLine - 1, chunk.endLine - 1));
    expect(chunk.tokens).toBe(estimateTokens(chunk.text));
    if (chunk.endLine > chunk.startLine && chunk.tokens > limits.maxTokens) {
      // Only a single line may be larger; lines that show nothing may be with it.
      expect(chunk.text.split('\n').filter((line) => estimateTokens(line) > 0)).toHaveLength(1);
    }
    expect(chunk.symbol === '' ? chunk.symbolKind : 'named').toBe(chunk.symbol === '' ? '' : 'named');
    next = chunk.endLine + 1;
  }
  expect(next).toBe(lines.count + 1);
}

describe('every line is in exactly one chunk', () => {
  const languages = [...NAMING, { language: 'yaml', text: 'a:\n  b: 1\n  c:\n    - 2\n', definitions: [] }];

  it.each(languages)('of random $language', async ({ language, text }) => {
    for (let seed = 1; seed <= 25; seed++) {
      const document = randomDocument(new Dice(seed), text);
      expectExactCover(document, await chunker.chunk(code(language, document)), LIMITS);
    }
  });

  it.each(['markdown', 'restructuredtext', 'asciidoc', 'org', 'latex', 'plaintext'])(
    'of random %s',
    async (language) => {
      for (let seed = 1; seed <= 60; seed++) {
        const document = randomDocument(new Dice(seed), PROSE);
        expectExactCover(document, await chunker.chunk(docs(language, document)), LIMITS);
      }
    },
  );

  it('of extreme documents', async () => {
    const extremes = [
      '\n',
      '\r\r\n\n',
      ' \n\t\n ',
      'x',
      'word '.repeat(50_000),
      `${'('.repeat(20_000)}\n${')'.repeat(20_000)}`,
      `${'if (a) {\n'.repeat(600)}${'}\n'.repeat(600)}`,
      '}\n'.repeat(3_000),
      '\n'.repeat(20_000),
      `a\n${'\n'.repeat(5_000)}b`,
      `f(${'a + \n'.repeat(2_000)}b)`,
      '🙂'.repeat(5_000),
      '\ud800\n\udc00',
    ];
    for (const text of extremes) {
      for (const language of ['typescript', 'python', 'plaintext']) {
        expectExactCover(text, await chunker.chunk(code(language, text)), LIMITS);
      }
      expectExactCover(text, await chunker.chunk(docs('markdown', text)), LIMITS);
    }
  });

  it('and an empty document has none', async () => {
    expect(await chunker.chunk(code('typescript', ''))).toEqual([]);
    expect(await chunker.chunk(docs('markdown', ''))).toEqual([]);
  });

  it('of a language nobody knows', async () => {
    const text = 'one\n  two\n\nthree\n'.repeat(40);
    expectExactCover(text, await chunker.chunk(code('constructor', text)), LIMITS);
  });
});

describe('an overlap', () => {
  it('repeats lines of the chunk before, within the maximum', async () => {
    const text = randomDocument(new Dice(7), NAMING[0]!.text);
    const plain = await chunker.chunk(code('typescript', text));
    const chunks = await overlapping.chunk(code('typescript', text));
    expect(chunks.map((chunk) => chunk.endLine)).toEqual(plain.map((chunk) => chunk.endLine));
    for (const [index, chunk] of chunks.entries()) {
      const repeated = plain[index]!.startLine - chunk.startLine;
      expect(repeated).toBeGreaterThanOrEqual(0);
      expect(repeated).toBeLessThanOrEqual(2);
      if (repeated > 0) expect(chunk.tokens).toBeLessThanOrEqual(LIMITS.maxTokens);
    }
    expect(chunks.some((chunk, index) => chunk.startLine < plain[index]!.startLine)).toBe(true);
  });
});

describe('cutting twice', () => {
  it('gives the same chunks, whatever was cut in between', async () => {
    for (const { language, text } of NAMING) {
      const document = code(language, randomDocument(new Dice(3), text));
      const first = await chunker.chunk(document);
      await chunker.chunk(code(language, randomDocument(new Dice(4), text)));
      expect(await chunker.chunk(document)).toEqual(first);
    }
  });
});
