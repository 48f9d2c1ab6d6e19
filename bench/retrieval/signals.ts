/**
 * What the signals are worth that the benchmark has no questions for: files changed lately, files open in an editor, places named in the
 * query, and code like other code. NDCG@10 on the fitting questions by weight, as differences to a weight of 0 with 95 % intervals.
 *
 * `node bench/retrieval/signals.ts --fit QUESTIONS.json --clones CLONES [--cache DIR] [--model DIR]`
 *
 * - recent: the time of a file's last commit before the question's own, as if that were when the file was saved.
 * - open: the files of the same author's commit before, when it is less than a day older.
 * - place: a line of a random chunk, as a frame of a stack trace and as `file.ext:line`; share of questions whose first hit holds it.
 * - similar: a chunk of one changed file; the commit's other files are the answers.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { commitSubject } from '../../src/cli/eval/commitQuestions.ts';
import { packageRoot } from '../../src/cli/packagePlaces.ts';
import { resolveLanguage } from '../../src/indexing/languages.ts';
import { BUNDLED_MODEL } from '../../src/protocol/embedder.ts';
import type { ChunkIndex } from '../../src/search/chunkIndex.ts';
import { type EvidenceRequest, collectEvidence } from '../../src/search/evidence.ts';
import { rank } from '../../src/search/ranking.ts';
import { RANKING_WEIGHTS, type RankingWeights, SIMILARITY_WEIGHTS } from '../../src/search/rankingWeights.ts';
import { parseQuery } from '../../src/search/searchQuery.ts';
import { similarityQuery } from '../../src/search/similarityQuery.ts';
import { SeededRandom } from '../../src/synthetic/random.ts';
import { Corpora } from './corpus.ts';
import { type Question, type QuestionSet, questionSetsIn } from './questions.ts';
import { bootstrapInterval, mean } from './score.ts';

const { values } = parseArgs({
  options: {
    fit: { type: 'string' },
    clones: { type: 'string' },
    cache: { type: 'string' },
    model: { type: 'string', default: path.join(packageRoot(), 'models', BUNDLED_MODEL) },
  },
});
if (values.fit === undefined || values.clones === undefined) {
  console.error('usage: signals.ts --fit QUESTIONS.json --clones CLONES [--cache DIR] [--model DIR]');
  process.exit(2);
}
const { clones } = values;

const HALF_LIFE_S = 3 * 24 * 3600;
const DAY_S = 24 * 3600;
const WEIGHTS = {
  recent: [0, 0.05, 0.1, 0.2, 0.3, 0.5],
  open: [0, 0.05, 0.1, 0.2, 0.3, 0.5],
  place: [0, 1, 2, 3],
} as const;
/** Weights for code like other code. */
const LIKENESS: readonly (readonly [name: string, weights: RankingWeights])[] = [
  ['as-is', SIMILARITY_WEIGHTS],
  ['text=0', { ...SIMILARITY_WEIGHTS, text: 0 }],
  ['text=0.3', { ...SIMILARITY_WEIGHTS, text: 0.3 }],
  ['text=1', { ...SIMILARITY_WEIGHTS, text: 1 }],
  ['vector=0', { ...SIMILARITY_WEIGHTS, vector: 0 }],
];
const PLACES_PER_REPOSITORY = 10;

interface Commit {
  readonly seconds: number;
  readonly author: string;
  readonly subject: string;
  readonly files: readonly string[];
}

/** By signal and weight, what each question scored, in one order. */
const scores = new Map<string, number[]>();
const corpora = new Corpora({ model: values.model, cacheDir: values.cache ?? null });
const random = new SeededRandom(9);
for (const set of questionSetsIn(values.fit)) {
  const index = await corpora.index(set.folder, set.cuts);
  const commits = await commitsOf(set.repository);
  const vectors = await corpora.embedQueries(set.questions.map(({ query }) => query));
  for (const [number, question] of set.questions.entries()) {
    scoreHistory(index, question, vectors[number] ?? null, commits);
  }
  await scorePlaces(index);
  scoreLikeness(index, set);
  console.error(set.repository);
}
corpora.dispose();
for (const [signal, own] of Map.groupBy(scores, ([key]) => key.slice(0, key.lastIndexOf(' ')))) {
  const base = own[0]?.[1] ?? [];
  console.log(`\n${signal}: ${base.length} questions`);
  for (const [key, values] of own) {
    const differences = values.map((value, at) => value - (base[at] ?? 0));
    const [low, high] = bootstrapInterval(differences, 1_000);
    const difference = `${mean(differences) >= 0 ? '+' : ''}${mean(differences).toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
    console.log(`  ${key.padEnd(32)}${mean(values).toFixed(4)}  ${difference}`);
  }
}
process.exit(0);

function note(key: string, score: number): void {
  const own = scores.get(key) ?? [];
  own.push(score);
  scores.set(key, own);
}

async function commitsOf(repository: string): Promise<Commit[]> {
  const name = repository.replace('/', '+');
  const gitDir = [path.join(clones, name, 'repo'), path.join(clones, name, '.git'), path.join(clones, name)].find(
    (dir) => existsSync(path.join(dir, 'HEAD')),
  );
  if (gitDir === undefined) throw new Error(`${clones} has no clone ${name}.`);
  const list = JSON.parse(readFileSync(path.join(import.meta.dirname, 'fitRepositories.json'), 'utf8')) as readonly {
    readonly repository: string;
    readonly head: string;
  }[];
  const head = list.find((each) => each.repository === repository)?.head ?? 'HEAD';
  const log = [
    'log',
    '--no-merges',
    '--no-renames',
    '--name-only',
    '-n',
    '9000',
    '--format=%x1e%ct%x1f%an%x1f%s',
    head,
  ];
  const { stdout } = await promisify(execFile)('git', ['--git-dir', gitDir, '-c', 'core.quotePath=off', ...log], {
    maxBuffer: 1 << 30,
  });
  return stdout
    .split('\x1e')
    .slice(1)
    .map((record) => {
      const [line = '', ...files] = record.split('\n').filter((each) => each !== '');
      const [seconds, author = '', subject = ''] = line.split('\x1f');
      return { seconds: Number(seconds), author, subject: commitSubject(subject), files };
    });
}

function scoreHistory(index: ChunkIndex, question: Question, vector: Float32Array | null, commits: readonly Commit[]) {
  const at = commits.findIndex(
    ({ subject, files }) =>
      subject === question.query && question.targets.every((target) => files.includes(target.path)),
  );
  const own = commits[at];
  if (own === undefined) return;
  const before = commits.slice(at + 1, at + 3_001);
  const newest = before.reduce((latest, { seconds }) => Math.max(latest, seconds), 0);
  const changed = new Map<string, number>();
  for (const { seconds, files } of before) {
    for (const file of files) changed.set(file, Math.max(seconds, changed.get(file) ?? 0));
  }
  const last = before.find(
    ({ author, seconds, files }) =>
      author === own.author && own.seconds >= seconds && own.seconds - seconds < DAY_S && files.length <= 20,
  );
  const evidence = evidenceOf(index, {
    query: parseQuery(question.query, resolveLanguage),
    vectors: { code: vector, docs: null },
    recencyOf: (file) => 2 ** (((changed.get(file) ?? 0) - newest) / HALF_LIFE_S),
    openPaths: last?.files.slice(0, 10) ?? [],
  });
  const targets = new Set(question.targets.map((target) => target.path));
  for (const signal of ['recent', 'open'] as const) {
    for (const weight of WEIGHTS[signal]) {
      const weights = { ...RANKING_WEIGHTS, recent: 0, open: 0, [signal]: weight };
      note(`${signal} ${question.category} ${weight}`, ndcg(evidence, targets, weights));
    }
  }
}

async function scorePlaces(index: ChunkIndex): Promise<void> {
  const [segment] = index.segments;
  if (segment === undefined) return;
  for (let count = 0; count < PLACES_PER_REPOSITORY; count++) {
    const number = Math.floor(random.uniform() * segment.chunks.length);
    const chunk = segment.chunks[number];
    const file = segment.files[segment.lexical.files[number] ?? 0];
    if (chunk === undefined || file === undefined || !/\.\w{1,8}$/.test(file.path)) continue;
    const line = chunk.startLine + Math.floor(random.uniform() * (chunk.endLine - chunk.startLine + 1));
    const queries = {
      trace: `Error: it failed\n    at run (/home/me/project/${file.path}:${line}:7)`,
      short: `${path.basename(file.path)}:${line}`,
    };
    for (const [form, query] of Object.entries(queries)) {
      const [vector = null] = await corpora.embedQueries([query]);
      const evidence = evidenceOf(index, {
        query: parseQuery(query, resolveLanguage),
        vectors: { code: vector, docs: null },
      });
      for (const weight of WEIGHTS.place) {
        const [best] = rank(evidence, 1, { ...RANKING_WEIGHTS, location: weight });
        const isThere = best !== undefined && best.chunk.startLine <= line && line <= best.chunk.endLine;
        // Several files may be called the same: any of them is what `file.ext:line` asks for.
        const isFile =
          form === 'short' ? path.basename(best?.file.path ?? '') === path.basename(file.path) : best?.file === file;
        note(`place ${form} ${weight}`, isThere && isFile ? 1 : 0);
      }
    }
  }
}

function scoreLikeness(index: ChunkIndex, { questions, folder }: QuestionSet): void {
  for (const { targets } of questions) {
    const [source, ...others] = targets.map((target) => target.path);
    const place = source === undefined ? undefined : index.place(source);
    if (place === undefined || others.length === 0) continue;
    const { from, to } = place.segment.chunksOf(place.file);
    const chunk = place.segment.chunks[from + Math.floor(random.uniform() * (to - from))];
    if (chunk === undefined) continue;
    const lines = readFileSync(path.join(folder, source ?? ''), 'utf8').split('\n');
    const text = lines.slice(chunk.startLine - 1, chunk.endLine).join('\n');
    const evidence = evidenceOf(index, {
      query: similarityQuery(text, index),
      vectors: { code: place.segment.vectors?.vector(place.segment.chunks.indexOf(chunk)) ?? null, docs: null },
      acceptsFile: (file) => file.path !== source,
    });
    for (const [name, weights] of LIKENESS) note(`similar ${name}`, ndcg(evidence, new Set(others), weights));
  }
}

function evidenceOf(index: ChunkIndex, request: Pick<EvidenceRequest, 'query' | 'vectors'> & Partial<EvidenceRequest>) {
  return collectEvidence({
    index,
    acceptsFile: () => true,
    acceptsChunk: () => true,
    recencyOf: () => 0,
    openPaths: [],
    ...request,
  });
}

function ndcg(evidence: ReturnType<typeof evidenceOf>, targets: ReadonlySet<string>, weights: RankingWeights): number {
  const files = [...new Set(rank(evidence, 50, weights).map(({ file }) => file.path))].slice(0, 10);
  const gain = (place: number) => 1 / Math.log2(place + 2);
  const found = files.reduce((sum, file, place) => sum + (targets.has(file) ? gain(place) : 0), 0);
  let ideal = 0;
  for (let place = 0; place < Math.min(10, targets.size); place++) ideal += gain(place);
  return found / ideal;
}
