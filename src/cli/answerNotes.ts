import type { SearchResult } from '../protocol/server.ts';

type Answer = Pick<SearchResult, 'degraded' | 'complete' | 'withoutPhrases'>;

/** Says on stderr why an answer may be less than it could be: the model was not used, or the index is not finished. */
export function sayWhatIsMissing(answer: Answer): void {
  answerNotes()(answer);
}

/** The same for many answers, of which each reason is said once; not that of a single query. */
export function answerNotes(): (answer: Answer) => void {
  const said = new Set<string>();
  const sayOnce = (text: string) => {
    if (!said.has(text)) process.stderr.write(`tessera: ${text}\n`);
    said.add(text);
  };
  return ({ degraded, complete, withoutPhrases = false }) => {
    if (degraded !== null) sayOnce(degraded);
    if (withoutPhrases)
      process.stderr.write('tessera: Nothing holds the quoted text; these are the nearest hits without it.\n');
    if (!complete) sayOnce('The index is not finished: run `tessera index` on the folder to search all of it.');
  };
}
