import { pathTraits } from '../../search/pathTraits.ts';

/** A commit's subject as a question, and the files it changed as the answers. */
export interface CommitQuestion {
  readonly query: string;
  /** Relative to the searched folder. */
  readonly targets: readonly string[];
  /** Whether the subject names one of the files: those are easier, and people rarely know the name. */
  readonly namesFile: boolean;
}

/** What `git log` is asked to print: a record separator, the subject, then one changed path a line. */
export const LOG_FORMAT = '%x1e%s';

const MAX_TARGETS = 4;
const MIN_LETTERS = 12;
const MAX_LETTERS = 140;

/** Subjects that describe work on the repository rather than code. */
const CHORES =
  /^(?:merge|revert|bump|release|prepare|version|v?\d+\.\d+|update (?:dependenc|changelog|version|readme|copyright)|\[ci|(?:ci|docs?|build|chore|style|test|tests)(?:\([^)]*\))?!?:|fixup!|squash!|wip\b)|changelog|dependabot|pre-commit|\btypos?\b|copyright|lint/i;
/** `feat(parser): `, ` (#123)`: not words anybody searches for. */
const PREFIX = /^(?:feat|fix|perf|refactor)(?:\([^)]*\))?!?:\s*/i;
const REFERENCE = /\s*\(?(?:[A-Z]+-\d+|(?:gh-|pr )?#\d+)\)?:?\s*/gi;

/** Questions from a log, newest commit first; each subject once. `isIndexed` says which paths can be found at all. */
export function commitQuestions(log: string, isIndexed: (path: string) => boolean, limit: number): CommitQuestion[] {
  const questions = new Map<string, CommitQuestion>();
  for (const record of log.split('\x1e')) {
    if (questions.size >= limit) break;
    const [subject = '', ...paths] = record.split('\n').filter((line) => line !== '');
    if (CHORES.test(subject)) continue;
    const query = commitSubject(subject);
    if (query.length < MIN_LETTERS || query.length > MAX_LETTERS || !query.includes(' ')) continue;
    const targets = paths.filter((path) => isIndexed(path) && !isBeside(path));
    if (targets.length === 0 || targets.length > MAX_TARGETS) continue;
    const key = query.toLowerCase();
    if (!questions.has(key))
      questions.set(key, { query, targets, namesFile: targets.some((path) => names(key, path)) });
  }
  return [...questions.values()];
}

/** A commit's subject without what nobody would search for. */
export function commitSubject(subject: string): string {
  return subject.replace(PREFIX, '').replace(REFERENCE, ' ').trim();
}

/** Files that change along with the code a commit is about. */
function isBeside(path: string): boolean {
  return pathTraits(path).size > 0;
}

function names(query: string, path: string): boolean {
  const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const name = path.slice(path.lastIndexOf('/') + 1);
  const stem = bare(name.replace(/\.[^.]*$/, ''));
  return stem.length > 2 && bare(query).includes(stem);
}
