import type { ScopeMetrics } from '../../src/protocol/embedder.ts';

/** Figures of a scope, each told from the others by its number. */
export const SOME_WORK: ScopeMetrics = {
  device: 'cuda',
  runs: 321,
  texts: 4321,
  realTokens: 100_000,
  paddedTokens: 103_000,
  paddingRatio: 0.03,
  tokensPerSecond: 5001,
  textsPerSecond: 51,
  recentTokensPerSecond: 5002,
  recentTextsPerSecond: 52,
  bestTextsPerSecond: 53,
  runP50Ms: 1.25,
  runP90Ms: 20,
  runP99Ms: 30,
  tokenizeMs: 440,
  rssByRunTokens: [
    { upToTokens: 512, rssMb: 210 },
    { upToTokens: 1024, rssMb: 220 },
  ],
  backoffs: 1,
  tuner: {
    budgetTokens: 768,
    bestTokensPerSecond: 5003,
    memoryCeilingTokens: 4096,
    latencyCeilingTokens: null,
    converged: true,
    runs: 321,
    moves: [{ run: 9, fromTokens: 512, toTokens: 768, reason: 'faster' }],
  },
};
