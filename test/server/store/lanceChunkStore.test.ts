import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Connection, connect } from '@lancedb/lancedb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_FILTERS } from '../../../src/protocol/hit.ts';
import type { FileToWrite } from '../../../src/server/store/chunkStore.ts';
import { LanceChunkStore } from '../../../src/server/store/lanceChunkStore.ts';
import { vectorSpaces } from '../../../src/server/store/vectorSpaces.ts';

const DIMENSION = 8;
const MODEL = { id: 'test-model', dimension: DIMENSION };
const ONE_MODEL = vectorSpaces({ code: MODEL, docs: MODEL });
const FACTS = { folder: '/folder', models: ['test-model'], complete: false };

/** A unit vector along one axis, with a little of the next one. */
function axis(index: number, tilt = 0): Float32Array {
  const vector = new Float32Array(DIMENSION);
  vector[index] = Math.sqrt(1 - tilt * tilt);
  vector[(index + 1) % DIMENSION] = tilt;
  return vector;
}

function file(filePath: string, texts: readonly string[], overrides: Partial<FileToWrite['record']> = {}): FileToWrite {
  return {
    record: {
      path: filePath,
      fileHash: `hash of ${texts.join()}`,
      sizeBytes: 100,
      mtimeMs: 1_700_000_000_000.25,
      ctimeMs: 1_700_000_000_001.5,
      scope: 'code',
      language: 'typescript',
      lines: texts.length,
      chunks: texts.length,
      skipped: null,
      ...overrides,
    },
    chunks: texts.map((text, index) => ({
      startLine: index + 1,
      endLine: index + 1,
      text,
      symbol: text.split(' ')[0] ?? '',
      symbolKind: 'function',
      enclosing: ['Outer'],
      definitions: [text.split(' ')[0] ?? ''],
      tokens: 3,
      chunkHash: `chunk ${text}`,
      searchText: text.toLowerCase(),
      vector: axis(index),
    })),
  };
}

const change = (replace: readonly FileToWrite[], remove: readonly string[] = []) => ({ replace, touch: [], remove });

let folder: string;
let connection: Connection;
let store: LanceChunkStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tessera-store-'));
  connection = await connect(folder, { readConsistencyInterval: 0 });
  store = await LanceChunkStore.create(connection, 'chunks', ONE_MODEL, FACTS);
});

afterEach(async () => {
  store.close();
  connection.close();
  await rm(folder, { recursive: true, force: true });
});

async function allTexts(): Promise<string[]> {
  const texts: string[] = [];
  for (const filePath of (await store.files()).keys()) {
    texts.push(...(await store.chunksOf(filePath)).map((chunk) => `${filePath}:${chunk.text}`));
  }
  return texts.sort();
}

describe('a chunk store', () => {
  it('gives back a chunk and its file as they were written', async () => {
    await store.apply(change([file("src/it's.ts", ['alpha one', 'beta two'])]));
    expect(await store.chunksOf("src/it's.ts")).toEqual([
      expect.objectContaining({
        path: "src/it's.ts",
        ordinal: 0,
        startLine: 1,
        endLine: 1,
        text: 'alpha one',
        symbol: 'alpha',
        symbolKind: 'function',
        enclosing: ['Outer'],
        definitions: ['alpha'],
        language: 'typescript',
        scope: 'code',
        tokens: 3,
      }),
      expect.objectContaining({ ordinal: 1, text: 'beta two' }),
    ]);
    const reopened = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    expect((await reopened.files()).get("src/it's.ts")).toEqual(file("src/it's.ts", ['alpha one', 'beta two']).record);
    reopened.close();
  });

  it('replaces a file’s rows in one commit, however many chunks it had and has', async () => {
    await store.apply(change([file('a.ts', ['one', 'two', 'three']), file('b.ts', ['other'])]));
    const before = Number((await store.version()).split('@')[1]);
    await store.apply(change([file('a.ts', ['uno'])]));
    expect(Number((await store.version()).split('@')[1])).toBe(before + 1);
    expect(await allTexts()).toEqual(['a.ts:uno', 'b.ts:other']);
    await store.apply(change([file('a.ts', ['x', 'y', 'z', 'w'])]));
    expect(await allTexts()).toEqual(['a.ts:w', 'a.ts:x', 'a.ts:y', 'a.ts:z', 'b.ts:other']);
  });

  it('replaces, adds, touches and removes files in one commit', async () => {
    await store.apply(change([file('a.ts', ['a']), file('b.ts', ['b1', 'b2']), file('c.ts', ['c'])]));
    const before = Number((await store.version()).split('@')[1]);
    await store.apply({
      replace: [file('a.ts', ['a2']), file('new.ts', ['n'])],
      touch: [file('c.ts', ['c'], { mtimeMs: 5 }).record],
      remove: ['b.ts', 'never-there.ts'],
    });
    expect(Number((await store.version()).split('@')[1])).toBe(before + 1);
    expect(await allTexts()).toEqual(['a.ts:a2', 'c.ts:c', 'new.ts:n']);
    const reopened = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    expect([...(await reopened.files()).keys()].sort()).toEqual(['a.ts', 'c.ts', 'new.ts']);
    expect((await reopened.files()).get('c.ts')?.mtimeMs).toBe(5);
    reopened.close();
  });

  it('remembers a file without chunks and why it has none', async () => {
    const skipped = { reason: 'binary', detail: 'has zero bytes' } as const;
    await store.apply(change([file('logo.png', [], { skipped }), file('a.ts', ['a'])]));
    const reopened = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    expect((await reopened.files()).get('logo.png')?.skipped).toEqual(skipped);
    expect((await reopened.files()).get('a.ts')?.skipped).toBeNull();
    reopened.close();
  });

  it('finds the nearest chunks, and never the rows of files', async () => {
    await store.apply(change([file('a.ts', ['zero', 'one', 'two']), file('empty.ts', [])]));
    const hits = await store.nearest({ vector: axis(1, 0.1), limit: 10, filters: NO_FILTERS });
    expect(hits.map((hit) => hit.text)).toEqual(['one', 'two', 'zero']);
    expect(hits[0]?.similarity).toBeCloseTo(Math.sqrt(0.99), 3);
    expect(hits[2]?.similarity).toBeCloseTo(0, 3);
  });

  it('finds a chunk without a vector by its words only', async () => {
    const quarantined = file('a.ts', ['deadly text', 'fine']);
    const [first, ...rest] = quarantined.chunks;
    await store.apply(change([{ ...quarantined, chunks: [{ ...first!, vector: null }, ...rest] }]));
    expect((await store.nearest({ vector: axis(0), limit: 10, filters: NO_FILTERS })).map((hit) => hit.text)).toEqual([
      'fine',
    ]);
    const byWords = await store.matching({ tokens: ['deadly'], limit: 10, filters: NO_FILTERS });
    expect(byWords.map((hit) => hit.text)).toEqual(['deadly text']);
  });

  it('matches tokens exactly as they were written, right after the commit', async () => {
    await store.apply(change([file('a.ts', ['parseconfig parse config', 'parses running the of c++'])]));
    const find = async (...tokens: string[]) =>
      (await store.matching({ tokens, limit: 10, filters: NO_FILTERS })).map((hit) => hit.ordinal);
    expect(await find('parse')).toEqual([0]);
    expect(await find('parses')).toEqual([1]);
    expect(await find('run')).toEqual([]);
    expect(await find('the')).toEqual([1]);
    expect(await find('c++')).toEqual([1]);
    expect(await find('config', 'nothing')).toEqual([0]);
    expect(await find()).toEqual([]);
  });

  it('finds chunks by the names they define', async () => {
    await store.apply(change([file('a.ts', ['parseConfig x', "it's y"])]));
    const find = async (...names: string[]) =>
      (await store.defining({ names, limit: 10, filters: NO_FILTERS })).map((hit) => hit.ordinal);
    expect(await find('parseConfig')).toEqual([0]);
    expect(await find("it's", 'zzz')).toEqual([1]);
    expect(await find('parseconfig')).toEqual([]);
  });

  it('filters by scope, language and globs', async () => {
    await store.apply(
      change([
        file('src/app/main.ts', ['word main']),
        file('src/app/main.py', ['word py'], { language: 'python' }),
        file('docs/main.md', ['word md'], { language: 'markdown', scope: 'docs' }),
        file('test/main.test.ts', ['word test']),
      ]),
    );
    const find = async (filters: Partial<typeof NO_FILTERS>) => {
      const all = { ...NO_FILTERS, ...filters };
      const byText = await store.matching({ tokens: ['word'], limit: 10, filters: all });
      const byVector = await store.nearest({ vector: axis(0), limit: 10, filters: all });
      const paths = byText.map((hit) => hit.path).sort();
      expect(byVector.map((hit) => hit.path).sort()).toEqual(paths);
      return paths;
    };
    expect(await find({ scope: 'docs' })).toEqual(['docs/main.md']);
    expect(await find({ languages: ['python', 'markdown'] })).toEqual(['docs/main.md', 'src/app/main.py']);
    expect(await find({ include: ['*.ts'] })).toEqual(['src/app/main.ts', 'test/main.test.ts']);
    expect(await find({ include: ['*.ts'], exclude: ['test'] })).toEqual(['src/app/main.ts']);
    expect(await find({ include: ['src/app'] })).toEqual(['src/app/main.py', 'src/app/main.ts']);
    expect(await find({ exclude: ['src/**'] })).toEqual(['docs/main.md', 'test/main.test.ts']);
    expect(await find({ include: ['nothing/**'] })).toEqual([]);
  });

  it('reads vectors back by chunk, by file, by hash and all of a scope', async () => {
    await store.apply(
      change([file('a.ts', ['zero', 'one']), file('b.md', ['doc'], { scope: 'docs', language: 'markdown' })]),
    );
    expect((await store.vectorsById('code', ['a.ts#1'])).vectors).toEqual(axis(1));
    expect([...(await store.vectorsOf('code', ['a.ts'])).ids].sort()).toEqual(['a.ts#0', 'a.ts#1']);
    expect((await store.vectorsByHash('code', ['chunk one', 'chunk none'])).get('chunk one')).toEqual(axis(1));
    expect((await store.vectorsByHash('docs', ['chunk one'])).size).toBe(0);
    const paths: string[] = [];
    for await (const block of store.scanVectors('code')) paths.push(...block.paths);
    expect(paths).toEqual(['a.ts', 'a.ts']);
  });

  it('keeps each scope’s vectors apart when the models differ', async () => {
    const spaces = vectorSpaces({ code: MODEL, docs: { id: 'docs-model', dimension: 4 } });
    const two = await LanceChunkStore.create(connection, 'two', spaces, FACTS);
    const doc = file('b.md', ['doc'], { scope: 'docs', language: 'markdown' });
    const docVector = new Float32Array([0, 1, 0, 0]);
    await two.apply(
      change([
        file('a.ts', ['code']),
        { ...doc, chunks: doc.chunks.map((chunk) => ({ ...chunk, vector: docVector })) },
      ]),
    );
    expect(two.hasOneVectorSpace).toBe(false);
    const inDocs = { ...NO_FILTERS, scope: 'docs' } as const;
    expect((await two.nearest({ vector: docVector, limit: 5, filters: inDocs })).map((hit) => hit.path)).toEqual([
      'b.md',
    ]);
    await expect(two.nearest({ vector: axis(0), limit: 5, filters: NO_FILTERS })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    two.close();
  });

  it('says that a full pass is done only after it was told, and remembers it', async () => {
    expect(store.isComplete).toBe(false);
    await store.markComplete();
    const reopened = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    expect(reopened.isComplete).toBe(true);
    expect((await reopened.files()).size).toBe(0);
    reopened.close();
  });

  it('keeps every row and lets go of old files when it is maintained', async () => {
    for (let round = 0; round < 6; round++) await store.apply(change([file('a.ts', [`round ${round}`, 'same'])]));
    await store.apply(change([file('b.ts', ['word'])]));
    const before = await allTexts();
    const lastVersion = await (await connection.openTable('chunks')).version();
    await store.maintain({ need: 'any' });
    expect(await allTexts()).toEqual(before);
    expect((await store.matching({ tokens: ['word'], limit: 5, filters: NO_FILTERS })).map((hit) => hit.path)).toEqual([
      'b.ts',
    ]);
    expect((await store.matching({ tokens: ['round'], limit: 5, filters: NO_FILTERS })).map((hit) => hit.text)).toEqual(
      ['round 5'],
    );
    // Compacting makes versions of its own, as many as it has steps; all from before the last change are let go.
    const kept = await (await connection.openTable('chunks')).listVersions();
    expect(Math.min(...kept.map(({ version }) => version))).toBeGreaterThanOrEqual(lastVersion);
  });

  it('sees what another process committed', async () => {
    const other = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    await store.apply(change([file('a.ts', ['late word'])]));
    expect((await other.files()).has('a.ts')).toBe(true);
    expect(await other.matching({ tokens: ['late'], limit: 5, filters: NO_FILTERS })).toHaveLength(1);
    await store.apply(change([], ['a.ts']));
    await store.maintain({ need: 'any' });
    expect(await other.chunksOf('a.ts')).toEqual([]);
    other.close();
  });

  it('gives what it has just written as the table holds it, and what another process writes then', async () => {
    const tilted = file('a.ts', ['one', 'two']);
    const written = {
      ...tilted,
      chunks: tilted.chunks.map((chunk, index) => ({ ...chunk, vector: index === 0 ? axis(0, 0.123_456_7) : null })),
    };
    await store.apply(change([written, file('b.ts', ['other'])]));
    const paths = ['b.ts', 'a.ts', 'none.ts'];
    const byId = async (from: LanceChunkStore) =>
      new Map((await from.chunksWithVectors(paths)).map((chunk) => [chunk.id, chunk]));
    const other = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    expect((await byId(store)).size).toBe(3);
    expect(await byId(store)).toEqual(await byId(other));
    await other.apply(change([file('a.ts', ['theirs'])], ['b.ts']));
    expect([...(await byId(store)).values()].map(({ text }) => text)).toEqual(['theirs']);
    other.close();
  });

  it('reads no file’s row again because of its own commits', async () => {
    await store.apply(change([file('a.ts', ['text'])]));
    const known = await store.files();
    for (let round = 0; round < 5; round++) {
      const commit = store.apply(change([file(`b${round}.ts`, ['text'])]));
      const commits = { under: 1 };
      void commit.then(() => (commits.under = 0));
      while (commits.under > 0) expect(await store.files()).toBe(known);
    }
    expect(known.size).toBe(6);
  });

  it('knows whether another process has written since', async () => {
    await store.reread();
    await store.apply(change([file('a.ts', ['ours'])]));
    expect(await store.isAsLeft()).toBe(true);
    const other = await LanceChunkStore.open(connection, 'chunks', ONE_MODEL);
    expect(await other.isAsLeft()).toBe(false);
    await other.apply(change([file('a.ts', ['theirs'])]));
    expect(await store.isAsLeft()).toBe(false);
    await store.reread();
    expect(await store.isAsLeft()).toBe(true);
    other.close();
  });

  it('is not maintained before it is worth it', async () => {
    await store.apply(change([file('a.ts', ['text'])]));
    const version = await store.version();
    await store.maintain({ need: 'due' });
    expect(await store.version()).toBe(version);
  });

  it('reports a write it could not make', async () => {
    await rm(folder, { recursive: true });
    await expect(store.apply(change([file('a.ts', ['x']), file('b.ts', ['y'])]))).rejects.toMatchObject({
      code: 'store-failed',
    });
  });
});
