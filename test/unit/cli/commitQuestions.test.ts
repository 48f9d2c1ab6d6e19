import { describe, expect, test } from 'vitest';
import { commitQuestions } from '../../../src/cli/eval/commitQuestions.ts';
import { measure, ndcgAt10, pairedInterval } from '../../../src/cli/eval/measures.ts';

const log = (...commits: readonly (readonly [subject: string, ...paths: string[]])[]) =>
  commits.map(([subject, ...paths]) => `\x1e${subject}\n\n${paths.join('\n')}\n`).join('');
const questions = (text: string, limit = 10) => commitQuestions(text, (path) => path !== 'gone.ts', limit);

describe('questions from a history', () => {
  test('are subjects without prefixes and references, answered by the files changed', () => {
    expect(questions(log(['fix(net): retry when the server closes early (#12)', 'src/client.ts', 'gone.ts']))).toEqual([
      { query: 'retry when the server closes early', targets: ['src/client.ts'], namesFile: false },
    ]);
  });

  test('leave out chores, short subjects and wide changes', () => {
    const wide = Array.from({ length: 9 }, (_, number) => `src/f${number}.ts`);
    expect(
      questions(
        log(
          ['Merge branch main', 'src/a.ts'],
          ['Bump version to 2', 'src/a.ts'],
          ['docs: explain the flags in detail', 'src/a.ts'],
          ['fix', 'src/a.ts'],
          ['rename everything that can be renamed', ...wide],
          ['add a test for the parser', 'test/parser.test.ts'],
        ),
      ),
    ).toEqual([]);
  });

  test('say whether the subject names a file', () => {
    const [question] = questions(log(['Make HttpClient close its sockets', 'src/http_client.ts']));
    expect(question?.namesFile).toBe(true);
  });

  test('come once each, and no more than asked for', () => {
    const twice = log(
      ['handle empty input well', 'a.ts'],
      ['Handle empty input well', 'b.ts'],
      ['parse dates too well', 'c.ts'],
    );
    expect(questions(twice)).toHaveLength(2);
    expect(questions(twice, 1)).toHaveLength(1);
  });
});

describe('measures', () => {
  test('count each file once, at its first place', () => {
    const answer = { targets: ['b', 'd'], results: ['a', 'a', 'b', 'c', 'b', 'd'] };
    expect(measure([answer])).toMatchObject({ recallAt1: 0, recallAt5: 1, recallAt10: 1 });
    expect(ndcgAt10(answer)).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3)), 6);
  });

  test('are perfect and nothing at the ends', () => {
    expect(ndcgAt10({ targets: ['a'], results: ['a'] })).toBe(1);
    expect(ndcgAt10({ targets: ['a'], results: ['b'] })).toBe(0);
    expect(measure([])).toMatchObject({ ndcgAt10: 0 });
  });

  test('have no interval where two rankings agree', () => {
    const answers = [
      { targets: ['a'], results: ['a'] },
      { targets: ['a'], results: ['b', 'a'] },
    ];
    expect(pairedInterval(answers, answers)).toBe(0);
  });
});
