import { FILE_FEATURES } from '../../src/search/evidence.ts';
import type { Corpora } from './corpus.ts';
import type { FeatureTable } from './linearFit.ts';
import { type Observation, observe } from './observations.ts';
import type { QuestionSet } from './questions.ts';

/** What the ranking sees of every question, as numbers. */
export async function featureTables(corpora: Corpora, sets: readonly QuestionSet[]): Promise<FeatureTable[]> {
  const tables: FeatureTable[] = [];
  for await (const observation of observe(corpora, sets)) tables.push(tableOf(observation));
  return tables;
}

function tableOf({ set, repository, root, question, evidence }: Observation): FeatureTable {
  const width = FILE_FEATURES.length;
  const features = new Float32Array(evidence.length * width);
  const relevant = new Uint32Array(evidence.length);
  evidence.forEach(({ entry, features: own }, file) => {
    FILE_FEATURES.forEach((feature, at) => (features[file * width + at] = own[feature]));
    const full = root === '' ? entry.path : `${root}/${entry.path}`;
    question.targets.forEach((target, bit) => {
      if (full === target.path || full.endsWith(`/${target.path}`)) {
        relevant[file] = (relevant[file] ?? 0) | (1 << Math.min(bit, 30));
      }
    });
  });
  const { category, targets } = question;
  return { set, repository, category, files: evidence.length, features, relevant, targets: targets.length };
}
