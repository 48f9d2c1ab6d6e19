import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Connection, connect } from '@lancedb/lancedb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import type { ChunkIndex } from '../../../src/search/chunkIndex.ts';
import { MemoryIndex } from '../../../src/server/search/memoryIndex.ts';
import { SegmentImages } from '../../../src/server/search/segmentImages.ts';
import { clearIndex } from '../../../src/server/store/clearIndex.ts';
import type { FileToWrite } from '../../../src/server/store/chunkStore.ts';
import { LanceChunkStore } from '../../../src/server/store/lanceChunkStore.ts';
import { vectorSpaces } from '../../../src/server/store/vectorSpaces.ts';
import { HashEmbedder } from '../../fakes/hashEmbedder.ts';

/** Enough for a segment to be kept. */
const FILES = 600;

let temporary: string;
let images: string;
let connection: Connection;
let store: LanceChunkStore;
const spaces = vectorSpaces(await new HashEmbedder().open());

beforeEach(async () => {
  temporary = await mkdtemp(path.join(os.tmpdir(), 'tessera-memory-'));
  images = path.join(temporary, 'chunks.search');
  connection = await connect(temporary, { readConsistencyInterval: 0 });
  const facts = { folder: '/somewhere', models: ['hash'], complete: true };
  store = await LanceChunkStore.create(connection, 'chunks', spaces, facts);
  await write(...Array.from({ length: FILES }, (_, number) => fileOf(number, `word${number}`)));
});

afterEach(async () => {
  store.close();
  connection.close();
  await rm(temporary, { recursive: true, force: true });
});

const nameOf = (number: number) => `src/f${number}.ts`;

function fileOf(number: number, text: string): FileToWrite {
  const { dimension } = spaces.code;
  const vector = new Float32Array(dimension);
  vector[number % dimension] = 1;
  const file = nameOf(number);
  const about = { scope: 'code', language: 'typescript' } as const;
  const stat = { sizeBytes: text.length, mtimeMs: 1, ctimeMs: 1 };
  return {
    record: { path: file, fileHash: `hash of ${text}`, ...stat, ...about, lines: 1, chunks: 1, skipped: null },
    chunks: [
      {
        startLine: 1,
        endLine: 1,
        symbol: '',
        symbolKind: '',
        enclosing: [],
        definitions: [],
        text,
        tokens: 1,
        chunkHash: text,
        searchText: text,
        vector,
      },
    ],
  };
}

const write = (...replace: readonly FileToWrite[]) => store.apply({ replace, touch: [], remove: [] });

/** As a process of its own would have it. */
function memoryIndex(): MemoryIndex {
  const shape = { dimensions: { code: spaces.code.dimension, docs: spaces.docs.dimension }, hasOneSpace: true };
  return new MemoryIndex(store, shape, SILENT_LOGGER, new SegmentImages(images, SILENT_LOGGER));
}

/** Paths of the files that hold a word. */
function holdersIn(index: ChunkIndex, word: string): (string | undefined)[] {
  return index.segments.flatMap(({ lexical, files, gone }) =>
    [...lexical.postings(word).documents]
      .map((chunk) => lexical.files[chunk] ?? -1)
      .filter((file) => !gone.has(file))
      .map((file) => files[file]?.path),
  );
}

/** `filesRead`: those that were read from the table. */
async function opened() {
  const read = vi.spyOn(store, 'chunksWithVectors');
  read.mockClear();
  const memory = memoryIndex();
  const index = await memory.current();
  await memory.settled();
  const holders = (word: string) => holdersIn(index, word);
  return { index, holders, filesRead: read.mock.calls.flatMap(([paths]) => paths) };
}

test('takes over what an earlier process kept, and reads nothing of the table', async () => {
  const first = await opened();
  expect(first.filesRead).toHaveLength(FILES);
  const second = await opened();
  expect(second.filesRead).toEqual([]);
  expect(second.index.fileCount).toBe(FILES);
  expect(second.holders('word7')).toEqual([nameOf(7)]);
  const query = new Float32Array(spaces.code.dimension).fill(0);
  query[7 % query.length] = 1;
  const similarities = ({ index }: typeof first) => index.segments.map(({ vectors }) => vectors?.similarities(query));
  expect(similarities(second)).toEqual(similarities(first));
});

test('reads what has changed since, and forgets what has gone', async () => {
  await opened();
  await write(fileOf(7, 'other'));
  await store.apply({ replace: [], touch: [], remove: [nameOf(8)] });
  const later = await opened();
  expect(later.filesRead).toEqual([nameOf(7)]);
  expect(later.index.fileCount).toBe(FILES - 1);
  expect(later.holders('word7')).toEqual([]);
  expect(later.holders('word8')).toEqual([]);
  expect(later.holders('other')).toEqual([nameOf(7)]);
});

test('makes anew what is mostly out of date, and removes it', async () => {
  await opened();
  const [old] = await readdir(images);
  await write(...Array.from({ length: FILES - 10 }, (_, number) => fileOf(number, `new${number}`)));
  const later = await opened();
  expect(later.index.fileCount).toBe(FILES);
  expect(later.holders('word3')).toEqual([]);
  expect(later.holders('new3')).toEqual([nameOf(3)]);
  expect(await readdir(images)).not.toContain(old);
  expect((await opened()).filesRead).toEqual([]);
});

test.each([
  ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100)],
  ['empty', () => Buffer.alloc(0)],
  ['with a bit turned', (bytes: Buffer) => (bytes.writeUInt8(bytes.readUInt8(5_000) ^ 4, 5_000), bytes)],
])('makes anew what is damaged: %s', async (_, damage) => {
  await opened();
  const [name] = await readdir(images);
  const file = path.join(images, name ?? '');
  await writeFile(file, damage(await readFile(file)));
  const later = await opened();
  expect(later.filesRead).toHaveLength(FILES);
  expect(later.holders('word7')).toEqual([nameOf(7)]);
  expect((await opened()).filesRead).toEqual([]);
});

test('removes what a killed process left unfinished, but not what another is writing', async () => {
  await opened();
  const [old, young] = [path.join(images, 'old.tmp'), path.join(images, 'young.tmp')];
  await writeFile(old, '');
  await writeFile(young, '');
  await utimes(old, new Date(0), new Date(0));
  await opened();
  const names = await readdir(images);
  expect(names).toContain('young.tmp');
  expect(names).not.toContain('old.tmp');
});

test('follows the table although the first reading of it failed', async () => {
  await opened();
  await write(fileOf(8, 'eight'));
  const memory = memoryIndex();
  vi.spyOn(store, 'chunksWithVectors').mockRejectedValueOnce(new Error('EIO'));
  await expect(memory.current()).rejects.toThrow('EIO');
  await write(fileOf(7, 'seven'));
  const index = await memory.current();
  await memory.settled();
  expect(holdersIn(index, 'seven')).toEqual([nameOf(7)]);
  expect(holdersIn(index, 'word7')).toEqual([]);
  expect(holdersIn(index, 'eight')).toEqual([nameOf(8)]);
  vi.restoreAllMocks();
  expect((await opened()).filesRead.length).toBeLessThan(FILES);
});

test('leaves nothing behind when the index is cleared while segments are kept', async () => {
  const { index } = await opened();
  const [segment] = index.segments;
  if (segment === undefined) throw new Error('There is no segment.');
  for (let round = 0; round < 10; round++) {
    const dir = path.join(temporary, `cleared${round}`);
    await mkdir(path.join(dir, 'chunks.lance'), { recursive: true });
    await writeFile(path.join(dir, 'chunks.lance', 'rows'), '');
    const kept = new SegmentImages(path.join(dir, 'chunks.search'), SILENT_LOGGER);
    const saving = (async () => {
      for (let time = 0; time < 20; time++) await kept.save({ segment, contents: segment.files.map(() => `${time}`) });
    })();
    if (round % 2 === 0) await vi.waitFor(() => expect(existsSync(path.join(dir, 'chunks.search'))).toBe(true));
    await clearIndex(dir, 'a test');
    await saving;
    expect(existsSync(dir)).toBe(false);
  }
});

test('keeps nothing where the index has gone, and works where nothing can be kept', async () => {
  images = path.join(temporary, 'gone', 'chunks.search');
  expect((await opened()).index.fileCount).toBe(FILES);
  await expect(readdir(path.dirname(images))).rejects.toMatchObject({ code: 'ENOENT' });
  images = path.join(temporary, 'file');
  await writeFile(images, '');
  expect((await opened()).index.fileCount).toBe(FILES);
});

test('keeps nothing that was read while somebody wrote', async () => {
  const read = store.chunksWithVectors.bind(store);
  let writes = 0;
  vi.spyOn(store, 'chunksWithVectors').mockImplementation(async (paths) => {
    if (writes++ === 0) await write(fileOf(3, 'meanwhile'));
    return read(paths);
  });
  const memory = memoryIndex();
  await memory.current();
  await memory.settled();
  vi.restoreAllMocks();
  await mkdir(images, { recursive: true });
  expect(await readdir(images)).toEqual([]);
});
