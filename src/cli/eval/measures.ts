/** How well a ranking of files answers a set of questions: means over the questions, 0 to 1. */
export interface Measures {
  /** Share of a question's files among the first 1, 5 and 10 files. */
  readonly recallAt1: number;
  readonly recallAt5: number;
  readonly recallAt10: number;
  /** Binary gain, first ten files. */
  readonly ndcgAt10: number;
}

export interface Answered {
  readonly targets: readonly string[];
  /** Paths, best first; a path may come again. */
  readonly results: readonly string[];
}

export function measure(answers: readonly Answered[]): Measures {
  return {
    recallAt1: meanOf(answers, (answer) => recall(answer, 1)),
    recallAt5: meanOf(answers, (answer) => recall(answer, 5)),
    recallAt10: meanOf(answers, (answer) => recall(answer, 10)),
    ndcgAt10: meanOf(answers, ndcgAt10),
  };
}

/** Half the width of a 95 % interval of the mean difference of two rankings of the same questions (normal approximation). */
export function pairedInterval(left: readonly Answered[], right: readonly Answered[]): number {
  const differences = left.map((answer, index) => {
    const other = right[index];
    return ndcgAt10(answer) - (other === undefined ? 0 : ndcgAt10(other));
  });
  if (differences.length < 2) return 0;
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (differences.length - 1);
  return 1.96 * Math.sqrt(variance / differences.length);
}

export function ndcgAt10({ targets, results }: Answered): number {
  const files = [...new Set(results)].slice(0, 10);
  const gain = (rank: number) => 1 / Math.log2(rank + 2);
  let found = 0;
  files.forEach((file, rank) => {
    if (targets.includes(file)) found += gain(rank);
  });
  let ideal = 0;
  for (let rank = 0; rank < Math.min(10, targets.length); rank++) ideal += gain(rank);
  return ideal === 0 ? 0 : found / ideal;
}

function recall({ targets, results }: Answered, count: number): number {
  const files = new Set([...new Set(results)].slice(0, count));
  return targets.filter((target) => files.has(target)).length / targets.length;
}

function meanOf(answers: readonly Answered[], value: (answer: Answered) => number): number {
  return answers.length === 0 ? 0 : answers.reduce((sum, answer) => sum + value(answer), 0) / answers.length;
}
