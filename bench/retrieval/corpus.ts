import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { CHUNKER_VERSION } from '../../src/indexing/chunking/chunkerVersion.ts';
import { DEFAULT_CHUNK_LIMITS } from '../../src/indexing/chunking/limits.ts';
import type { ChunkLimits, SourceDocument } from '../../src/indexing/document.ts';
import { embeddingText } from '../../src/indexing/embeddingText.ts';
import { SILENT_LOGGER } from '../../src/base/logger.ts';
import { SYSTEM_CLOCK } from '../../src/process/systemClock.ts';
import { ChunkIndex, type IndexableFile } from '../../src/search/chunkIndex.ts';
import { createChunker } from '../../src/server/chunking/createChunker.ts';
import { EmbedderClient } from '../../src/server/embedder/embedderClient.ts';
import { spawnEmbedder } from '../../src/server/embedder/spawnEmbedder.ts';
import { readSource } from '../../src/server/scanner/readSource.ts';
import { scanFolder } from '../../src/server/scanner/scanFolder.ts';
import type { Cut } from './questions.ts';

const MAX_FILE_BYTES = 1 << 20;
const TEXTS_PER_REQUEST = 512;

export interface CorpusOptions {
  /** Folder of the model. */
  readonly model: string;
  /** Where chunked and embedded folders are kept between runs; null keeps none. */
  readonly cacheDir: string | null;
  readonly limits?: ChunkLimits;
}

/** Folders chunked and embedded as the product does it, held in memory: what programs that try many rankings work on. */
export class Corpora {
  readonly #options: CorpusOptions;
  readonly #embedder: EmbedderClient;
  readonly #chunker: ReturnType<typeof createChunker>;

  constructor(options: CorpusOptions) {
    this.#options = options;
    this.#chunker = createChunker({ limits: options.limits ?? DEFAULT_CHUNK_LIMITS });
    this.#embedder = new EmbedderClient({
      settings: {
        models: { code: options.model, docs: options.model },
        device: 'cpu',
        threads: 0,
        sessions: 0,
        batchSize: 0,
        memoryCeilingMb: 0,
        latencyCeilingMs: 100,
        tunerStateFile: null,
      },
      spawn: () => spawnEmbedder(),
      clock: SYSTEM_CLOCK,
      logger: SILENT_LOGGER,
    });
  }

  /** The folder's index; `cuts` are lines taken out of files first (a question's own source). */
  async index(folder: string, cuts: readonly Cut[] = []): Promise<ChunkIndex> {
    const { code } = await this.#embedder.open();
    const index = new ChunkIndex({ dimensions: { code: code.dimension, docs: code.dimension }, hasOneSpace: true });
    index.add(await this.#files(folder, cuts, code.id));
    return index;
  }

  async embedQueries(texts: readonly string[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += TEXTS_PER_REQUEST) {
      const block = texts.slice(from, from + TEXTS_PER_REQUEST);
      const result = await this.#embedder.embed({ texts: block, role: 'query', scope: 'code', lane: 'query' });
      block.forEach((_, row) =>
        vectors.push(result.vectors.slice(row * result.dimension, (row + 1) * result.dimension)),
      );
    }
    return vectors;
  }

  dispose(): void {
    this.#embedder.dispose();
    this.#chunker.dispose();
  }

  async #files(folder: string, cuts: readonly Cut[], modelId: string): Promise<IndexableFile[]> {
    const { limits = DEFAULT_CHUNK_LIMITS } = this.#options;
    const chunked = await this.#cached(folder, ['chunks', folder, cuts, CHUNKER_VERSION, limits], () =>
      this.#chunkFolder(folder, cuts),
    );
    const vectors = await this.#cached(folder, ['vectors', folder, cuts, CHUNKER_VERSION, limits, modelId], () =>
      this.#embedDocuments(
        chunked.flatMap(({ path: file, chunks }) => chunks.map((chunk) => embeddingText(file, chunk))),
      ),
    );
    let next = 0;
    return chunked.map((file) => ({
      ...file,
      chunks: file.chunks.map((chunk) => ({ ...chunk, vector: vectors[next++] ?? null })),
    }));
  }

  /** What `make` gives, kept in the cache folder under the hash of `key`. */
  async #cached<T>(folder: string, key: readonly unknown[], make: () => Promise<T>): Promise<T> {
    const { cacheDir } = this.#options;
    if (cacheDir === null) return make();
    const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    const file = path.join(cacheDir, `${path.basename(folder)}-${hash.slice(0, 16)}.bin`);
    const cached = await readFile(file).catch(() => null);
    if (cached !== null) return deserialize(cached) as T;
    const made = await make();
    await mkdir(cacheDir, { recursive: true });
    await writeFile(file, serialize(made));
    return made;
  }

  async #chunkFolder(folder: string, cuts: readonly Cut[]): Promise<IndexableFile[]> {
    const cutByPath = Map.groupBy(cuts, (cut) => cut.path);
    const files: IndexableFile[] = [];
    for await (const entry of scanFolder(folder, { maxFileBytes: MAX_FILE_BYTES, exclude: [], useIgnoreFiles: true })) {
      if (entry.kind !== 'file') continue;
      const outcome = await readSource(folder, entry.path, { maxFileBytes: MAX_FILE_BYTES });
      if (outcome.kind !== 'document') continue;
      const text = withoutLines(outcome.document.text, cutByPath.get(entry.path) ?? []);
      const document: SourceDocument = { ...outcome.document, text };
      const { scope, language } = document;
      const chunks = (await this.#chunker.chunk(document)).map((chunk, ordinal) => ({
        ...chunk,
        id: `${entry.path}#${ordinal}`,
        vector: null,
      }));
      files.push({ path: entry.path, scope, language, chunks });
    }
    return files;
  }

  async #embedDocuments(texts: readonly string[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += TEXTS_PER_REQUEST) {
      const block = texts.slice(from, from + TEXTS_PER_REQUEST);
      const result = await this.#embedder.embed({ texts: block, role: 'document', scope: 'code', lane: 'bulk' });
      block.forEach((_, row) =>
        vectors.push(result.vectors.slice(row * result.dimension, (row + 1) * result.dimension)),
      );
    }
    return vectors;
  }
}

/** Cut lines stay as empty ones, so that line numbers keep their meaning. */
function withoutLines(text: string, cuts: readonly Cut[]): string {
  if (cuts.length === 0) return text;
  const lines = text.split('\n');
  for (const { from, to } of cuts) for (let line = from; line <= to; line++) lines[line - 1] = '';
  return lines.join('\n');
}
