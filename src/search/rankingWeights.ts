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
 *
 * NDCG@10 lost without a part (dev split: annotations, annotations-full, commits that name no file, that name one; fitting questions
 * that name no file, that name one; `bench/ablation.ts` prints the intervals):
 * vectors .019 .029 .048 −.018 .030 .008 · full text −.003 .000 .008 −.005 .014 .002 · other chunks of the file .010 .027 .015 −.019 .018 .001 ·
 * words anywhere in the file .000 .006 .003 −.006 .014 −.002 · file name .031 .029 −.022 .071 −.020 .058 · folders .003 −.001 .005 −.009 .000 .001 ·
 * definitions .001 .005 .001 .001 .000 .003 · tests .004 .038 .056 .010 .045 .014 · documentation .000 .081 .034 .003 .045 .018 ·
 * data .000 .003 .011 .000 .011 .001 · depth .000 .001 .004 −.004 .003 .001 · generated, examples and stubs .000 to .002 ·
 * its tests .000 to .001, compat .000: within chance.
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
  // By chunks, dev annotations: 0.5 .9172, 0.65 .9182; by files .9195.
  sameFile: 0.65,
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
