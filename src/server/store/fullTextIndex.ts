import { Index, MatchQuery, type Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';

const COLUMN = 'searchText';

/** Options that leave our tokens as they are. */
const config = () =>
  Index.fts({
    // Positions double the index and break `optimize` in some versions; phrases are not asked for.
    withPosition: false,
    baseTokenizer: 'whitespace',
    maxTokenLength: 256,
    lowercase: false,
    stem: false,
    removeStopWords: false,
    asciiFolding: false,
  });

/** Makes the table's full-text index, in place of one that is there. */
export async function createFullTextIndex(table: Table): Promise<void> {
  await table.createIndex(COLUMN, { config: config(), replace: true });
}

/** Rows that hold any of the tokens, best first, with their BM25 in `_score`. */
export function matchTokens(
  table: Table,
  query: {
    readonly tokens: readonly string[];
    readonly columns: readonly string[];
    readonly limit: number;
    readonly where?: string | undefined;
  },
): Promise<ArrowTable> {
  const search = table
    .query()
    .fullTextSearch(new MatchQuery(query.tokens.join(' '), COLUMN))
    .select([...query.columns, '_score'])
    .limit(query.limit);
  return (query.where === undefined ? search : search.where(query.where)).toArrow();
}
