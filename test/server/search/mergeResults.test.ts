import { expect, it } from 'vitest';
import type { FolderHit, SearchResult } from '../../../src/protocol/server.ts';
import { mergeResults } from '../../../src/server/search/mergeResults.ts';

function result(scores: Readonly<Record<string, number>>, withoutPhrases = false): SearchResult {
  const hits = Object.entries(scores).map(([path, score]) => ({ path, score }) as FolderHit);
  return { hits, complete: true, tookMs: 1, degraded: null, withoutPhrases };
}

const pathsOf = ({ hits }: SearchResult) => hits.map(({ path }) => path);

it('hits that hold the quoted text are all there is when one model found some', () => {
  const merged = mergeResults([result({ near: 0.9 }, true), result({ exact: 0.2 }), result({})], 10);
  expect(pathsOf(merged)).toEqual(['exact']);
  expect(merged.withoutPhrases).toBe(false);
});

it('the nearest hits of all models are shown, and said to be no more, when none found the quoted text', () => {
  const merged = mergeResults([result({ near: 0.4 }, true), result({ nearer: 0.9 }, true), result({})], 10);
  expect(pathsOf(merged)).toEqual(['nearer', 'near']);
  expect(merged.withoutPhrases).toBe(true);
});

it('hits without a quoted text asked for are those of all models, best first', () => {
  const merged = mergeResults([result({ good: 0.5, bad: 0.1 }), result({ best: 0.9 })], 2);
  expect(pathsOf(merged)).toEqual(['best', 'good']);
});
