import type { FolderHit } from '../../protocol/server.ts';
import type { IndexSegment } from '../../search/chunkIndex.ts';
import { type RankedChunk, shownScore } from '../../search/ranking.ts';
import type { SearchQuery } from '../../search/searchQuery.ts';
import { mergeTouching } from '../../search/mergeTouching.ts';
import { snippetOf } from '../../search/snippet.ts';
import type { SearchedFolder } from '../folderSearch.ts';

export interface HitRequest {
  /** The best chunks; a longer list begins with the shorter one. */
  readonly ranked: (limit: number) => readonly RankedChunk[];
  readonly limit: number;
  readonly query: SearchQuery;
  readonly explain: boolean;
  readonly passages: boolean;
  readonly ownerOf: (segment: IndexSegment) => SearchedFolder;
  /** Text of a chunk that is not in the store; undefined for all others. */
  readonly unsavedText: (chunkId: string) => string | undefined;
}

/** Chunks looked at for each hit asked for when phrases or excluded words may turn most of them away. */
const TRIES_PER_HIT = 20;

/** Reads the texts of the best chunks, drops those the query's phrases and excluded words turn away, and makes hits of the rest. */
export async function hitsOf({
  ranked,
  limit,
  query,
  explain,
  passages,
  ownerOf,
  unsavedText,
}: HitRequest): Promise<FolderHit[]> {
  const isPicky = query.phrases.length + query.withoutWords.length > 0;
  const candidates = ranked(isPicky ? limit * TRIES_PER_HIT : 2 * limit);
  const wanted = isPicky
    ? candidates
    : mergeTouching(candidates)
        .slice(0, limit)
        .flatMap(({ chunks }) => chunks);
  const texts = await readTexts(wanted, ownerOf, unsavedText);
  const passing = wanted.filter(({ chunk }) => {
    const text = texts.get(chunk.id);
    // A chunk that went since the ranking is no hit.
    return text !== undefined && passes(text, query);
  });
  const groups = mergeTouching(passing).slice(0, limit);
  return groups.flatMap(({ best, startLine, endLine }) => {
    const text = texts.get(best.chunk.id);
    if (text === undefined) return [];
    const snippet = snippetOf(text, query.terms);
    const snippetLine = best.chunk.startLine + snippet.linesBefore;
    return {
      folder: ownerOf(best.segment).folder,
      path: best.file.path,
      startLine,
      endLine,
      score: shownScore(best.score),
      scope: best.file.scope,
      language: best.file.language,
      symbol: best.chunk.symbol,
      snippet: snippet.text,
      ...(explain && { explanation: best.parts }),
      ...(passages && { passage: { startLine: best.chunk.startLine, text, snippetLine } }),
    };
  });
}

/** Texts of chunks by their ids; one that has gone is not among them. */
export async function readTexts(
  chunks: readonly RankedChunk[],
  ownerOf: HitRequest['ownerOf'],
  unsavedText: HitRequest['unsavedText'],
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const stored = chunks.filter(({ chunk }) => {
    const text = unsavedText(chunk.id);
    if (text !== undefined) texts.set(chunk.id, text);
    return text === undefined;
  });
  const byFolder = Map.groupBy(stored, ({ segment }) => ownerOf(segment));
  const read = await Promise.all(
    [...byFolder].map(([{ reader }, own]) => reader.textsById(own.map(({ chunk }) => chunk.id))),
  );
  for (const [id, text] of read.flatMap((found) => [...found])) texts.set(id, text);
  return texts;
}

function passes(text: string, { phrases, withoutWords }: SearchQuery): boolean {
  const lower = text.toLowerCase();
  return (
    phrases.every((phrase) => lower.includes(phrase.toLowerCase())) &&
    !withoutWords.some((word) => holdsWord(lower, word.toLowerCase()))
  );
}

/** Whether a text holds a word that does not go on to either side (`test` is not in `latest`). */
function holdsWord(text: string, word: string): boolean {
  const isWordChar = (char: string) => /[\p{L}\p{N}]/u.test(char);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isWordChar(text.charAt(at - 1)) && !isWordChar(text.charAt(at + word.length))) return true;
  }
  return false;
}
