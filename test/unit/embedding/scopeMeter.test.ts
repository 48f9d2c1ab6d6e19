import { describe, expect, it } from 'vitest';
import { mergeMetrics } from '../../../src/embedding/mergeMetrics.ts';
import { QuantileWindow } from '../../../src/embedding/quantileWindow.ts';
import { ScopeMeter } from '../../../src/embedding/scopeMeter.ts';
import type { EmbedderMetrics, ScopeMetrics } from '../../../src/protocol/embedder.ts';
import { NO_WORK } from '../../fakes/hashEmbedder.ts';

const { tuner } = NO_WORK.scopes.code;

describe('the figures of a scope', () => {
  it('are nothing before the first run', () => {
    expect(new ScopeMeter().metrics('cpu', tuner)).toEqual({ ...NO_WORK.scopes.code, rssByRunTokens: [] });
  });

  it('count runs, texts and tokens, with and without padding', () => {
    const meter = new ScopeMeter();
    meter.ran({ count: 4, length: 100, realTokens: 320, elapsedMs: 20, rssMb: 50 });
    meter.ran({ count: 1, length: 80, realTokens: 80, elapsedMs: 5, rssMb: 40 });
    meter.tokenized(3);
    meter.tokenized(4);
    meter.backedOff();
    expect(meter.metrics('cpu', tuner)).toMatchObject({
      ...{ runs: 2, texts: 5, realTokens: 400, paddedTokens: 480, paddingRatio: 0.2 },
      ...{ tokensPerSecond: 16_000, textsPerSecond: 200, tokenizeMs: 7, backoffs: 1 },
    });
  });

  it('tell the speed of late apart from that of the whole time, and the best there was', () => {
    const meter = new ScopeMeter();
    const run = (elapsedMs: number): void => meter.ran({ count: 10, length: 10, realTokens: 100, elapsedMs, rssMb: 1 });
    for (let runs = 0; runs < 50; runs++) run(10);
    for (let runs = 0; runs < 50; runs++) run(40);
    const figures = meter.metrics('cpu', tuner);
    expect(figures.textsPerSecond).toBeCloseTo(400);
    expect(figures.recentTextsPerSecond).toBeCloseTo(250);
    expect(figures.recentTokensPerSecond).toBeCloseTo(2500);
    expect(figures.bestTextsPerSecond).toBeCloseTo(1000);
  });

  it('tell how long runs take, and the memory by their size', () => {
    const meter = new ScopeMeter();
    for (let ms = 1; ms <= 100; ms++)
      meter.ran({ count: 1, length: ms > 50 ? 200 : 100, realTokens: 100, elapsedMs: ms, rssMb: ms });
    expect(meter.metrics('cpu', tuner)).toMatchObject({
      ...{ runP50Ms: 50, runP90Ms: 90, runP99Ms: 99 },
      rssByRunTokens: [
        { upToTokens: 128, rssMb: 50 },
        { upToTokens: 256, rssMb: 100 },
      ],
    });
  });
});

describe('quantiles', () => {
  it('are those of the last values only', () => {
    const window = new QuantileWindow(4);
    expect(window.quantile(0.5)).toBe(0);
    for (const value of [100, 100, 100, 4, 3, 2, 1]) window.add(value);
    expect([window.count, window.quantile(0.5), window.quantile(0.75), window.quantile(1)]).toEqual([4, 2, 3, 4]);
  });
});

describe('figures of processes side by side', () => {
  const one = (figures: Partial<ScopeMetrics>, rest: Partial<EmbedderMetrics> = {}): EmbedderMetrics => ({
    ...NO_WORK,
    ...rest,
    scopes: { ...NO_WORK.scopes, code: { ...NO_WORK.scopes.code, ...figures } },
  });

  it('add up where they are amounts and speeds, and are the worst where they are times', () => {
    const rss = (upToTokens: number, rssMb: number) => ({ upToTokens, rssMb });
    const a = one(
      {
        ...{ runs: 1, texts: 2, realTokens: 100, paddedTokens: 110, tokensPerSecond: 10, textsPerSecond: 1 },
        ...{ recentTokensPerSecond: 11, recentTextsPerSecond: 2, bestTextsPerSecond: 3, tokenizeMs: 5, backoffs: 1 },
        ...{ runP50Ms: 1, runP90Ms: 5, runP99Ms: 9, rssByRunTokens: [rss(64, 10), rss(128, 20)] },
        tuner: { ...tuner, runs: 1, budgetTokens: 64 },
      },
      { rssMb: 10, peakRssMb: 20, gpuUtilization: null, threads: 1 },
    );
    const b = one(
      {
        ...{ runs: 3, texts: 4, realTokens: 300, paddedTokens: 330, tokensPerSecond: 20, textsPerSecond: 2 },
        ...{ recentTokensPerSecond: 12, recentTextsPerSecond: 3, bestTextsPerSecond: 4, tokenizeMs: 6, backoffs: 0 },
        ...{ runP50Ms: 2, runP90Ms: 4, runP99Ms: 8, rssByRunTokens: [rss(128, 15), rss(256, 30)] },
        tuner: { ...tuner, runs: 3, budgetTokens: 128 },
      },
      { rssMb: 30, peakRssMb: 40, gpuUtilization: 0.5, threads: 2 },
    );
    const both = mergeMetrics([a, b]);
    expect(both.scopes.code).toMatchObject({
      ...{ runs: 4, texts: 6, realTokens: 400, paddedTokens: 440, paddingRatio: 0.1 },
      ...{ tokensPerSecond: 30, textsPerSecond: 3, recentTokensPerSecond: 23, recentTextsPerSecond: 5 },
      ...{ bestTextsPerSecond: 7, tokenizeMs: 11, backoffs: 1, runP50Ms: 2, runP90Ms: 5, runP99Ms: 9 },
      rssByRunTokens: [rss(64, 10), rss(128, 20), rss(256, 30)],
      // Whichever has seen more.
      tuner: { budgetTokens: 128 },
    });
    expect(both).toMatchObject({ threads: 3, sessions: 2, rssMb: 40, peakRssMb: 60, gpuUtilization: 0.5 });
  });
});
