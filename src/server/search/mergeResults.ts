import type { SearchResult } from '../../protocol/server.ts';

/** The answer while the first index of a folder is being made and nothing of it is committed. */
export const NOTHING_YET: SearchResult = { hits: [], complete: false, tookMs: 0, degraded: null };

/** Answers of different models as one; their scores are not made to be compared, but better ones still tend to come first. */
export function mergeResults(results: readonly SearchResult[], limit: number): SearchResult {
  const [only, ...others] = results;
  if (only === undefined) return NOTHING_YET;
  if (others.length === 0) return only;
  // Hits without the quoted text are for want of better ones only.
  const exact = results.filter(({ hits, withoutPhrases = false }) => hits.length > 0 && !withoutPhrases);
  const shown = exact.length > 0 ? exact : results;
  const hits = shown.flatMap((result) => result.hits).sort((a, b) => b.score - a.score);
  return {
    hits: hits.slice(0, limit),
    complete: results.every(({ complete }) => complete),
    tookMs: Math.max(...results.map(({ tookMs }) => tookMs)),
    degraded: results.find(({ degraded }) => degraded !== null)?.degraded ?? null,
    withoutPhrases: shown.some(({ withoutPhrases = false }) => withoutPhrases),
  };
}
