import { describe, expect, it } from 'vitest';
import type { Scope } from '../../../src/protocol/scope.ts';
import type { RankedChunk } from '../../../src/search/ranking.ts';
import { TokenRanking } from '../../../src/server/search/tokenRanking.ts';
import { HashEmbedder } from '../../fakes/hashEmbedder.ts';
import { LetterEmbedder } from '../../fakes/letterEmbedder.ts';

function chunk(id: string, score: number, scope: Scope = 'code'): RankedChunk {
  const file = { path: '1', scope };
  return {
    segment: {},
    file,
    chunk: { id, symbol: '' },
    score,
    parts: [{ part: 'text', value: score, detail: '' }],
  } as never;
}

const TEXTS = new Map([
  ['first', 'zzz'],
  ['second', 'abc'],
  ['third', 'abz'],
  ['prose', 'abc'],
]);
const ids = (chunks: readonly RankedChunk[]) => chunks.map(({ chunk: { id } }) => id);

describe('ranking by tokens', () => {
  it('is no matter for models of one vector a text', async () => {
    expect(await new TokenRanking(new HashEmbedder()).isPossible()).toBe(false);
    expect(await new TokenRanking(new LetterEmbedder()).isPossible()).toBe(true);
  });

  it('lifts the chunks whose tokens are like the query’s, and says by how much', async () => {
    const chunks = [chunk('first', 3), chunk('second', 2.5), chunk('third', 2)];
    const ranked = await new TokenRanking(new LetterEmbedder()).rank('abc', chunks, TEXTS);
    expect(ids(ranked)).toEqual(['second', 'first', 'third']);
    for (const { score, parts } of ranked) {
      expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score);
    }
    expect(ranked[0]!.parts.at(-1)).toMatchObject({ part: 'tokens', value: 1 });
  });

  it('leaves chunks alone whose model is another, or whose text has gone', async () => {
    const chunks = [chunk('gone', 4), chunk('first', 3), chunk('second', 2.5), chunk('prose', 1, 'docs')];
    const ranked = await new TokenRanking(new LetterEmbedder()).rank('abc', chunks, TEXTS);
    expect(ids(ranked)).toEqual(['second', 'gone', 'first', 'prose']);
    expect(ranked.find(({ chunk: { id } }) => id === 'prose')).toBe(chunks[3]);
  });

  it('embeds a chunk once for all queries', async () => {
    const embedder = new LetterEmbedder();
    const ranking = new TokenRanking(embedder);
    const chunks = [chunk('first', 3), chunk('second', 2)];
    await ranking.rank('ab', chunks, TEXTS);
    await ranking.rank('abc', chunks, TEXTS);
    expect(embedder.askedForTokens.map(({ role }) => role)).toEqual(['query', 'document', 'query']);
  });
});
