import type { SearchResult } from '../protocol/server.ts';

/** Says on stderr why an answer may be less than it could be: the model was not used, or the index is not finished. */
export function sayWhatIsMissing({
  degraded,
  complete,
  withoutPhrases = false,
}: Pick<SearchResult, 'degraded' | 'complete' | 'withoutPhrases'>): void {
  if (degraded !== null) process.stderr.write(`tessera: ${degraded}\n`);
  if (withoutPhrases)
    process.stderr.write('tessera: Nothing holds the quoted text; these are the nearest hits without it.\n');
  if (complete) return;
  process.stderr.write('tessera: The index is not finished: run `tessera index` on the folder to search all of it.\n');
}
