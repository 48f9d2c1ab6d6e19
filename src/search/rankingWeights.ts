import type { FileFeature } from './evidence.ts';

export type RankingWeights = Readonly<Record<FileFeature, number>> & {
  /** What each further chunk of a file loses of its score, as a share, for every chunk of the file above it. */
  readonly sameFile: number;
  /** Which chunk of a file is its best. */
  readonly chunk: { readonly text: number; readonly vector: number; readonly definition: number };
};

/**
 * What each piece of evidence counts. Fitted on 1,680 commit subjects of 42 repositories that neither the benchmark nor the bundled
 * model's training has seen (`bench/retrieval/README.md`: how, and what was tried and not kept): softmax over a question's files, a
 * quarter of the way back to the weights before, one by one raised and lowered while NDCG@10 of the fitting questions rose, rounded.
 * Against the parts and weights before (NDCG@10, 95 % interval): fitting questions that name no file .516 → .540 [+.018, +.030], that
 * name one .896 → .898 [−.004, +.009]; dev split: annotations ±.000 [−.008, +.010], annotations-full +.009 [+.001, +.018], commits
 * that name no file ±.000 [−.014, +.014], that name one +.003 [−.010, +.016].
 */
export const RANKING_WEIGHTS: RankingWeights = {
  text: 0.4,
  textMore: 0.35,
  vector: 0.45,
  vectorMore: 0.3,
  coverage: 0.35,
  tested: 0.15,
  nameWords: 0,
  nameShare: 0.35,
  nameExact: 0.4,
  folderWords: 0.25,
  folderShare: 0.2,
  definition: 0.2,
  definitionWords: 0.3,
  // Enough for a word nobody else has to outweigh any nearness in meaning; for longer questions worth nothing (`wordHolders.ts`).
  rareWords: 2,
  // Not measured: a place that is named is meant, above all else; what was changed lately or is open only settles near ties.
  location: 3,
  test: -1.45,
  example: -0.55,
  docs: -1.6,
  generated: -0.45,
  compat: -0.2,
  stub: -0.5,
  data: -0.8,
  depth: -0.25,
  recent: 0.05,
  open: 0.05,
  sameFile: 0.5,
  chunk: { text: 0.6, vector: 0.9, definition: 0.4 },
};

/** For code like other code: meaning and words, and nothing about what files are called or are for. Not measured. */
export const SIMILARITY_WEIGHTS: RankingWeights = {
  ...RANKING_WEIGHTS,
  text: 0.6,
  textMore: 0,
  vector: 1,
  vectorMore: 0,
  coverage: 0,
  tested: 0,
  nameWords: 0,
  nameShare: 0,
  nameExact: 0,
  folderWords: 0,
  folderShare: 0,
  definition: 0,
  definitionWords: 0,
  rareWords: 0,
  test: 0,
  example: 0,
  docs: 0,
  generated: 0,
  compat: 0,
  stub: 0,
  data: 0,
  depth: 0,
  recent: 0,
  open: 0,
  sameFile: 0.1,
  chunk: { text: 0.6, vector: 1, definition: 0 },
};
