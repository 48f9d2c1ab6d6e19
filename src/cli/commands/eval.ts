import type { Command } from 'commander';
import { TesseraError } from '../../base/errors.ts';
import { NO_FILTERS } from '../../protocol/hit.ts';
import { queryTokens } from '../../search/searchText.ts';
import type { ChunkReader } from '../../server/store/chunkStore.ts';
import { type CommitQuestion, commitQuestions } from '../eval/commitQuestions.ts';
import { noQuestions, readLog } from '../eval/gitLog.ts';
import { type Answered, type Measures, measure, pairedInterval } from '../eval/measures.ts';
import { countOption, folderArgument, globalOptions } from '../globalOptions.ts';
import { type Session, withSession } from '../session.ts';

interface EvalOptions {
  readonly questions: number;
  readonly json?: boolean;
}

interface Comparison {
  readonly questions: number;
  readonly search: Measures;
  readonly fullText: Measures;
}

interface EvalReport extends Comparison {
  /** Difference of NDCG@10, search minus full text, and half of its 95 % interval. */
  readonly ndcgDifference: number;
  readonly ndcgInterval: number;
  /** The same for questions that name no file: closest to real use. */
  readonly unnamed: Comparison;
  readonly model: string;
  readonly msPerQuery: number;
}

/** Commits read for the questions; most subjects say nothing useful. */
const COMMITS_PER_QUESTION = 12;
/** Chunks asked for, so that ten different files are among them. */
const HITS_PER_QUESTION = 50;

export function addEvalCommand(program: Command): void {
  program
    .command('eval')
    .description('how well search answers questions built from your own git history')
    .argument('[dir]', 'the indexed folder, in a git repository (default: this one)')
    .option('--questions <count>', 'questions at most, newest commits first', countOption, 200)
    .option('--json', 'print one JSON object')
    .action(async (dir: string | undefined, options: EvalOptions, command: Command) => {
      const folder = folderArgument(dir);
      const log = await readLog(folder, options.questions * COMMITS_PER_QUESTION);
      await withSession('tessera eval', globalOptions(command), async (session) => {
        const index = await session.openFolder(folder);
        const { reader, models } = index;
        if (reader === undefined) {
          throw new TesseraError('not-indexed', `${folder} is not indexed.`, { details: { folder } });
        }
        const files = await reader.files();
        const isIndexed = (path: string) => (files.get(path)?.chunks ?? 0) > 0;
        const questions = commitQuestions(log, isIndexed, options.questions);
        if (questions.length === 0) throw await noQuestions(folder);
        const report = await evaluate(session, folder, reader, questions, models?.code.name ?? '');
        console.log(options.json === true ? JSON.stringify(report) : reportText(report));
      });
    });
}

async function evaluate(
  { engine, signal }: Session,
  folder: string,
  reader: ChunkReader,
  questions: readonly CommitQuestion[],
  model: string,
): Promise<EvalReport> {
  const bySearch: Answered[] = [];
  const byText: Answered[] = [];
  let searchMs = 0;
  for (const [number, { query, targets }] of questions.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r${number + 1} of ${questions.length} questions`);
    // Dashes and quotes of a subject are no filters.
    const plain = query.replace(/["“”]/g, ' ').replace(/(^|\s)-(?=\S)/g, '$1');
    const { hits, tookMs, degraded } = await engine.search(
      { folders: [folder], query: plain, limit: HITS_PER_QUESTION, filters: NO_FILTERS, explain: false },
      signal,
    );
    if (degraded !== null) throw new TesseraError('embedder-failed', degraded);
    searchMs += tookMs;
    bySearch.push({ targets, results: hits.map(({ path }) => path) });
    const found = await reader.matching({ tokens: queryTokens(query), limit: HITS_PER_QUESTION, filters: NO_FILTERS });
    byText.push({ targets, results: found.map(({ path }) => path) });
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const unnamed = questions.flatMap(({ namesFile }, index) => (namesFile ? [] : [index]));
  const only = (answers: readonly Answered[]) => unnamed.flatMap((index) => answers[index] ?? []);
  const all = compare(bySearch, byText);
  return {
    ...all,
    ndcgDifference: all.search.ndcgAt10 - all.fullText.ndcgAt10,
    ndcgInterval: pairedInterval(bySearch, byText),
    unnamed: compare(only(bySearch), only(byText)),
    model,
    msPerQuery: searchMs / questions.length,
  };
}

function compare(search: readonly Answered[], fullText: readonly Answered[]): Comparison {
  return { questions: search.length, search: measure(search), fullText: measure(fullText) };
}

function reportText(report: EvalReport): string {
  const row = (name: string, { recallAt1, recallAt5, recallAt10, ndcgAt10 }: Measures) =>
    [
      name.padEnd(24),
      ...[recallAt1, recallAt5, recallAt10, ndcgAt10].map((value) => value.toFixed(3).padStart(9)),
    ].join('');
  const { unnamed } = report;
  return [
    `${report.questions} commit subjects as questions, the files they changed as answers (model ${report.model}, ${report.msPerQuery.toFixed(0)} ms a query)`,
    `${''.padEnd(24)}${['recall@1', '@5', '@10', 'NDCG@10'].map((name) => name.padStart(9)).join('')}`,
    row('search', report.search),
    row('full text alone', report.fullText),
    `difference of NDCG@10: ${signed(report.ndcgDifference)} ± ${report.ndcgInterval.toFixed(3)} (95 %)`,
    '',
    `${unnamed.questions} of them name none of the files`,
    row('search', unnamed.search),
    row('full text alone', unnamed.fullText),
    '',
    'The index holds the code after these commits, so take the numbers for comparing settings, not as such.',
  ].join('\n');
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}
