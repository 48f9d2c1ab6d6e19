import type { ChunkEntry, FileEntry, IndexSegment } from './chunkIndex.ts';
import { PATH_TRAITS, type PathTrait } from './pathTraits.ts';
import type { TermStatistics } from './textScores.ts';

/** A word that at most so many files hold is what sets them apart. */
const FEW_FILES = 2;

type AcceptsFile = (file: number, segment: IndexSegment) => boolean;

interface Word {
  /** How telling it is: its weight in the query times its rarity. */
  readonly weight: number;
  /** Files and chunks that hold it; not all of them where both other fields say nothing. */
  readonly holders: ReadonlySet<FileEntry | ChunkEntry>;
  readonly isRare: boolean;
  /** Traits that every file which holds it has. */
  readonly traits: ReadonlySet<PathTrait>;
}

/** Which files hold the whole words of a query, anywhere in them. */
export class WordHolders {
  readonly #words: readonly Word[];
  readonly #rareWords: readonly Word[];
  readonly #total: number;
  /** @param words each as one token, that occur in the folder at all */
  constructor(words: readonly TermStatistics[], segments: readonly IndexSegment[], accepts: AcceptsFile) {
    this.#words = words.map((word) => wordOf(word, segments, accepts));
    this.#rareWords = this.#words.filter(({ isRare }) => isRare);
    this.#total = Math.max(
      1e-9,
      this.#words.reduce((sum, { weight }) => sum + weight, 0),
    );
  }

  /** How far the query is about words that this file or chunk holds and at most one other file, 0 to 1. */
  rareShare(holder: FileEntry | ChunkEntry): number {
    return this.#rareWords.length === 0 ? 0 : this.#mostOf((word) => word.isRare && word.holders.has(holder));
  }

  /** How far the query is about words that this file holds and that only files of this kind hold, 0 to 1. */
  shareOnlyIn(trait: PathTrait, file: FileEntry): number {
    return this.#mostOf((word) => word.traits.has(trait) && word.holders.has(file));
  }

  /** One odd word of a sentence says little: the share counts from MOST on. */
  #mostOf(counts: (word: Word) => boolean): number {
    let sum = 0;
    for (const word of this.#words) if (counts(word)) sum += word.weight;
    return Math.max(0, (sum / this.#total - MOST) / (1 - MOST));
  }
}

/** Dev split with a weight of 2 for rare words, from 0.5 / 0.7 / 0.8 on: annotations −.004 / −.002 / −.001, commits that name no file −.003 / 0 / 0. */
const MOST = 0.8;

/** How much of some words' weight the files hold, in whichever of their chunks. */
export class WordCoverage {
  readonly #total: number;
  readonly #held: ReadonlyMap<IndexSegment, Float32Array>;

  /** @param words each as one token, that occur in the folder at all */
  constructor(words: readonly TermStatistics[], segments: readonly IndexSegment[]) {
    this.#total = Math.max(
      1e-9,
      words.reduce((sum, { weight, idf }) => sum + weight * idf, 0),
    );
    this.#held = new Map(segments.map((segment) => [segment, heldWeights(words, segment)]));
  }

  /** 0 to 1; 0 without any words. */
  of(file: number, segment: IndexSegment): number {
    return (this.#held.get(segment)?.[file] ?? 0) / this.#total;
  }
}

function heldWeights(words: readonly TermStatistics[], { lexical, files }: IndexSegment): Float32Array {
  const held = new Float32Array(files.length);
  for (const { token, weight, idf } of words) {
    let last = -1;
    // Chunks ascend, so that a file's follow each other.
    for (const chunk of lexical.postings(token).documents) {
      const file = lexical.files[chunk] ?? 0;
      if (file === last) continue;
      last = file;
      held[file] = (held[file] ?? 0) + weight * idf;
    }
  }
  return held;
}

function wordOf({ token, weight, idf }: TermStatistics, segments: readonly IndexSegment[], accepts: AcceptsFile): Word {
  const holders = new Set<FileEntry | ChunkEntry>();
  const traits = new Set<PathTrait>(PATH_TRAITS);
  let files = 0;
  for (const segment of segments) {
    for (const number of segment.lexical.postings(token).documents) {
      const fileNumber = segment.lexical.files[number] ?? 0;
      const file = segment.files[fileNumber];
      const chunk = segment.chunks[number];
      if (file === undefined || chunk === undefined || !accepts(fileNumber, segment)) continue;
      holders.add(chunk);
      if (holders.has(file)) continue;
      holders.add(file);
      files++;
      for (const trait of traits) if (!file.traits.has(trait)) traits.delete(trait);
      // Most words end here after a few files: nothing more can be learnt from them.
      if (traits.size === 0 && files > FEW_FILES) return { weight: weight * idf, holders, isRare: false, traits };
    }
  }
  return { weight: weight * idf, holders, isRare: files <= FEW_FILES, traits };
}
