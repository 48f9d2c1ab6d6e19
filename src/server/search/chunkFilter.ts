import type { ChunkEntry, IndexSegment } from '../../search/chunkIndex.ts';
import { tokenize } from '../../search/identifierTokens.ts';
import { collapseName } from '../../search/queryTerms.ts';
import type { SearchQuery } from '../../search/searchQuery.ts';

type ChunkTest = (chunk: ChunkEntry, number: number, segment: IndexSegment) => boolean;

/**
 * What a query's `symbol:`, phrases and excluded words ask of a chunk, as far as names and postings can tell: phrases pass
 * when all their words are there; the text itself decides later, for the few chunks that are shown.
 */
export function chunkFilter({ symbols, phrases }: SearchQuery): ChunkTest {
  const tests: ChunkTest[] = [];
  if (symbols.length > 0) tests.push(symbolTest(symbols));
  for (const token of new Set(phrases.flatMap(tokenize))) tests.push(wordTest(token));
  return (chunk, number, segment) => tests.every((test) => test(chunk, number, segment));
}

function symbolTest(symbols: readonly string[]): ChunkTest {
  const exact = new Set<string>();
  const beginnings: string[] = [];
  for (const symbol of symbols) {
    const last = symbol.split(/[.:#]+/).findLast((part) => part !== '') ?? symbol;
    if (last.endsWith('*')) beginnings.push(collapseName(last));
    else exact.add(collapseName(last));
  }
  return ({ definitions }) =>
    definitions.some(
      ({ collapsed }) => exact.has(collapsed) || beginnings.some((beginning) => collapsed.startsWith(beginning)),
    );
}

function wordTest(token: string): ChunkTest {
  const bySegment = new WeakMap<IndexSegment, ReadonlySet<number>>();
  return (_chunk, number, segment) => {
    let numbers = bySegment.get(segment);
    if (numbers === undefined) {
      numbers = new Set(segment.lexical.postings(token).documents);
      bySegment.set(segment, numbers);
    }
    return numbers.has(number);
  };
}
