import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Lines of a file that hold the question itself (its doc comment) and are taken out before indexing; both ends included, from 1. */
export interface Cut {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

export interface Question {
  readonly id: string;
  readonly query: string;
  readonly category: string;
  /** Paths as the question's author gave them: a hit counts when its path ends with one. Lines when only they count. */
  readonly targets: readonly { readonly path: string; readonly startLine?: number; readonly endLine?: number }[];
}

/** Questions about one folder. */
export interface QuestionSet {
  /** `annotations`, `annotations-full`, `commits`, or a name of one's own. */
  readonly set: string;
  readonly repository: string;
  readonly folder: string;
  /** What targets' paths begin with before the folder's own paths. */
  readonly root: string;
  readonly cuts: readonly Cut[];
  readonly questions: readonly Question[];
}

interface BenchRepository {
  readonly name: string;
  readonly benchmark_root?: string;
  readonly exact: boolean;
  readonly commitsOnly?: boolean;
}

interface Annotation {
  readonly query: string;
  readonly category?: string;
  readonly relevant: readonly (string | BenchTarget)[];
  readonly secondary?: readonly (string | BenchTarget)[];
}

interface BenchTarget {
  readonly path: string;
  readonly start_line?: number;
  readonly end_line?: number;
}

interface CommitQueries {
  readonly queries: readonly {
    readonly query: string;
    readonly relevant: readonly string[];
    readonly names_file: boolean;
  }[];
}

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** The benchmark's three sets as its own scripts read them. `checkouts` holds a folder for each repository. */
export function benchmarkSets(bench: string, checkouts: string): QuestionSet[] {
  const repositories = read(path.join(bench, 'repos.json')) as readonly BenchRepository[];
  return repositories.flatMap((repository) => {
    const { name } = repository;
    const sets: QuestionSet[] = [];
    const tree = path.join(checkouts, name);
    if (repository.commitsOnly !== true) {
      const annotations = read(path.join(bench, 'annotations', `${name}.json`)) as readonly Annotation[];
      const questions = annotations.map((annotation, index) => annotationQuestion(`${name}:${index}`, annotation));
      const root = repository.benchmark_root ?? '';
      sets.push({ set: 'annotations', repository: name, folder: path.join(tree, root), root, cuts: [], questions });
      if (repository.exact) {
        sets.push({ set: 'annotations-full', repository: name, folder: tree, root: '', cuts: [], questions });
      }
    }
    const commits = path.join(bench, 'commits', `${name}.json`);
    if (existsSync(commits)) {
      const { queries } = read(commits) as CommitQueries;
      const questions = queries.map(({ query, relevant, names_file: namesFile }, index) => ({
        id: `${name}:${index}`,
        query,
        category: namesFile ? 'commit-names-file' : 'commit-unnamed',
        targets: relevant.map((target) => ({ path: target })),
      }));
      sets.push({ set: 'commits', repository: name, folder: tree, root: '', cuts: [], questions });
    }
    return sets;
  });
}

function annotationQuestion(id: string, { query, category, relevant, secondary = [] }: Annotation): Question {
  const guessed = !query.trim().includes(' ')
    ? 'symbol'
    : query.toLowerCase().startsWith('how ')
      ? 'architecture'
      : 'semantic';
  return {
    id,
    query,
    category: category ?? guessed,
    targets: [...relevant, ...secondary].map((target) =>
      typeof target === 'string'
        ? { path: target }
        : {
            path: target.path,
            ...(target.start_line !== undefined && { startLine: target.start_line }),
            ...(target.end_line !== undefined && { endLine: target.end_line }),
          },
    ),
  };
}

/** Question sets kept in a file as they are. */
export function questionSetsIn(file: string): QuestionSet[] {
  return read(file) as QuestionSet[];
}
