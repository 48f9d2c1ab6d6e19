import { collectEvidence, type FileEvidence } from '../../src/search/evidence.ts';
import { parseQuery } from '../../src/search/searchQuery.ts';
import type { ChunkIndex } from '../../src/search/chunkIndex.ts';
import { resolveLanguage } from '../../src/indexing/languages.ts';
import type { Corpora } from './corpus.ts';
import type { Question, QuestionSet } from './questions.ts';

/** A question with everything the ranking sees of its candidates. */
export interface Observation {
  readonly set: string;
  readonly repository: string;
  readonly root: string;
  readonly question: Question;
  readonly evidence: readonly FileEvidence[];
}

/** Evidence for every question, folder by folder, so that one folder's index is in memory at a time. */
export async function* observe(
  corpora: Corpora,
  sets: readonly QuestionSet[],
  withVectors = true,
): AsyncGenerator<Observation> {
  for (const { set, repository, folder, root, cuts, questions } of sets) {
    const index = await corpora.index(folder, cuts);
    const vectors = await corpora.embedQueries(questions.map(({ query }) => query));
    for (const [number, question] of questions.entries()) {
      const evidence = evidenceFor(index, question.query, withVectors ? (vectors[number] ?? null) : null);
      yield { set, repository, root, question, evidence };
    }
  }
}

export function evidenceFor(index: ChunkIndex, query: string, vector: Float32Array | null): FileEvidence[] {
  return collectEvidence({
    index,
    query: parseQuery(query, resolveLanguage),
    vectors: { code: vector, docs: null },
    acceptsFile: () => true,
    acceptsChunk: () => true,
    recencyOf: () => 0,
    openPaths: [],
  });
}
