import type { FileFeature } from './evidence.ts';

export type RankingWeights = Readonly<Record<FileFeature, number>> & {
  /** What each further chunk of a file loses of its score, as a share, for every chunk of the file above it. */
  readonly sameFile: number;
};

/**
 * What each piece of evidence counts. Fitted on 1,680 commit subjects of 42 repositories that neither the benchmark nor the bundled
 * model's training has seen (`bench/retrieval/README.md`: how, and what was tried and not kept); then a quarter of the way back
 * to the weights before, which knew the dev split's questions better, and rounded. That step was chosen on both.
 * Against those weights (NDCG@10): fitting questions that name no file .516 → .538 [+.016, +.028], that name one −.003 [−.010, +.004];
 * dev split: annotations −.002 [−.010, +.006], annotations-full +.007 [−.001, +.015], commits −.002 [−.017, +.014] and −.002 [−.016, +.012].
 */
export const RANKING_WEIGHTS: RankingWeights = {
  text: 0.5,
  textMore: 0.35,
  vector: 0.5,
  vectorMore: 0.3,
  coverage: 0.3,
  tested: 0.15,
  nameWords: 0,
  nameShare: 0.35,
  nameExact: 0.4,
  folderWords: 0.35,
  folderShare: 0.2,
  definition: 0.25,
  definitionWords: 0.35,
  // Enough for a word nobody else has to outweigh any nearness in meaning; for longer questions worth nothing (`wordHolders.ts`).
  rareWords: 2,
  // Not measured: a place that is named is meant, above all else; what was changed lately or is open only settles near ties.
  location: 3,
  test: -1.1,
  example: -0.55,
  docs: -1.2,
  generated: -0.45,
  compat: -0.2,
  stub: -0.4,
  data: -0.8,
  depth: -0.25,
  recent: 0.05,
  open: 0.05,
  sameFile: 0.5,
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
};
