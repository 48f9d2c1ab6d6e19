import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FolderStatus, IndexSummary } from '../../../src/protocol/server.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import { createEngine } from '../../../src/server/createEngine.ts';
import { SETTINGS } from '../indexer/indexedFolder.ts';
import { CLI, CliPlace } from './cliProcess.ts';

const TREE = {
  'src/retry.ts': 'export function retryWithBackoff() {\n  return "wait, then try again";\n}\n',
  'src/parse.py': 'def parse_config(path):\n    return open(path).read()\n',
  'docs/guide.md': '# Guide\n\nHow to configure it.\n',
  'data.bin': 'a\0b',
};

let place: CliPlace;

beforeAll(async () => {
  place = await CliPlace.create(TREE);
});

afterAll(() => place.dispose());

describe('tessera', () => {
  it('indexes a folder once, says what it did, and embeds nothing the second time', async () => {
    const first = await place.json<IndexSummary>('index', place.folder);
    expect(first).toMatchObject({ files: 3, chunks: 3, embedded: 3, reused: 0, skipped: { binary: 1 }, device: 'cpu' });
    expect(first.tokens).toBeGreaterThan(0);
    expect(Object.keys(first)).toEqual([
      'files',
      'chunks',
      'embedded',
      'reused',
      'skipped',
      'seconds',
      'tokens',
      'tokensPerSecond',
      'paddingRatio',
      'model',
      'device',
      'tuner',
      'lanes',
      'embedder',
    ]);
    expect(Object.keys(first.tuner)).toEqual(['code', 'docs']);
    expect(first.lanes.bulk?.requests).toBeGreaterThan(0);
    expect(first.embedder).toMatchObject({ sessions: 1, restarts: 0, gpuUtilization: null });
    expect(first.embedder?.peakRssMb).toBeGreaterThan(0);
    const second = await place.json<IndexSummary>('index');
    expect(second).toMatchObject({ files: 3, chunks: 3, embedded: 0 });
    expect(second).toMatchObject({ tuner: {}, lanes: {}, embedder: null });
  });

  it('tells in its status what embedding was like when something was embedded last, though that process has ended', async () => {
    const { lastFigures } = await place.json<FolderStatus>('status');
    expect(lastFigures?.metrics.scopes.code).toMatchObject({ texts: 2, device: 'cpu' });
    expect(lastFigures?.metrics.lanes.bulk.requests).toBeGreaterThan(0);
    expect(lastFigures?.restarts).toBe(0);
    const { stdout } = await place.run('status');
    expect(stdout).toContain(`embedded   ${lastFigures?.time}`);
    expect(stdout).toMatch(/^ {2}code +\d+ runs? of 2 texts on cpu, /m);
  });

  it('starts the embedder only when there is something to embed', async () => {
    const unchanged = await place.run('index', '--log-level', 'debug');
    expect(unchanged).toMatchObject({ status: 0 });
    expect(unchanged.stderr).not.toContain('process started');
    expect((await place.run('search', 'retry', '--log-level', 'debug')).stderr).toContain('process started');
  });

  it('shows progress on stderr and the summary on stdout', async () => {
    const { status, stdout, stderr } = await place.run('index', '--rebuild');
    expect(status).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^3 files, 3 chunks in \d+ s$/);
    expect(stdout).toContain('skipped: 1 binary');
    expect(stderr).toMatch(/indexing \d of \d files/);
  });

  it('says what is indexed and what was skipped and why', async () => {
    const status = await place.json<FolderStatus>('status');
    expect(status).toMatchObject({
      files: 3,
      chunks: 3,
      linesIndexed: 8,
      filesByLanguage: { typescript: 1, python: 1, markdown: 1 },
    });
    expect(status.skipped).toEqual([expect.objectContaining({ path: 'data.bin', reason: 'binary' })]);
    expect((await place.run('status')).stdout).toContain('data.bin: binary');
  });

  it('shows how one file is cut', async () => {
    const { chunks } = await place.json<{ chunks: unknown[] }>('chunks', 'src/parse.py');
    expect(chunks).toEqual([expect.objectContaining({ startLine: 1, endLine: 2, language: 'python', scope: 'code' })]);
    expect((await place.run('chunks', 'data.bin')).status).toBe(3);
    await symlink(path.join(place.folder, 'src/parse.py'), path.join(place.folder, 'link.py'));
    const link = await place.run('chunks', 'link.py');
    await rm(path.join(place.folder, 'link.py'));
    expect(link).toMatchObject({ status: 3 });
    expect(link.stderr).toContain('link.py is not indexed: a symbolic link.');
  });

  it('verifies with status 0, finds a difference with status 1, and repairs it', async () => {
    await place.run('index');
    expect((await place.run('verify')).status).toBe(0);
    await place.write('src/parse.py', 'def parse_other(path):\n    return 1\n');
    const differing = await place.run('verify');
    expect(differing).toMatchObject({ status: 1 });
    expect(differing.stdout).toContain('src/parse.py: outdated');
    expect(differing.stdout).toContain('3 files, 3 chunks compared: 1 difference\n');
    expect(await place.run('verify', '--repair')).toMatchObject({ status: 0 });
    expect(await place.run('verify')).toMatchObject({ status: 0 });
  });

  it.each([
    [['serch'], 2, "tessera: Unknown command 'serch'. (Did you mean search?) Run `tessera --help`"],
    [['index', '--unknown'], 2, "tessera: Unknown option '--unknown'. Run `tessera --help`"],
    [['index', '/no/such/folder'], 2, 'There is no folder /no/such/folder'],
    [['search'], 2, 'Say what to search for'],
    [['search', ' '], 2, 'Say what to search for'],
    [['search', 'x', '-k', 'many'], 2, '-k is a whole number'],
    [['search', 'x', '--scope', 'tests'], 2, '--scope is code, docs or all'],
    [['search', 'x', '--lang', 'klingon'], 2, '--lang klingon'],
    [['search', 'lang:ts'], 2, 'The query lang:ts holds only filters; add a word to look for'],
    [['search', 'x', '--path', 'src/[ab'], 2, '--path src/[ab is not a glob: its brackets do not match'],
    [['search', 'x', '--path', ' '], 2, 'is not a glob: it is empty'],
    [['search', 'path:[ retry'], 2, 'The filter “path:[” is not a glob: its brackets do not match'],
    [['search', '-path:test retry'], 2, 'Put -- before a query that begins with a dash'],
    [['index', '--index-dir', ''], 2, '--index-dir is empty'],
    [['chunks', '.'], 2, '. is a folder; name a file in it.'],
    [['chunks', 'src'], 2, 'src is a folder; name a file in it.'],
    [['search', '--queries', '/no/such/file'], 2, '--queries /no/such/file'],
    [['similar', 'src/parse.py'], 2, '<file>:<line>'],
    [['similar', 'src/parse.py:0'], 2, 'Lines are counted from 1'],
    [['similar', 'src/parse.py:999'], 3, 'Run `tessera status`'],
    [['chunks', 'src/nothing.py'], 3, 'Run `tessera status`'],
    [['index', '--index-dir', 'data.bin'], 3, 'Name a folder you may write in with --index-dir'],
    [['status', '--index-dir', 'data.bin'], 3, 'Name a folder you may write in with --index-dir'],
    [['index', '--log-level', 'loud'], 2, '--log-level'],
    [['--help'], 0, ''],
    [['--version'], 0, ''],
  ] as const)('answers %j with status %d', async (args, status, message) => {
    const finished = await place.run(...args);
    expect(finished.stderr).toContain(message);
    expect(finished.status).toBe(status);
    expect(finished.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });

  it('names what is missing in one sentence, with status 3', async () => {
    const noIndex = await CliPlace.create(TREE);
    const search = await noIndex.run('search', 'anything');
    expect(search).toMatchObject({ status: 3, stdout: '' });
    expect(search.stderr).toMatch(/^tessera: .* is not indexed\. Run `tessera index` on the folder first\.\n$/);
    for (const command of ['status', 'verify', 'clear']) await noIndex.run(command);
    expect(existsSync(noIndex.indexDir)).toBe(false);
    await noIndex.dispose();
    const noModel = await place.run('index', '--model', './nowhere');
    expect(noModel.status).toBe(3);
    expect(noModel.stderr).toContain('There is no model folder');
  });

  it('answers the queries it understands of a file of many', async () => {
    await place.write(
      'queries.jsonl',
      '\uFEFF{"id": 1, "query": "lang:klingon retry"}\n{"id": 2, "query": "retryWithBackoff"}\n{"id": 3, "query": " "}\n',
    );
    const { status, stdout, stderr } = await place.run('search', '--queries', 'queries.jsonl');
    expect(status).toBe(2);
    expect(stderr).toContain('Line 1: The query 1 has no answer: No language is called “klingon”');
    expect(stderr).toContain('Line 3: The query 3 has no answer: Say what to search for');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; results: { path: string }[] });
    expect(lines.map(({ id, results }) => [id, results[0]?.path])).toEqual([
      [1, undefined],
      [2, 'src/retry.ts'],
      [3, undefined],
    ]);
    await rm(path.join(place.folder, 'queries.jsonl'));
  });

  it('keeps its exit status when the reader of its results has had enough', async () => {
    const queries = path.join(place.root, 'queries.jsonl');
    await writeFile(queries, `{"id": 1, "query": " "}\n${'{"id": 2, "query": "retry"}\n'.repeat(20)}`);
    const { child, finished } = place.start('search', '--queries', queries);
    child.stdout?.destroy();
    expect((await finished).status).toBe(2);
  });

  it('cuts no file that VS Code was told not to index', async () => {
    const own = await CliPlace.create(TREE);
    const engine = createEngine({ program: 'a test', logger: SILENT_LOGGER, chunker: createChunker() });
    const { model, folder, indexDir } = own;
    const embedder = { ...SETTINGS.embedder, models: { code: model, docs: model } };
    const index = await engine.folder({ folder, indexDir, settings: { ...SETTINGS, embedder, exclude: ['**/*.py'] } });
    await index.index({ rebuild: false });
    await engine.close();
    expect(await own.run('chunks', 'src/parse.py')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('src/parse.py is not indexed: ignored') as string,
    });
    expect(await own.run('chunks', 'src/retry.ts')).toMatchObject({ status: 0 });
    await own.dispose();
  });

  it('says that an index is damaged, not that there is none, and makes it anew', async () => {
    await place.run('index');
    for (const name of (await readdir(place.indexDir, { recursive: true })).map(String)) {
      if (name.includes(`${path.sep}data${path.sep}`) && name.includes('chunks-')) {
        await truncate(path.join(place.indexDir, name), 10);
      }
    }
    for (const args of [['search', 'retry'], ['status'], ['verify']]) {
      const finished = await place.run(...args);
      expect(finished).toMatchObject({ status: 3, stdout: '' });
      expect(finished.stderr).toContain('is damaged and cannot be read. Run `tessera verify --repair`');
    }
    expect(await place.run('verify', '--repair')).toMatchObject({ status: 0 });
    expect((await place.run('verify')).stdout).toBe('3 files, 3 chunks compared: no difference\n');
  });

  it('says that an index is not finished, with what it finds in it', async () => {
    const unfinished = await CliPlace.create(TREE);
    const engine = createEngine({ program: 'a test', logger: SILENT_LOGGER, chunker: createChunker() });
    const { model, folder, indexDir } = unfinished;
    const embedder = { ...SETTINGS.embedder, models: { code: model, docs: model } };
    const index = await engine.folder({ folder, indexDir, settings: { ...SETTINGS, embedder } });
    index.changed(['src/retry.ts']);
    await index.settled();
    await engine.close();
    const found = await unfinished.run('search', 'retryWithBackoff');
    expect(found).toMatchObject({ status: 0, stdout: expect.stringContaining('src/retry.ts') as string });
    expect(found.stderr).toBe(
      'tessera: The index is not finished: run `tessera index` on the folder to search all of it.\n',
    );
    const queries = path.join(unfinished.root, 'queries.jsonl');
    await writeFile(queries, '{"id": 1, "query": "retry"}\n{"id": 2, "query": "backoff"}\n');
    expect((await unfinished.run('search', '--queries', queries)).stderr).toBe(found.stderr);
    expect((await unfinished.run('status')).stdout).toContain('3 lines; not finished, run `tessera index`');
    expect(await unfinished.json<FolderStatus>('status')).toMatchObject({ complete: false });
    await unfinished.run('index');
    expect(await unfinished.json<FolderStatus>('status')).toMatchObject({ complete: true });
    expect((await unfinished.run('search', 'retryWithBackoff')).stderr).toBe('');
    await unfinished.dispose();
  });

  it('reads what is indexed without its model, and says what that costs', async () => {
    await place.run('index');
    const noModel = ['--model', './nowhere'];
    for (const args of [
      ['search', 'retryWithBackoff'],
      ['similar', 'src/retry.ts:1'],
    ]) {
      const found = await place.run(...args, ...noModel);
      expect(found).toMatchObject({ status: 0 });
      expect(found.stderr).toContain('There is no model folder');
      expect(found.stderr).toContain('only words and names were compared');
    }
    expect((await place.run('search', 'retryWithBackoff', ...noModel)).stdout).toContain('src/retry.ts');
    expect(await place.json<FolderStatus>('status', ...noModel)).toMatchObject({ files: 3, models: null });
    expect(await place.run('verify', ...noModel)).toMatchObject({
      status: 0,
      stdout: '3 files, 3 chunks compared without their vectors: no difference\n',
    });
    for (const args of [['verify', '--repair'], ['index']]) {
      const failed = await place.run(...args, ...noModel);
      expect(failed).toMatchObject({ status: 3, stdout: '' });
      expect(failed.stderr).toContain('There is no model folder');
    }
  });

  it('says while it watches that it can no longer follow', async () => {
    const watched = await CliPlace.create(TREE);
    // From outside of the folder, which is going to be deleted.
    const { child, finished, says } = watched.startIn(watched.root, 'index', watched.folder, '--watch');
    await says('watching for changes');
    await rm(watched.folder, { recursive: true });
    await says('The index does not follow the folder: The folder');
    child.kill('SIGINT');
    expect((await finished).stderr.match(/does not follow/g)).toHaveLength(1);
    await watched.dispose();
  });

  it.skipIf(!existsSync('/dev/full'))('fails when its results cannot be written', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [CLI, '--help'], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    expect(status).toBe(3);
    expect(stderr.toString()).toBe(
      'tessera: The results could not be written to stdout (ENOSPC); write them to another place.\n',
    );
  });

  it('clears an index', async () => {
    expect(await place.run('clear')).toMatchObject({ status: 0, stdout: expect.stringContaining('deleted') as string });
    expect(await place.run('clear')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('has no index') as string,
    });
    expect(await place.json('clear')).toMatchObject({ folder: place.folder, deleted: false });
    expect(await place.run('status')).toMatchObject({ status: 3 });
    expect(await place.json<IndexSummary>('index')).toMatchObject({ chunks: 3, embedded: 0, reused: 3 });
  });
});
