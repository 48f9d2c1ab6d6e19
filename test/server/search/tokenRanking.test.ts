import { describe, expect, it } from 'vitest';
import type { ModelInfo, TokenVectors, TokenVectorsParams } from '../../../src/protocol/embedder.ts';
import type { Scope } from '../../../src/protocol/scope.ts';
import type { RankedChunk } from '../../../src/search/ranking.ts';
import { TokenRanking } from '../../../src/server/search/tokenRanking.ts';
import { FAKE_MODEL, HashEmbedder } from '../../fakes/hashEmbedder.ts';

/** A multi-vector model whose tokens are characters, each at right angles to every other. */
class CharacterEmbedder extends HashEmbedder {
  readonly asked: TokenVectorsParams[] = [];

  override open(): Promise<Readonly<Record<Scope, ModelInfo>>> {
    const multiVector = { ...FAKE_MODEL, dimension: 26, multiVector: true };
    return Promise.resolve({ code: multiVector, docs: { ...FAKE_MODEL, multiVector: false } });
  }

  override embedTokens(params: TokenVectorsParams): Promise<TokenVectors> {
    this.asked.push(params);
    const letters = params.texts.map((text) =>
      Array.from(text.toLowerCase()).filter((char) => char >= 'a' && char <= 'z'),
    );
    const vectors = Float32Array.from(
      letters.flat().flatMap((char) => Array.from({ length: 26 }, (_, i) => (char.charCodeAt(0) - 97 === i ? 1 : 0))),
    );
    return Promise.resolve({ vectors, dimension: 26, tokenCounts: Uint32Array.from(letters, ({ length }) => length) });
  }
}

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
    expect(await new TokenRanking(new CharacterEmbedder()).isPossible()).toBe(true);
  });

  it('lifts the chunks whose tokens are like the query’s, and says by how much', async () => {
    const chunks = [chunk('first', 3), chunk('second', 2.5), chunk('third', 2)];
    const ranked = await new TokenRanking(new CharacterEmbedder()).rank('abc', chunks, TEXTS);
    expect(ids(ranked)).toEqual(['second', 'first', 'third']);
    for (const { score, parts } of ranked) {
      expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score);
    }
    expect(ranked[0]!.parts.at(-1)).toMatchObject({ part: 'tokens', value: 1 });
  });

  it('leaves chunks alone whose model is another, or whose text has gone', async () => {
    const chunks = [chunk('gone', 4), chunk('first', 3), chunk('second', 2.5), chunk('prose', 1, 'docs')];
    const ranked = await new TokenRanking(new CharacterEmbedder()).rank('abc', chunks, TEXTS);
    expect(ids(ranked)).toEqual(['second', 'gone', 'first', 'prose']);
    expect(ranked.find(({ chunk: { id } }) => id === 'prose')).toBe(chunks[3]);
  });

  it('embeds a chunk once for all queries', async () => {
    const embedder = new CharacterEmbedder();
    const ranking = new TokenRanking(embedder);
    const chunks = [chunk('first', 3), chunk('second', 2)];
    await ranking.rank('ab', chunks, TEXTS);
    await ranking.rank('abc', chunks, TEXTS);
    expect(embedder.asked.map(({ role }) => role)).toEqual(['query', 'document', 'query']);
  });
});
