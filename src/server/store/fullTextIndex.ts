import { Index, MatchQuery, type Table } from '@lancedb/lancedb';
import type { Table as ArrowTable } from 'apache-arrow';

const COLUMN = 'searchText';
const NAME = `${COLUMN}_idx`;

/**
 * Rows from which a table has a full-text index. Smaller ones are searched by the words in memory (`MAX_CHUNKS_IN_MEMORY`
 * is higher), and what few questions come to them all the same are answered by looking at every row: the index would be a tenth of the work of indexing.
 */
export const FULL_TEXT_ROWS = 200_000;

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
  await table.createIndex(COLUMN, { config: config(), replace: true, name: NAME });
}

export type FullTextIndexState = 'none' | 'readable' | 'damaged';

/** A damaged one may still be found readable here, when its damage is in its middle. */
export async function fullTextIndexState(table: Table): Promise<FullTextIndexState> {
  try {
    return (await table.listIndices()).some(({ name }) => name === NAME) ? 'readable' : 'none';
  } catch {
    // Of all indexes, only this one is read for a list of them.
    return 'damaged';
  }
}

/** For a table of an earlier version, or one that has become much smaller; also for a damaged one. */
export function dropFullTextIndex(table: Table): Promise<void> {
  return table.dropIndex(NAME);
}

/** Rows that hold any of the tokens, best first, with their BM25 in `_score`; without an index LanceDB looks at all rows (0.5 s for 67,000 of them), in lower case and cut at punctuation. */
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
