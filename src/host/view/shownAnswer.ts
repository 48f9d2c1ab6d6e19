import { l10n } from 'vscode';
import type { FolderHit } from '../../protocol/server.ts';
import type { HostToView, ViewHit } from '../../protocol/view.ts';
import { rankingPartWords } from '../searching/rankingWords.ts';
import type { SearchAnswer } from '../searching/searchService.ts';
import { fileKey, groupByFile, hitId } from '../searching/viewFiles.ts';
import { numberWords } from '../words.ts';
import { degradedSearchNotice, failureNotice, nothingFound, partialNotice, withoutPhrasesNotice } from './notices.ts';

export interface AnswerContext {
  readonly generation: number;
  /** Words to mark come from here; empty for similar code. */
  readonly query: string;
  readonly similarTo: string | null;
  /** Hits asked for; 0 when there can be no more. */
  readonly limit: number;
  readonly hasFilters: boolean;
  readonly folderNames: ReadonlyMap<string, string>;
}

/** The answer a view shows: what was sent to it, and the hits behind its rows. Kept so that a hidden view comes back as it was. */
export class ShownAnswer {
  readonly message: Extract<HostToView, { kind: 'results' }>;
  /** Nothing was found for a question while the index was still being made: worth asking again once it is done. */
  readonly isEmptyForNow: boolean;
  readonly #hits: ReadonlyMap<string, FolderHit>;

  private constructor(message: ShownAnswer['message'], hits: ReadonlyMap<string, FolderHit>, isEmptyForNow: boolean) {
    this.message = message;
    this.isEmptyForNow = isEmptyForNow;
    this.#hits = hits;
  }

  static of(answer: SearchAnswer, context: AnswerContext): ShownAnswer {
    const { generation, query, similarTo, limit, hasFilters, folderNames } = context;
    const files = groupByFile(answer.hits, { query, folderNames, describePart: rankingPartWords });
    const isEmpty = answer.hits.length === 0;
    const message = {
      kind: 'results' as const,
      generation,
      similarTo,
      files,
      hitCount: answer.hits.length,
      hasMore: limit > 0 && answer.hits.length >= limit,
      summary: summaryOf(answer.hits.length, files.length),
      notices: [
        ...(answer.degraded === null ? [] : [degradedSearchNotice(answer.degraded)]),
        ...(answer.withoutPhrases === true ? [withoutPhrasesNotice()] : []),
        ...answer.failures.map(({ error }) => failureNotice(error)),
        ...(answer.complete || isEmpty ? [] : [partialNotice()]),
      ],
      empty: isEmpty ? nothingFound(hasFilters, answer.complete) : null,
    };
    const isEmptyForNow = isEmpty && !answer.complete && similarTo === null;
    return new ShownAnswer(message, new Map(answer.hits.map((hit) => [hitId(hit), hit])), isEmptyForNow);
  }

  hit(id: string): FolderHit | undefined {
    return this.#hits.get(id);
  }

  /** What the view has for a hit. */
  viewHit(id: string): ViewHit | undefined {
    return this.message.files.flatMap((file) => file.hits).find((hit) => hit.id === id);
  }

  /** Any hit of a file. */
  hitIn(key: string): FolderHit | undefined {
    return [...this.#hits.values()].find((hit) => fileKey(hit.folder, hit.path) === key);
  }

  /** The same without hits of other folders than these, and the keys of the files that have gone; undefined when there are none. */
  within(folders: ReadonlySet<string>): { readonly answer: ShownAnswer; readonly gone: readonly string[] } | undefined {
    const hits = new Map([...this.#hits].filter(([, hit]) => folders.has(hit.folder)));
    if (hits.size === this.#hits.size) return undefined;
    const kept = new Set([...hits.values()].map((hit) => fileKey(hit.folder, hit.path)));
    const files = this.message.files.filter((file) => kept.has(file.key));
    const message = {
      ...this.message,
      files,
      hitCount: hits.size,
      summary: summaryOf(hits.size, files.length),
      empty: hits.size === 0 ? nothingFound(false, true) : null,
    };
    const gone = this.message.files.map(({ key }) => key).filter((key) => !kept.has(key));
    return { answer: new ShownAnswer(message, hits, false), gone };
  }

  /** The same with files marked that have changed since, and their keys; undefined when none of them is shown. */
  withStale(
    folder: string,
    paths: readonly string[],
  ): { readonly answer: ShownAnswer; readonly keys: readonly string[] } | undefined {
    const changed = new Set(paths.map((path) => fileKey(folder, path)));
    const keys = this.message.files.map((file) => file.key).filter((key) => changed.has(key));
    if (keys.length === 0) return undefined;
    const files = this.message.files.map((file) => (changed.has(file.key) ? { ...file, stale: true } : file));
    return { answer: new ShownAnswer({ ...this.message, files }, this.#hits, false), keys };
  }
}

function summaryOf(hits: number, files: number): string {
  if (hits === 0) return '';
  if (hits === 1) return l10n.t('1 hit in 1 file');
  if (files === 1) return l10n.t('{0} hits in 1 file', numberWords(hits));
  return l10n.t('{0} hits in {1} files', numberWords(hits), numberWords(files));
}
