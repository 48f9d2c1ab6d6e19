import { setTimeout as sleep } from 'node:timers/promises';
import type { IndexSegment } from '../../search/chunkIndex.ts';

/** Searches of a rehearsal. */
const SEARCHES = 12;
/** A plain word, which is no filter and no phrase. */
const PLAIN = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** What is rehearsed, and when. */
export interface RehearsalPace {
  /** An index with fewer chunks is quick from the first search on. */
  readonly minChunks: number;
  /** Without a search of a person's before each of its own. */
  readonly restMs: number;
}

export const REHEARSAL_PACE: RehearsalPace = { minChunks: 1_000, restMs: 500 };

/**
 * Searches nobody asked for, made once an index is in memory, so that the first keys somebody types find compiled code and names taken
 * apart: over 54,900 chunks the first of them took four times as long as the same keys later. It gives way to whoever searches.
 */
export class Rehearsal {
  readonly #pace: RehearsalPace;
  #askedAt = -Infinity;
  /** Chunks of the index when it was last rehearsed. */
  readonly #rehearsed = new WeakMap<object, number>();

  constructor(pace: RehearsalPace) {
    this.#pace = pace;
  }

  /** Somebody searches. */
  noteSearch(): void {
    this.#askedAt = performance.now();
  }

  /** Whether an index has become worth a rehearsal, said once; again when it has doubled since. */
  isDue(index: { readonly chunkCount: number }): boolean {
    if (index.chunkCount < Math.max(this.#pace.minChunks, 2 * (this.#rehearsed.get(index) ?? 0))) return false;
    this.#rehearsed.set(index, index.chunkCount);
    return true;
  }

  /** Searches for names from all over the index, one after the other. Rejects when `signal` says so, or as `search` does. */
  async run(
    segments: readonly IndexSegment[],
    search: (word: string) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    for (const word of rehearsedWords(segments)) {
      do await sleep(this.#pace.restMs, undefined, { signal, ref: false });
      while (performance.now() - this.#askedAt < this.#pace.restMs);
      await search(word);
    }
  }
}

/** Names of definitions, as far apart as can be. */
export function rehearsedWords(segments: readonly IndexSegment[], count = SEARCHES): string[] {
  const words = new Set<string>();
  const chunks = segments.flatMap((segment) => segment.chunks);
  const step = Math.max(1, Math.floor(chunks.length / count));
  for (let from = 0; from < chunks.length && words.size < count; from += step) {
    for (const { names } of chunks.slice(from, from + step)) {
      const word = names.find((name) => PLAIN.test(name));
      if (word === undefined) continue;
      words.add(word);
      break;
    }
  }
  return [...words];
}
