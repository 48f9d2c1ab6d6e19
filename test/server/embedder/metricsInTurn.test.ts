import { describe, expect, it } from 'vitest';
import type { EmbedderMetrics } from '../../../src/protocol/embedder.ts';
import { besideTheGone, metricsInTurn, ofTheEnded } from '../../../src/server/embedder/metricsInTurn.ts';
import { NO_WORK } from '../../fakes/hashEmbedder.ts';

function worked(realTokens: number, tokensPerSecond: number): EmbedderMetrics {
  const code = {
    ...NO_WORK.scopes.code,
    runs: 1,
    texts: realTokens / 10,
    realTokens,
    paddedTokens: realTokens,
    tokensPerSecond,
    textsPerSecond: tokensPerSecond / 10,
    recentTokensPerSecond: tokensPerSecond,
    recentTextsPerSecond: tokensPerSecond / 10,
  };
  return { ...NO_WORK, scopes: { code, docs: NO_WORK.scopes.docs }, rssMb: 100, peakRssMb: 200 };
}

describe('figures of embedders that work in turns', () => {
  it('are those of one that did it all, at the speed of the whole time', () => {
    // 10 s at 1,000 and 10 s at 2,000 tokens a second.
    const { scopes, rssMb } = metricsInTurn([worked(10_000, 1_000), worked(20_000, 2_000)])!;
    expect(scopes.code).toMatchObject({ runs: 2, realTokens: 30_000, tokensPerSecond: 1_500, textsPerSecond: 150 });
    expect(scopes.code.recentTokensPerSecond).toBe(2_000);
    expect(scopes.docs.tokensPerSecond).toBe(0);
    expect(rssMb).toBe(200);
  });

  it('of one that worked beside the others until it was let go are added to theirs, at their speed', () => {
    const present = worked(20_000, 2_000);
    const metrics = besideTheGone(worked(10_000, 1_000), present);
    expect(metrics).toMatchObject({ rssMb: 100, peakRssMb: 400 });
    expect(metrics.scopes.code).toMatchObject({ runs: 2, texts: 3_000, realTokens: 30_000 });
    const { tokensPerSecond, textsPerSecond, recentTokensPerSecond, recentTextsPerSecond, tuner } = present.scopes.code;
    const speeds = { tokensPerSecond, textsPerSecond, recentTokensPerSecond, recentTextsPerSecond };
    expect(metrics.scopes.code).toMatchObject({ ...speeds, tuner });
  });

  it('count what ended processes did, not what they held', () => {
    const metrics = metricsInTurn([ofTheEnded(worked(10_000, 1_000)), worked(10_000, 1_000), NO_WORK])!;
    expect(metrics).toMatchObject({ rssMb: 100, peakRssMb: 400 });
    expect(metrics.scopes.code).toMatchObject({
      realTokens: 20_000,
      tokensPerSecond: 1_000,
      recentTokensPerSecond: 1_000,
    });
  });

  it('are unknown where there are none', () => {
    expect(metricsInTurn([])).toBeNull();
  });
});
