import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChildHandle, spawnChild } from '../../../src/process/childProcess.ts';
import { RequestClient } from '../../../src/process/requestClient.ts';
import { NO_FILTERS } from '../../../src/protocol/hit.ts';
import type { FolderState, ServerEvents, ServerRequests } from '../../../src/protocol/server.ts';
import { writeCharacterModel } from '../../fakes/characterModel.ts';
import { SETTINGS } from '../indexer/indexedFolder.ts';

const ENTRY = path.join(import.meta.dirname, '../../../src/server/main.ts');

let root: string;
let child: ChildHandle;
let client: RequestClient<ServerRequests, ServerEvents>;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'tessera-server-'));
  await writeCharacterModel(model());
  child = spawnChild({ modulePath: ENTRY });
  client = new RequestClient<ServerRequests, ServerEvents>(child.link);
  await new Promise<void>((resolve) => client.on('ready', () => resolve()));
});

afterEach(async () => {
  const gone = new Promise((resolve) => child.onExit(resolve));
  client.dispose();
  child.stop(2_000);
  await gone;
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
});

const model = () => path.join(root, 'model');

async function makeFolder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = path.join(root, name);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  return folder;
}

const open = (folder: string, modelFolder = model(), retry = false) =>
  client.request('open', {
    folder,
    retry,
    indexDir: path.join(root, 'index'),
    settings: { ...SETTINGS, embedder: { ...SETTINGS.embedder, models: { code: modelFolder, docs: modelFolder } } },
  });

async function search(query: string, ...folders: string[]): Promise<string[]> {
  const { hits } = await client.request('search', { folders, query, limit: 5, filters: NO_FILTERS, explain: false });
  return hits.map((hit) => `${path.basename(hit.folder)}/${hit.path}`);
}

/** Resolves when these files' rows are committed. */
function committed(...paths: string[]): Promise<void> {
  const missing = new Set(paths);
  return new Promise((resolve) => {
    const subscription = client.on('committed', (event) => {
      for (const file of event.paths) missing.delete(file);
      if (missing.size > 0) return;
      subscription.dispose();
      resolve();
    });
  });
}

describe('the index server', () => {
  it('indexes two folders and searches them together', async () => {
    const one = await makeFolder('one', { 'retry.ts': 'export function retryWithBackoff() {}\n' });
    const two = await makeFolder('two', { 'parse.py': 'def parse_config():\n    pass\n' });
    const states: FolderState['kind'][] = [];
    client.on('state', ({ folder, state }) => {
      if (folder === one && states.at(-1) !== state.kind) states.push(state.kind);
    });
    for (const folder of [one, two]) {
      expect(await open(folder)).toMatchObject({ files: 0, state: { kind: 'idle' } });
      expect(await client.request('index', { folder, rebuild: false })).toMatchObject({ files: 1, embedded: 1 });
    }
    expect(states).toEqual(['idle', 'indexing', 'idle']);
    expect(await search('retryWithBackoff', one, two)).toContain('one/retry.ts');
    expect(await search('parse_config', one, two)).toContain('two/parse.py');
    expect(await client.request('fileState', { folder: one, path: 'retry.ts' })).toEqual({
      kind: 'indexed',
      chunks: 1,
    });
    expect(await client.request('fileState', { folder: one, path: 'none.ts' })).toEqual({ kind: 'unknown' });
  });

  it('follows a save and a rename, and finds them at once', async () => {
    const folder = await makeFolder('work', { 'a.ts': 'export const first = 1;\n' });
    await open(folder);
    await client.request('index', { folder, rebuild: false });
    await writeFile(path.join(folder, 'a.ts'), 'export function freshlySaved() {}\n');
    const saved = committed('a.ts');
    await client.request('changed', { folder, paths: ['a.ts'] });
    await saved;
    expect(await search('freshlySaved', folder)).toEqual(['work/a.ts']);
    await rename(path.join(folder, 'a.ts'), path.join(folder, 'b.ts'));
    const moved = committed('a.ts', 'b.ts');
    await client.request('changed', { folder, paths: ['a.ts', 'b.ts'] });
    await moved;
    expect(await search('freshlySaved', folder)).toEqual(['work/b.ts']);
  });

  it('searches unsaved texts of files that belong to the index only', async () => {
    const folder = await makeFolder('work', {
      '.gitignore': 'ignored/\n',
      '.env': 'A=1\n',
      'ignored/x.ts': 'export const x = 1;\n',
      'a.ts': 'export const a = 1;\n',
      'new.ts': '',
      'key.ts': 'export const key = 1;\n',
    });
    await open(folder);
    await client.request('index', { folder, rebuild: false });
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${'unsavedwordMIIEpAIBAAKCAQEA'.repeat(4)}\n`;
    const texts = {
      '.env': 'UNSAVEDWORD=sk_live\n',
      'ignored/x.ts': 'export const unsavedword = 1;\n',
      '../outside.ts': 'export const unsavedword = 1;\n',
      'key.ts': `export const unsavedword = \`${key}\`;\n`,
      'a.ts': 'export const unsavedword = 1;\n',
      'new.ts': 'export const unsavedword = 2;\n',
    };
    const { hits } = await client.request('search', {
      folders: [folder],
      query: 'unsavedword',
      limit: 20,
      filters: NO_FILTERS,
      explain: false,
      overlays: Object.entries(texts).map(([file, text]) => ({ folder, path: file, text })),
    });
    const unsaved = hits.filter(({ snippet }) => snippet.toLowerCase().includes('unsavedword'));
    expect(unsaved.map((hit) => hit.path).sort()).toEqual(['a.ts', 'new.ts']);
  });

  it('gives each folder the model it asks for, and still searches both', async () => {
    const second = path.join(root, 'second-model');
    await writeCharacterModel(second, 2);
    const one = await makeFolder('one', { 'retry.ts': 'export function retryWithBackoff() {}\n' });
    const two = await makeFolder('two', { 'parse.py': 'def parse_config():\n    pass\n' });
    await open(one);
    await open(two, second);
    for (const folder of [one, two]) await client.request('index', { folder, rebuild: false });
    expect([...(await search('retryWithBackoff parse_config', one, two))].sort()).toEqual([
      'one/retry.ts',
      'two/parse.py',
    ]);
    // The first folder changes its mind: its index is made anew for the other model.
    expect(await open(one, second)).toMatchObject({ models: { code: { name: 'characters-2' } } });
    expect(await client.request('index', { folder: one, rebuild: false })).toMatchObject({ model: 'characters-2' });
    expect(await search('retryWithBackoff', one)).toEqual(['one/retry.ts']);
  });

  it('answers a request that fails with its error and goes on', async () => {
    const folder = await makeFolder('work', { 'a.ts': 'export const a = 1;\n' });
    await expect(client.request('status', { folder })).rejects.toMatchObject({ code: 'not-indexed' });
    await expect(open(folder, path.join(root, 'no-model'))).rejects.toMatchObject({ code: 'model-missing' });
    await open(folder);
    await expect(search('anything', folder)).rejects.toMatchObject({ code: 'not-indexed' });
    await expect(open('relative')).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await client.request('index', { folder, rebuild: false })).toMatchObject({ files: 1 });
    const gone = path.join(root, 'gone');
    await open(gone);
    await expect(client.request('index', { folder: gone, rebuild: false })).rejects.toMatchObject({
      code: 'folder-unreadable',
    });
    expect(await client.request('status', { folder: gone })).toMatchObject({ state: { kind: 'degraded' } });
    expect(await search('a', folder)).toEqual(['work/a.ts']);
  });

  it('keeps working when the embedder is killed in the middle', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [
        `f${index}.ts`,
        `export function f${index}() {\n${`  // ${`word${index} `.repeat(12)}\n`.repeat(16)}}\n`,
      ]),
    );
    const folder = await makeFolder('work', files);
    await open(folder);
    const first = new Promise<void>((resolve) => {
      const subscription = client.on('committed', () => {
        subscription.dispose();
        resolve();
      });
    });
    const run = client.request('index', { folder, rebuild: false });
    await first;
    process.kill(childOf(child.pid ?? 0), 'SIGKILL');
    expect(await run).toMatchObject({ files: 120 });
    await client.request('index', { folder, rebuild: false });
    const status = await client.request('status', { folder });
    expect(status).toMatchObject({ files: 120, embedderRestarts: 1, state: { kind: 'idle' } });
    expect(status.skipped).toEqual([]);
  });

  it('closes in peace while its embedder dies', async () => {
    const lines = Array.from({ length: 400 }, (_, line) => `  const value${line} = compute(${line}, 'word${line}');`);
    const body = `export function long() {\n${lines.join('\n')}\n}\n`;
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`f${index}.ts`, `${body}// ${index}\n`]),
    );
    const folder = await makeFolder('work', files);
    const troubles: string[] = [];
    client.on('log', ({ message, fields }) => {
      if (/unhandled|uncaught/.test(message)) troubles.push(`${message} ${JSON.stringify(fields)}`);
    });
    for (let round = 0; round < 4; round++) {
      await open(folder);
      const run = client.request('index', { folder, rebuild: true });
      const ended = run.then(
        () => 'done',
        (error: unknown) => (error as { code: string }).code,
      );
      const found = client.request('search', {
        folders: [folder],
        query: 'compute',
        limit: 5,
        filters: NO_FILTERS,
        explain: false,
      });
      found.catch(() => undefined);
      const closing = round % 2 === 0 ? client.request('close', { folder }) : undefined;
      const embedder = childOf(child.pid ?? 0);
      if (embedder > 0) process.kill(embedder, 'SIGKILL');
      await (closing ?? client.request('close', { folder }));
      expect(['done', 'cancelled', 'disposed']).toContain(await ended);
      await found.catch(() => undefined);
    }
    // Late rejections have had their turn when another request is answered.
    await expect(client.request('status', { folder })).rejects.toMatchObject({ code: 'not-indexed' });
    expect(troubles).toEqual([]);
  });

  it('looks for a missing model again when a person asks, and not before', async () => {
    const folder = await makeFolder('work', { 'a.ts': 'export const a = 1;\n' });
    const late = path.join(root, 'late-model');
    await expect(open(folder, late)).rejects.toMatchObject({ code: 'model-missing' });
    await writeCharacterModel(late);
    await expect(open(folder, late)).rejects.toMatchObject({ code: 'model-missing' });
    await open(folder, late, true);
    expect(await client.request('index', { folder, rebuild: false })).toMatchObject({ files: 1 });
  });

  it('indexes when asked again, after the model that had gone is back', async () => {
    const folder = await makeFolder('work', { 'a.ts': 'export const a = 1;\n' });
    await open(folder);
    await client.request('index', { folder, rebuild: false });
    await rename(model(), `${model()}-away`);
    process.kill(childOf(child.pid ?? 0), 'SIGKILL');
    await expect
      .poll(async () => (await client.request('status', { folder })).embedderRestarts, { timeout: 10_000 })
      .toBe(1);
    await writeFile(path.join(folder, 'b.ts'), 'export const b = 2;\n');
    await expect(client.request('index', { folder, rebuild: false })).rejects.toMatchObject({ code: 'model-missing' });
    await rename(`${model()}-away`, model());
    expect(await client.request('index', { folder, rebuild: false })).toMatchObject({ files: 2 });
  });

  it('pauses, resumes, cancels and clears', async () => {
    const folder = await makeFolder('work', { 'a.ts': 'export const a = 1;\n' });
    await open(folder);
    await client.request('pause', { folder });
    const cancellation = new AbortController();
    const run = client.request('index', { folder, rebuild: false }, cancellation.signal);
    cancellation.abort();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(await client.request('status', { folder })).toMatchObject({ state: { kind: 'paused' }, files: 0 });
    await client.request('resume', { folder });
    expect(await client.request('index', { folder, rebuild: false })).toMatchObject({ files: 1 });
    await client.request('clear', { folder });
    expect(await client.request('status', { folder })).toMatchObject({ files: 0, chunks: 0 });
    await client.request('close', { folder });
    await expect(client.request('status', { folder })).rejects.toMatchObject({ code: 'not-indexed' });
  });
});

function childOf(parent: number): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=']).toString().trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.find(([, ppid]) => ppid === parent)?.[0] ?? 0;
}
