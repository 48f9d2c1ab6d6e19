import type { FolderHit, SearchResult } from '../../protocol/server.ts';
import { passageOf } from '../searching/passageLines.ts';

const SEPARATOR = '\n\n';

export interface TokenLimits {
  /** Tokens the text may have. */
  readonly budget: number;
  readonly count: (text: string) => PromiseLike<number>;
}

/**
 * Hits as text for a language model: best first, each with path, lines, symbol and source. Hits that do not fit are named
 * by path and lines, as far as that fits, so that the model can open them.
 */
export async function renderHits(
  {
    hits,
    complete,
    degraded,
    withoutPhrases = false,
    notSearched = [],
  }: Pick<SearchResult, 'hits' | 'complete' | 'degraded' | 'withoutPhrases'> & {
    /** Folders that could not take part, each with the reason. */
    readonly notSearched?: readonly string[];
  },
  folderNames: ReadonlyMap<string, string>,
  { budget, count }: TokenLimits,
): Promise<string> {
  const notes = [
    ...(complete ? [] : ['Note: indexing is not finished, so results may be incomplete.']),
    ...(degraded === null ? [] : [`Note: only a part of the search ran (${degraded}).`]),
    ...notSearched.map((folder) => `Note: a folder was not searched. ${folder}`),
    ...(withoutPhrases ? ['Note: nothing holds the quoted text; these are the nearest hits without it.'] : []),
  ];
  if (hits.length === 0) return ['No results.', ...notes].join('\n');
  const parts = [...notes];
  let left = budget - (await count(notes.join('\n')));
  for (const [at, hit] of hits.entries()) {
    const full = `${heading(hit, folderNames)}\n${fenced(hit)}`;
    const fullTokens = await count(SEPARATOR + full);
    if (fullTokens <= left) {
      parts.push(full);
      left -= fullTokens;
      continue;
    }
    const rest = hits.slice(at).map((one) => heading(one, folderNames));
    let names = `More results, without text:\n${rest.join('\n')}`;
    while (rest.length > 0 && (await count(SEPARATOR + names)) > left) {
      rest.pop();
      names = `More results, without text:\n${rest.join('\n')}`;
    }
    if (rest.length > 0) parts.push(names);
    break;
  }
  // An empty answer would read as if nothing were there.
  return parts.length === 0 ? 'There are results, but none fits the token budget.' : parts.join(SEPARATOR);
}

function heading(hit: FolderHit, folderNames: ReadonlyMap<string, string>): string {
  const folder = folderNames.size > 1 ? `${folderNames.get(hit.folder) ?? hit.folder}/` : '';
  const symbol = hit.symbol === '' ? '' : ` (${hit.symbol})`;
  return `${folder}${hit.path}:${hit.startLine}-${hit.endLine}${symbol}`;
}

/** The hit's text in a fence longer than any run of backticks in it. */
function fenced(hit: FolderHit): string {
  const { text, startLine } = passageOf(hit);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  // The range may cover more than the text, which is its best chunk.
  const where = startLine === hit.startLine ? '' : `from line ${startLine}:\n`;
  return `${where}${fence}${hit.language}\n${text.replace(/\n$/, '')}\n${fence}`;
}
