import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Connection, connect } from '@lancedb/lancedb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../../../src/base/deferred.ts';
import { TesseraError } from '../../../src/base/errors.ts';
import { SILENT_LOGGER } from '../../../src/base/logger.ts';
import { languageOf, resolveLanguage } from '../../../src/indexing/languages.ts';
import { NO_FILTERS, type ScorePart } from '../../../src/protocol/hit.ts';
import type { OverlayText } from '../../../src/protocol/server.ts';
import { searchTextOf } from '../../../src/search/searchText.ts';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import type { FolderSearchParams } from '../../../src/server/folderSearch.ts';
import { Searcher } from '../../../src/server/search/searcher.ts';
import type { FileToWrite } from '../../../src/server/store/chunkStore.ts';
import { LanceChunkStore } from '../../../src/server/store/lanceChunkStore.ts';
import { vectorSpaces } from '../../../src/server/store/vectorSpaces.ts';
import { HashEmbedder } from '../../fakes/hashEmbedder.ts';
import { LetterEmbedder } from '../../fakes/letterEmbedder.ts';

const FOLDER = '/somewhere/project';
const embedder = new HashEmbedder();
const chunker = createChunker();

let temporary: string;
let connection: Connection;
let store: LanceChunkStore;
let searcher: Searcher;

beforeEach(async () => {
  temporary = await mkdtemp(path.join(os.tmpdir(), 'tessera-search-'));
  connection = await connect(temporary, { readConsistencyInterval: 0 });
  const spaces = vectorSpaces(await embedder.open());
  store = await LanceChunkStore.create(connection, 'chunks', spaces, {
    folder: FOLDER,
    models: ['hash'],
    complete: false,
  });
  searcher = new Searcher({ embedder, chunker, resolveLanguage, logger: SILENT_LOGGER });
});

afterEach(async () => {
  store.close();
  connection.close();
  await rm(temporary, { recursive: true, force: true });
});

const searched = () => ({ folder: FOLDER, reader: store, imagesDir: path.join(temporary, 'chunks.search') });

/** What the parts say the score is. */
const scoreOf = (parts: readonly ScorePart[] = []) =>
  1 / (1 + Math.exp(-parts.reduce((sum, { value }) => sum + value, 0)));

/** A file as the indexer writes it: cut by the real chunker, embedded by the hash of its texts. */
async function write(...files: readonly (readonly [filePath: string, text: string])[]): Promise<void> {
  const replace = await Promise.all(
    files.map(async ([filePath, text]): Promise<FileToWrite> => {
      const { id: language, scope } = languageOf(filePath);
      const chunks = await chunker.chunk({ path: filePath, language, scope, text });
      const { vectors, dimension } = await embedder.embed({
        texts: chunks.map((chunk) => chunk.text),
        role: 'document',
        scope,
        lane: 'bulk',
      });
      return {
        record: {
          path: filePath,
          fileHash: `hash of ${text}`,
          sizeBytes: text.length,
          mtimeMs: 1_700_000_000_000,
          ctimeMs: 1_700_000_000_000,
          scope,
          language,
          lines: text.split('\n').length,
          chunks: chunks.length,
          skipped: null,
        },
        chunks: chunks.map((chunk, row) => ({
          ...chunk,
          chunkHash: chunk.text,
          searchText: searchTextOf(filePath, chunk),
          vector: vectors.slice(row * dimension, (row + 1) * dimension),
        })),
      };
    }),
  );
  await store.apply({ replace, touch: [], remove: [] });
}

async function search(query: string, params: Partial<FolderSearchParams> = {}) {
  return searcher.search({ folders: [FOLDER], query, limit: 10, filters: NO_FILTERS, explain: false, ...params }, [
    searched(),
  ]);
}
const pathsFor = async (query: string, params?: Partial<FolderSearchParams>) =>
  (await search(query, params)).hits.map((hit) => hit.path);

const RETRY = 'export function retryRequest(url) {\n  return backoff(() => fetch(url));\n}\n';
const PARSE = 'export function parseConfig(text) {\n  return JSON.parse(text);\n}\n';

describe('a search', () => {
  it('rehearses an index beside what is asked, without the embedder, until it is to settle', async () => {
    await write(['src/a.ts', 'export function openFile() {}'], ['src/b.ts', 'export function closeFile() {}']);
    const embed = vi.spyOn(embedder, 'embed');
    const read = vi.spyOn(store, 'textsById');
    const rehearsal = { minChunks: 1, restMs: 0 };
    const rehearsing = new Searcher({ embedder, chunker, resolveLanguage, logger: SILENT_LOGGER, rehearsal });
    await rehearsing.prepare(searched());
    await vi.waitFor(() => expect(read).toHaveBeenCalled());
    expect(embed).not.toHaveBeenCalled();
    await rehearsing.settled();
    const reads = read.mock.calls.length;
    await searcher.prepare(searched());
    await searcher.settled();
    expect(read).toHaveBeenCalledTimes(reads);
    vi.restoreAllMocks();
  });

  it('finds the chunk with its lines, symbol and snippet', async () => {
    await write(['src/retry.ts', RETRY], ['src/parse.ts', PARSE]);
    const { hits, degraded } = await search('retry request');
    expect(degraded).toBeNull();
    expect(hits[0]).toMatchObject({
      folder: FOLDER,
      path: 'src/retry.ts',
      startLine: 1,
      endLine: 3,
      scope: 'code',
      language: 'typescript',
      symbol: 'retryRequest',
    });
    expect(hits[0]?.snippet).toContain('retryRequest');
    expect(hits[0]?.explanation).toBeUndefined();
  });

  it('sees each commit: changed, added and removed files', async () => {
    await write(['a.ts', RETRY]);
    expect(await pathsFor('retryRequest')).toEqual(['a.ts']);
    await write(['a.ts', PARSE], ['b.ts', RETRY]);
    expect((await pathsFor('retryRequest'))[0]).toBe('b.ts');
    expect((await pathsFor('parseConfig'))[0]).toBe('a.ts');
    await store.apply({ replace: [], touch: [], remove: ['b.ts'] });
    expect(await pathsFor('retryRequest', { filters: { ...NO_FILTERS, include: ['b.ts'] } })).toEqual([]);
  });

  it('keeps to the filters set beside the query and in it', async () => {
    await write(
      ['src/retry.ts', RETRY],
      ['lib/retry.js', RETRY],
      ['docs/retry.md', '# Retry\n\nretryRequest retries.\n'],
    );
    expect(await pathsFor('retry', { filters: { ...NO_FILTERS, include: ['src/**'] } })).toEqual(['src/retry.ts']);
    expect(await pathsFor('retry lang:js')).toEqual(['lib/retry.js']);
    expect(await pathsFor('retry scope:docs')).toEqual(['docs/retry.md']);
    expect(await pathsFor('retry -path:lib ext:ts,js')).toEqual(['src/retry.ts']);
    expect(await pathsFor('retry lang:js', { filters: { ...NO_FILTERS, include: ['src/**'] } })).toEqual([]);
  });

  it('keeps to a symbol, a phrase and words to leave out', async () => {
    await write(['a.ts', RETRY], ['b.ts', PARSE], ['c.ts', 'retryRequest(one);\nretryRequest(two);\n']);
    expect(await pathsFor('request symbol:retryRequest')).toEqual(['a.ts']);
    expect(await pathsFor('symbol:retry* request')).toEqual(['a.ts']);
    expect(await pathsFor('"return backoff"')).toEqual(['a.ts']);
    expect(await pathsFor('retryRequest -backoff ext:ts')).not.toContain('a.ts');
  });

  it('shows what is near when nothing holds a quoted text, and says so', async () => {
    await write(['a.ts', RETRY], ['b.ts', PARSE]);
    const { hits, withoutPhrases } = await search('error "retry of the request failed"');
    expect(hits[0]?.path).toBe('a.ts');
    expect(withoutPhrases).toBe(true);
  });

  it('refuses a wrong filter', async () => {
    await expect(search('lang:klingon x')).rejects.toThrow('No language is called “klingon”');
  });

  it('gives scores between 0 and 1, best first, also where more speaks against a hit than for it', async () => {
    await write(['src/retry.ts', RETRY], ['docs/examples/generated/tests/notes.md', 'retry\n']);
    const { hits } = await search('retry request', { explain: true });
    expect(hits.map(({ path }) => path)).toEqual(['src/retry.ts', 'docs/examples/generated/tests/notes.md']);
    const [best = NaN, worst = NaN] = hits.map(({ score }) => score);
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(0.5);
    expect(best).toBeGreaterThan(0.5);
    expect(best).toBeLessThan(1);
  });

  it('says which parts made each score when asked', async () => {
    await write(['src/retry.ts', RETRY], ['src/parse.ts', PARSE]);
    const { hits } = await search('retry request', { explain: true });
    for (const { score, explanation } of hits) expect(scoreOf(explanation)).toBeCloseTo(score, 6);
  });

  it('goes on by words when the embedder fails, and says so', async () => {
    await write(['src/retry.ts', RETRY]);
    const failing = Object.assign(new HashEmbedder(), {
      embed: () => Promise.reject(new TesseraError('process-exited', 'gone')),
    });
    searcher = new Searcher({ embedder: failing, chunker, resolveLanguage, logger: SILENT_LOGGER });
    const { hits, degraded } = await search('retry request');
    expect(hits[0]?.path).toBe('src/retry.ts');
    expect(degraded).toContain('not available');
  });

  it('searches an unsaved text in place of the stored one, for this search only', async () => {
    await write(['a.ts', RETRY], ['b.ts', PARSE]);
    const overlays = [{ folder: FOLDER, path: 'a.ts', text: 'export function brandNewThing() {}\n' }];
    const { hits } = await search('brandNewThing', { overlays });
    expect(hits[0]).toMatchObject({ path: 'a.ts', startLine: 1, symbol: 'brandNewThing' });
    expect(hits[0]?.snippet).toContain('brandNewThing');
    expect((await search('retryRequest symbol:retryRequest', { overlays })).hits).toEqual([]);
    expect((await search('symbol:retryRequest retry')).hits).toHaveLength(1);
  });

  it('embeds the query while it is still asked which unsaved texts belong to the index', async () => {
    await write(['a.ts', RETRY]);
    const embedding = new Promise<void>((resolve) => embedder.onEmbed.event(() => resolve()));
    const overlays = new Deferred<readonly OverlayText[]>();
    const searching = search('brandNewThing', { overlays: overlays.promise });
    await embedding;
    overlays.resolve([{ folder: FOLDER, path: 'a.ts', text: 'export function brandNewThing() {}\n' }]);
    expect((await searching).hits[0]).toMatchObject({ path: 'a.ts', symbol: 'brandNewThing' });
  });

  it('ends as cancelled when it is cancelled', async () => {
    await write(['a.ts', RETRY]);
    const params = { folders: [FOLDER], query: 'retry', limit: 5, filters: NO_FILTERS, explain: false };
    const aborted = AbortSignal.abort();
    await expect(searcher.search(params, [searched()], aborted)).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('answers from the table alone when a folder is too large to hold in memory', async () => {
    const others = Array.from(
      { length: 20 },
      (_, n) => [`lib/f${n}.ts`, `export const unrelated${n} = ${n};\n`] as const,
    );
    await write(['src/retry.ts', RETRY], ['src/parse.ts', PARSE], ...others);
    searcher = new Searcher({ embedder, chunker, resolveLanguage, logger: SILENT_LOGGER, maxChunksInMemory: 5 });
    expect((await pathsFor('retry the request'))[0]).toBe('src/retry.ts');
    expect((await pathsFor('parseConfig'))[0]).toBe('src/parse.ts');
    expect(await pathsFor('retry lang:ts', { filters: { ...NO_FILTERS, include: ['lib/**'] } })).not.toContain(
      'src/retry.ts',
    );
  });

  it('finds what was saved last without the quoted text too, although segments are merged meanwhile', async () => {
    const text = (n: number) => `export function gamma${n}() {\n  return delta + epsilon;\n}\n`;
    await write(...Array.from({ length: 20 }, (_, n) => [`f${n}.ts`, 'export const other = 1;\n'] as const));
    await search('other');
    for (let n = 0; n < 9; n++) {
      await write([`f${n}.ts`, text(n)]);
      // Each save in a segment of its own; the last search finds that they are worth merging.
      if (n < 8) await search('other');
    }
    const read = store.textsById.bind(store);
    vi.spyOn(store, 'textsById').mockImplementationOnce(async (ids) => {
      await searcher.settled();
      return read(ids);
    });
    const hits = await pathsFor('"epsilon delta"', { limit: 50 });
    expect(hits).toEqual(expect.arrayContaining(Array.from({ length: 9 }, (_, n) => `f${n}.ts`)));
  });

  it.each([undefined, 1])(
    'takes filters of a folder in place of those for all, holding %s chunks',
    async (maxChunksInMemory) => {
      await write(['src/retry.ts', RETRY], ['lib/retry.ts', RETRY], ['dist/retry.ts', RETRY]);
      const options = { embedder, chunker, resolveLanguage, logger: SILENT_LOGGER };
      searcher = new Searcher(maxChunksInMemory === undefined ? options : { ...options, maxChunksInMemory });
      const only = (glob: string) => ({ ...NO_FILTERS, include: [glob] });
      const params = {
        folders: [FOLDER, '/elsewhere', '/third'],
        query: 'retry the request',
        limit: 10,
        explain: false,
        filters: only('dist/**'),
        folderFilters: { [FOLDER]: only('lib/**'), '/elsewhere': only('src/**') },
      };
      const spaces = vectorSpaces(await embedder.open());
      const folders = await Promise.all(
        params.folders.map(async (folder, number) => {
          const reader = await LanceChunkStore.open(connection, 'chunks', spaces);
          return { folder, reader, imagesDir: path.join(temporary, `chunks${number}.search`) };
        }),
      );
      const { hits } = await searcher.search(params, folders);
      await searcher.settled();
      for (const { reader } of folders) reader.close();
      const found = hits.map(({ folder, path: file }) => `${folder} ${file}`);
      expect(new Set(found)).toEqual(
        new Set([`${FOLDER} lib/retry.ts`, '/elsewhere src/retry.ts', '/third dist/retry.ts']),
      );
    },
  );

  it('answers nothing from an empty index', async () => {
    expect((await search('anything')).hits).toEqual([]);
  });
});

describe('similar code', () => {
  const params = { folder: FOLDER, path: 'a.ts', line: 2, text: null, limit: 5, filters: NO_FILTERS };
  const similar = (more: object = {}) => searcher.similar({ ...params, ...more }, searched());

  it('is found for the chunk at a line, which is not among the hits', async () => {
    await write(['a.ts', RETRY], ['b.ts', PARSE], ['c.ts', RETRY.replace('retryRequest', 'retryUpload')]);
    const { hits } = await similar();
    expect(hits[0]?.path).toBe('c.ts');
    expect(hits.map((hit) => hit.path)).not.toContain('a.ts');
  });

  it('is found for a text of its own', async () => {
    await write(['a.ts', RETRY], ['b.ts', PARSE]);
    const { hits } = await similar({ path: 'unsaved.ts', line: 1, text: PARSE.trimEnd() });
    expect(hits[0]?.path).toBe('b.ts');
  });

  it('says why it is like the place when asked', async () => {
    await write(['a.ts', RETRY], ['b.ts', PARSE], ['test/c.test.ts', RETRY.replace('retryRequest', 'retryUpload')]);
    expect((await similar()).hits[0]?.explanation).toBeUndefined();
    const [hit] = (await similar({ explain: true })).hits;
    expect(hit?.path).toBe('test/c.test.ts');
    const parts = hit?.explanation ?? [];
    // What a file is called or is for says nothing about how alike two pieces of code are.
    expect(parts.map(({ part }) => part).sort()).toEqual(['text', 'vector']);
    expect(scoreOf(parts)).toBeCloseTo(hit?.score ?? NaN, 6);
  });

  it('is refused for a line that is not indexed', async () => {
    await write(['a.ts', RETRY]);
    await expect(similar({ line: 99 })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a search with a multi-vector model', () => {
  it('compares the best chunks by their tokens, and says so', async () => {
    await write(['src/one.ts', 'export const quiz = 1;\n'], ['src/two.ts', 'export const quiz = jazz(vow);\n']);
    const question = 'quiz jvw';
    const explained = { folders: [FOLDER], query: question, limit: 10, filters: NO_FILTERS, explain: true };
    const letters = new LetterEmbedder();
    const byTokens = new Searcher({ embedder: letters, chunker, resolveLanguage, logger: SILENT_LOGGER });
    const { hits } = await byTokens.search(explained, [searched()]);
    expect(hits.map((hit) => hit.path)).toEqual(['src/two.ts', 'src/one.ts']);
    expect(hits[0]?.explanation?.find(({ part }) => part === 'tokens')?.value).toBeGreaterThan(0);
    for (const { score, explanation } of hits) expect(scoreOf(explanation)).toBeCloseTo(score);
    const plain = await searcher.search(explained, [searched()]);
    expect(plain.hits.flatMap((hit) => hit.explanation ?? []).map(({ part }) => part)).not.toContain('tokens');
  });

  it('answers as without one when tokens cannot be had', async () => {
    await write(['src/one.ts', RETRY], ['src/two.ts', PARSE]);
    const failing = new LetterEmbedder();
    failing.embedTokens = () => Promise.reject(new TesseraError('out-of-memory', 'no room'));
    const byTokens = new Searcher({ embedder: failing, chunker, resolveLanguage, logger: SILENT_LOGGER });
    const request = { folders: [FOLDER], query: 'retry request', limit: 10, filters: NO_FILTERS, explain: false };
    const found = await byTokens.search(request, [searched()]);
    const expected = await search('retry request');
    expect(found.hits).toEqual(expected.hits);
  });
});
