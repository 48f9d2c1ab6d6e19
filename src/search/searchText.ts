import { forEachToken } from './identifierTokens.ts';

/** The parts of a chunk that full-text search reads. */
export interface SearchableChunk {
  readonly text: string;
  readonly symbol: string;
  /** Names of the definitions around it, outermost first. */
  readonly enclosing: readonly string[];
  /** Names of all definitions that start in it. */
  readonly definitions: readonly string[];
}

/**
 * How often a field's words are repeated in the indexed text. With one column and BM25 this is BM25F with whole weights
 * and one length normalisation for all fields (Robertson, Zaragoza and Taylor 2004, "Simple BM25 extension to multiple weighted fields").
 */
const REPEATS = { stem: 2, folders: 1, definitions: 2, enclosing: 1 } as const;

/** What the full-text index holds for a chunk: its words, separated by single spaces, already lower-case and split. */
export function searchTextOf(path: string, chunk: SearchableChunk): string {
  const tokens: string[] = [];
  const add = (text: string, times: number) => {
    for (let time = 0; time < times; time++) forEachToken(text, (token) => tokens.push(token));
  };
  const { folders, stem } = pathFields(path);
  add(stem, REPEATS.stem);
  add(folders, REPEATS.folders);
  for (const name of new Set([chunk.symbol, ...chunk.definitions])) add(name, REPEATS.definitions);
  for (const name of chunk.enclosing) add(name, REPEATS.enclosing);
  add(chunk.text, 1);
  return tokens.join(' ');
}

/** The text a full-text query is made of: the same words the index holds, without repetitions. */
export function queryTokens(query: string): string[] {
  const tokens = new Set<string>();
  forEachToken(query, (token) => tokens.add(token));
  return [...tokens];
}

/** A path's folders and its file name without the last extension. */
export function pathFields(path: string): { readonly folders: string; readonly stem: string } {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const dot = name.lastIndexOf('.');
  return { folders: slash < 0 ? '' : path.slice(0, slash), stem: dot > 0 ? name.slice(0, dot) : name };
}
