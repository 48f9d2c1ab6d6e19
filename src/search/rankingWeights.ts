import type { FileFeature } from './evidence.ts';

export type RankingWeights = Readonly<Record<FileFeature, number>> & {
  /** What each further chunk of a file loses of its score, as a share, for every chunk of the file above it. */
  readonly sameFile: number;
};

/**
 * What each piece of evidence counts. Fitted on 2,090 commit subjects of 54 other repositories (none of the benchmark's; softmax over a
 * question's files, `bench/ablation.ts --fit`), without vectors, because the bundled model has seen such repositories; rounded.
 * Only the balance of `text`, `textMore` and `vector` was set on the dev split of the benchmark, where a grid of 144 has its
 * best values side by side (text 0.4 to 0.6, vector 0.8 to 1.1, textMore 0.5).
 *
 * NDCG@10 lost without a part on the dev split (annotations / annotations-full / commits that name no file / that do; more than
 * .005 is mostly outside the 95 % interval, which `bench/ablation.ts` prints):
 * vectors .015 .024 .084 −.013 · full text .002 .004 .018 −.016 · other chunks of the file .014 .023 .012 −.001 ·
 * file name .031 .032 −.014 .059 · folders .004 .003 .006 −.009 · definitions .010 .006 −.003 −.004 · tests .004 .035 .061 .008 ·
 * documentation .000 .077 .042 .003 · examples .000 .003 .003 .000 · data .000 .000 .010 .000 · depth .002 .000 .000 −.001 ·
 * generated, compat and stubs .000 there, and in the fit what is written here.
 * Tried and not kept: a score of the whole file's words, the second best vector (`vectorMore`), the share of the query's words found,
 * a file's size, how rare a definition's name is, powers of the shares.
 */
export const RANKING_WEIGHTS: RankingWeights = {
  text: 0.6,
  textMore: 0.5,
  vector: 0.9,
  vectorMore: 0,
  nameWords: 0,
  nameShare: 0.5,
  nameExact: 0.4,
  folderWords: 0.35,
  folderShare: 0.35,
  definition: 0.4,
  definitionWords: 0.6,
  // Not measured: a place that is named is meant, above all else; what was changed lately or is open only settles near ties.
  location: 3,
  test: -1.2,
  example: -0.65,
  docs: -1.2,
  generated: -0.45,
  compat: -0.35,
  stub: -0.25,
  data: -0.9,
  depth: -0.4,
  recent: 0.05,
  open: 0.05,
  sameFile: 0.5,
};

/** For code like other code: meaning and words, and nothing about what files are called or are for. */
export const SIMILARITY_WEIGHTS: RankingWeights = {
  ...RANKING_WEIGHTS,
  text: 0.6,
  textMore: 0,
  vector: 1,
  vectorMore: 0,
  nameWords: 0,
  nameShare: 0,
  nameExact: 0,
  folderWords: 0,
  folderShare: 0,
  definition: 0,
  definitionWords: 0,
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
