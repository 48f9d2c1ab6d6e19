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
 * Then names spelled out, the query's beginning and more kinds of generated files were added, a file's tests left out, and the weights
 * fitted once more in the last way. Against that before (NDCG@10, 95 % interval): fitting questions that name no file .540 → .550
 * [+.006, +.015], that name one .898 → .901 [−.004, +.010]; dev split: annotations −.001 [−.005, +.002], annotations-full +.001
 * [−.004, +.006], commits that name no file +.016 [+.001, +.032], that name one ±.000 [−.010, +.010].
 *
 * NDCG@10 lost without a part (dev split: annotations, annotations-full, commits that name no file, that name one; fitting questions
 * that name no file, that name one; `bench/ablation.ts` prints the intervals):
 * vectors .015 .023 .053 −.014 .029 .012 · full text −.005 −.003 .000 −.010 .012 .003 · other chunks of the file .007 .023 .016 −.019 .017 .006 ·
 * words anywhere in the file .001 .006 .006 −.006 .012 .001 · names spelled out .000 .000 .009 .003 .005 −.003 · file name .036 .034 −.023 .069
 * −.018 .058 · folders .003 .002 .002 −.008 .000 .003 · what the query begins with .001 .000 .004 −.001 .000 .002 · definitions .004 .010 −.023 −.005
 * .000 .008 · tests .003 .043 .054 .009 .049 .019 · documentation .000 .084 .038 .004 .051 .024 · data .000 .003 .010 .000 .012 .001 · depth .001
 * .002 .003 −.003 .003 .002 · generated .000 .001 .003 .002 .004 .002 · examples and stubs .000 to .002 · compat .000: within chance.
 */
export const RANKING_WEIGHTS: RankingWeights = {
  text: 0.4,
  textMore: 0.44,
  vector: 0.45,
  vectorMore: 0.24,
  coverage: 0.35,
  writtenNames: 0.3,
  nameWords: 0,
  nameShare: 0.35,
  nameExact: 0.4,
  folderWords: 0.25,
  folderShare: 0.2,
  lead: 0.25,
  definition: 0.2,
  definitionWords: 0.3,
  // Enough for a word nobody else has to outweigh any nearness in meaning; for longer questions worth nothing (`wordHolders.ts`).
  rareWords: 2,
  // First hit holds the line named (`bench/retrieval/signals.ts`, 406 frames of a trace, 406 `file.ext:line`): 0 .131 .153, 1 .882 .828, 2 .990 .968, 3 .995 .985.
  location: 3,
  test: -1.45,
  example: -0.55,
  docs: -1.6,
  generated: -0.8,
  compat: -0.2,
  stub: -0.5,
  data: -0.8,
  depth: -0.25,
  // Fitting questions that name no file, that name one, against 0; recent: what the commits before changed, open: the author's commit of the day.
  // Recent 0.05 +.003 −.001, 0.1 +.007 [+.004, +.010] ±.000, 0.2 +.010 −.003, 0.3 +.015 −.005, 0.5 +.019 −.008. Open 0.1 +.003 ±.000,
  // 0.2 +.005 [+.003, +.008] ±.000, 0.3 +.008 ±.000, 0.5 +.013 +.002. Both stay low: who changes code asks where it changed last, who reads it need not.
  recent: 0.1,
  open: 0.2,
  // By chunks, dev annotations: 0.5 .9172, 0.65 .9182; by files .9195.
  sameFile: 0.65,
  chunk: { text: 0.6, vector: 0.9, definition: 0.4 },
};

/**
 * For code like other code: meaning and words, and nothing about what files are called or are for. 510 chunks of files changed by a commit, its other
 * files the answers (`bench/retrieval/signals.ts`): NDCG@10 .279; text 0 −.010 [−.021, +.000], 0.3 −.007 [−.015, −.001], 1 +.006 [−.001, +.012];
 * vector 0 +.004 [−.013, +.021]. Files that change together share words more than meaning; both stay.
 */
export const SIMILARITY_WEIGHTS: RankingWeights = {
  ...RANKING_WEIGHTS,
  text: 0.6,
  textMore: 0,
  vector: 1,
  vectorMore: 0,
  coverage: 0,
  writtenNames: 0,
  nameWords: 0,
  nameShare: 0,
  nameExact: 0,
  folderWords: 0,
  folderShare: 0,
  lead: 0,
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
