/**
 * The questions the ranking's weights are fitted on: subjects of commits, and the code files they changed, of the repositories in
 * `fitRepositories.json`. As in the benchmark, the folder is searched as it was before those commits.
 *
 * `node bench/retrieval/fitQuestions.ts --clones DIR --out DIR [--questions 40]`, then `bench/ablation.ts … --fit OUT/questions.json`
 *
 * CLONES holds a clone `OWNER+NAME` (or a bare one `OWNER+NAME/repo`) of each; one that is missing is an error, because weights
 * fitted on other questions are other weights. No repository of the list is in the benchmark or has trained the bundled model,
 * so that vectors are no better there than on anybody's code.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { LOG_FORMAT, commitQuestions } from '../../src/cli/eval/commitQuestions.ts';
import { languageOf } from '../../src/indexing/languages.ts';
import type { QuestionSet } from './questions.ts';

interface FitRepository {
  readonly repository: string;
  /** Newest commit whose history is read. */
  readonly head: string;
  readonly licence: string;
}

/** Commits of the main line that are tried as the folder's state, counted from the newest: the first that leaves enough questions. */
const DEPTHS = [50, 100, 200, 400, 800, 1600, 3200];

const { values } = parseArgs({
  options: {
    clones: { type: 'string' },
    out: { type: 'string' },
    questions: { type: 'string', default: '40' },
  },
});
if (values.clones === undefined || values.out === undefined) {
  console.error('usage: fitQuestions.ts --clones DIR --out DIR [--questions 40]');
  process.exit(2);
}
const { clones } = values;
const out = path.resolve(values.out);
const wanted = Number(values.questions);
const list = path.join(import.meta.dirname, 'fitRepositories.json');
const repositories = JSON.parse(readFileSync(list, 'utf8')) as readonly FitRepository[];

const sets: QuestionSet[] = [];
for (const each of repositories) {
  const set = await questionSet(each);
  const unnamed = set.questions.filter(({ category }) => category === 'commit-unnamed').length;
  console.log(`${each.repository.padEnd(32)}${set.questions.length} questions, ${unnamed} name no file`);
  sets.push(set);
}
await mkdir(out, { recursive: true });
await writeFile(path.join(out, 'questions.json'), JSON.stringify(sets));
console.log(
  `${sets.reduce((sum, { questions }) => sum + questions.length, 0)} questions of ${sets.length} repositories`,
);

async function questionSet({ repository, head }: FitRepository): Promise<QuestionSet> {
  const name = repository.replace('/', '+');
  const gitDir = [path.join(clones, name, 'repo'), path.join(clones, name, '.git'), path.join(clones, name)].find(
    (dir) => existsSync(path.join(dir, 'HEAD')),
  );
  if (gitDir === undefined) throw new Error(`${clones} has no clone ${name}.`);
  const git = (args: readonly string[], env = {}) => runGit(gitDir, args, env);
  const mainLine = (await git(['rev-list', '--first-parent', head])).trim().split('\n');
  for (const depth of DEPTHS) {
    const base = mainLine[Math.min(depth, mainLine.length - 1)] ?? head;
    const isLast = depth >= mainLine.length - 1 || depth === DEPTHS.at(-1);
    const tree = new Set((await git(['ls-tree', '-r', '-z', '--name-only', base])).split('\0'));
    const isCode = (file: string) => {
      const { id, scope } = languageOf(file);
      return tree.has(file) && scope === 'code' && id !== 'plaintext';
    };
    const log = await git([
      ...[
        '-c',
        'core.quotePath=off',
        'log',
        '--no-merges',
        '--reverse',
        '--no-renames',
        '--diff-filter=M',
        '--name-only',
      ],
      ...[`--format=${LOG_FORMAT}`, `${base}..${head}`],
    ]);
    const found = commitQuestions(log, isCode, wanted);
    if (found.length < wanted && !isLast) continue;
    const folder = path.join(out, name);
    if (!existsSync(folder)) await checkOut(git, base, folder);
    return {
      set: 'fit',
      repository,
      folder,
      root: '',
      cuts: [],
      questions: found.map(({ query, targets, namesFile }, index) => ({
        id: `${repository}:${index}`,
        query,
        category: namesFile ? 'commit-names-file' : 'commit-unnamed',
        targets: targets.map((target) => ({ path: target })),
      })),
    };
  }
  throw new Error(`${repository} has no history.`);
}

/** The files of a commit, without touching the clone: an index of our own. */
async function checkOut(
  git: (args: readonly string[], env?: object) => Promise<string>,
  commit: string,
  folder: string,
) {
  const scratch = await mkdtemp(path.join(tmpdir(), 'tessera-fit-'));
  try {
    const env = { GIT_INDEX_FILE: path.join(scratch, 'index') };
    await git(['read-tree', commit], env);
    await mkdir(folder, { recursive: true });
    const args = ['-c', 'core.symlinks=false', '-c', 'core.bare=false', '--work-tree', folder];
    await git([...args, 'checkout-index', '--all', '--quiet', `--prefix=${folder}/`], env).catch((error: unknown) => {
      // A partial clone lacks its largest files; everything else is written all the same.
      console.warn(`${folder} is not whole: ${error instanceof Error ? error.message : String(error)}`);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runGit(gitDir: string, args: readonly string[], env: object): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['--git-dir', gitDir, ...args], {
    maxBuffer: 1 << 30,
    env: { ...process.env, ...env },
  });
  return stdout;
}
