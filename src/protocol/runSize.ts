import type { TunerReport } from './embedder.ts';

/** How large bulk runs are: so many padded tokens, and what keeps them from being larger, or the number of texts a person fixed. */
export type RunSize =
  | { readonly kind: 'tokens'; readonly tokens: number; readonly boundBy: 'budget' | 'latency' | 'memory' }
  | { readonly kind: 'texts'; readonly texts: number };

/** The budget is what the tuner is for; where a ceiling is lower, runs are planned by that one. */
export function runSizeOf(
  tuner: Pick<TunerReport, 'budgetTokens' | 'memoryCeilingTokens' | 'latencyCeilingTokens' | 'textsPerRun'>,
): RunSize {
  const { budgetTokens, textsPerRun = 0 } = tuner;
  if (textsPerRun > 0) return { kind: 'texts', texts: textsPerRun };
  const memory = tuner.memoryCeilingTokens ?? Infinity;
  const latency = tuner.latencyCeilingTokens ?? Infinity;
  if (latency < Math.min(budgetTokens, memory)) return { kind: 'tokens', tokens: latency, boundBy: 'latency' };
  // The budget itself is lowered to what memory allows, so that being equal means being held there.
  if (memory <= budgetTokens) return { kind: 'tokens', tokens: memory, boundBy: 'memory' };
  return { kind: 'tokens', tokens: budgetTokens, boundBy: 'budget' };
}
