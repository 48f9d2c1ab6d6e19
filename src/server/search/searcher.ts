import { throwIfCancelled, type CancellationSignal } from '../../base/cancellation.ts';
import { TesseraError, errorMessage, isTesseraError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Chunker } from '../../indexing/document.ts';
import { NO_FILTERS, type SearchFilters } from '../../protocol/hit.ts';
import type { TextRole } from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import type { FolderHit, OverlayText, SearchResult, SimilarParams } from '../../protocol/server.ts';
import type { ChunkIndex, VectorShape } from '../../search/chunkIndex.ts';
import { type EvidenceRequest, type FileEvidence, collectEvidence } from '../../search/evidence.ts';
import type { LanguageResolver } from '../../search/queryFilters.ts';
import { type RankedChunk, rank } from '../../search/ranking.ts';
import { SIMILARITY_WEIGHTS } from '../../search/rankingWeights.ts';
import { type SearchQuery, parseQuery } from '../../search/searchQuery.ts';
import { similarityQuery } from '../../search/similarityQuery.ts';
import type { SearchEmbedder } from '../embedder/embedder.ts';
import type { FolderSearch, FolderSearchParams, SearchedFolder } from '../folderSearch.ts';
import type { ChunkReader, FileRecord } from '../store/chunkStore.ts';
import { candidateIndex } from './candidateIndex.ts';
import { chunkFilter } from './chunkFilter.ts';
import { FileFilters, fileFilter } from './fileFilters.ts';
import { hitsOf, readTexts } from './hits.ts';
import {
  type LoadedFolder,
  acceptedInFolder,
  combined,
  notReplaced,
  ownersOf,
  recencyOf,
  unsavedText,
} from './loadedFolders.ts';
import { MemoryIndex } from './memoryIndex.ts';
import { Rehearsal, type RehearsalPace } from './rehearsal.ts';
import { SegmentImages } from './segmentImages.ts';
import { Overlays } from './overlays.ts';
import { CHUNKS_COMPARED, TokenRanking } from './tokenRanking.ts';

export interface SearcherOptions {
  readonly embedder: SearchEmbedder;
  /** Cuts unsaved texts. */
  readonly chunker: Chunker;
  readonly resolveLanguage: LanguageResolver;
  readonly logger: Logger;
  /** Chunks of a folder that are held in memory at most. */
  readonly maxChunksInMemory?: number;
  /** Set where somebody will type: each larger index is rehearsed at this pace. */
  readonly rehearsal?: RehearsalPace;
}

/** Beyond this a folder is searched through its table alone: about 4 KB of memory a chunk (`bench/searchLatency.ts`). */
const MAX_CHUNKS_IN_MEMORY = 250_000;

type QueryVectors = Readonly<Record<Scope, Float32Array | null>>;
interface Embedding {
  readonly vectors: QueryVectors;
  readonly degraded: string | null;
}

interface AskedQuery {
  readonly query: SearchQuery;
  readonly filtersIn: (folder: string) => SearchFilters;
  readonly embedding: Promise<Embedding>;
}

const NO_VECTORS: QueryVectors = { code: null, docs: null };
/** As many as a view asks for. */
const REHEARSED_HITS = 30;

/** Answers searches over folders: embeds the query, ranks over the indexes in memory, and reads the texts of the hits. */
export class Searcher implements FolderSearch {
  readonly #options: SearcherOptions;
  /** A rebuild replaces a folder's reader; its index in memory goes with it. */
  readonly #indexes = new WeakMap<ChunkReader, MemoryIndex>();
  readonly #overlays: Overlays;
  readonly #filters = new FileFilters();
  readonly #settling = new Set<Promise<void>>();
  readonly #rehearsal: Rehearsal | undefined;
  #rehearsing = new AbortController();
  readonly #tokens: TokenRanking;

  constructor(options: SearcherOptions) {
    this.#options = options;
    this.#overlays = new Overlays(options.chunker, options.embedder, options.logger);
    this.#tokens = new TokenRanking(options.embedder);
    this.#rehearsal = options.rehearsal === undefined ? undefined : new Rehearsal(options.rehearsal);
  }

  async search(
    params: FolderSearchParams,
    folders: readonly SearchedFolder[],
    signal?: CancellationSignal,
  ): Promise<SearchResult> {
    const query = parseQuery(params.query, this.#options.resolveLanguage);
    this.#rehearsal?.noteSearch();
    return this.#find(params, query, folders, this.#embed(query.text, 'query', folders, signal), signal);
  }

  async #find(
    params: FolderSearchParams,
    query: SearchQuery,
    folders: readonly SearchedFolder[],
    embedding: Promise<Embedding>,
    signal: CancellationSignal | undefined,
  ): Promise<SearchResult> {
    const startedAt = performance.now();
    const filtersIn = (folder: string) => params.folderFilters?.[folder] ?? params.filters;
    const asked = { query, filtersIn, embedding };
    const [takeLoaded, { vectors, degraded }] = await bothSettled(
      this.#load(folders, asked, params.overlays ?? [], signal),
      embedding,
    );
    throwIfCancelled(signal);
    const passesWritten = fileFilter(query.filters);
    const answer = async (asked: SearchQuery) => {
      // Anew for each answer: while texts were read for one, segments may have been merged.
      const loaded = takeLoaded();
      const passesSet = acceptedInFolder(loaded, (folder) => this.#filters.of(filtersIn(folder)));
      const evidence = collectEvidence({
        index: combined(loaded),
        query: asked,
        vectors,
        acceptsFile: notReplaced(loaded, (file, segment) => passesSet(file, segment) && passesWritten(file)),
        acceptsChunk: chunkFilter(asked),
        recencyOf: recencyOf(loaded),
        openPaths: params.openPaths ?? [],
      });
      const best = degraded === null ? await this.#comparedByTokens(evidence, asked.text, loaded, signal) : [];
      return hitsOf({
        ranked: (limit) => [...best, ...rank(evidence, limit).slice(best.length)].slice(0, limit),
        limit: params.limit,
        query: asked,
        explain: params.explain,
        passages: params.passages ?? false,
        ownerOf: ownersOf(loaded),
        unsavedText: (id) => unsavedText(loaded, id),
      });
    };
    const hits = await answer(query);
    if (hits.length > 0 || query.phrases.length === 0) return this.#result(hits, folders, degraded, startedAt);
    // A quoted text in a pasted sentence is rarely in the code as it stands; an empty answer would help nobody.
    const near = await answer({ ...query, phrases: [] });
    return { ...this.#result(near, folders, degraded, startedAt), withoutPhrases: near.length > 0 };
  }

  async prepare(folder: SearchedFolder): Promise<void> {
    const files = await folder.reader.files();
    if (!this.#isTooLarge(files)) await this.#current(folder);
  }

  async settled(): Promise<void> {
    this.#rehearsing.abort();
    this.#rehearsing = new AbortController();
    while (this.#settling.size > 0) await Promise.all(this.#settling);
  }

  async similar(params: SimilarParams, folder: SearchedFolder, signal?: CancellationSignal): Promise<SearchResult> {
    const startedAt = performance.now();
    const chunks = await folder.reader.chunksOf(params.path);
    const chunk = chunks.find(({ startLine, endLine }) => startLine <= params.line && params.line <= endLine);
    if (chunk === undefined && params.text === null) {
      throw new TesseraError('not-found', `Line ${params.line} of ${params.path} is not in the index.`, {
        details: { path: params.path, line: params.line },
      });
    }
    const text = params.text ?? chunk?.text ?? '';
    const embedding = this.#embed(text, 'document', [folder], signal);
    const asked = { query: similarityQuery(text), filtersIn: () => params.filters, embedding };
    const [takeLoaded, { vectors, degraded }] = await bothSettled(this.#load([folder], asked, [], signal), embedding);
    const loaded = takeLoaded();
    const index = combined(loaded);
    const query = similarityQuery(text, index);
    const lastLine = params.line + (params.text === null ? 0 : text.split('\n').length - 1);
    const acceptsFile = this.#filters.of(params.filters);
    const request: EvidenceRequest = {
      index,
      query,
      vectors,
      acceptsFile,
      // What is asked about is no answer.
      acceptsChunk: (entry, number, segment) =>
        segment.files[segment.lexical.files[number] ?? 0]?.path !== params.path ||
        entry.startLine > lastLine ||
        entry.endLine < params.line,
      recencyOf: () => 0,
      openPaths: [],
    };
    const evidence = collectEvidence(request);
    const hits = await hitsOf({
      ranked: (limit) => rank(evidence, limit, SIMILARITY_WEIGHTS),
      limit: params.limit,
      query,
      explain: params.explain ?? false,
      passages: params.passages ?? false,
      ownerOf: () => folder,
      unsavedText: () => undefined,
    });
    return this.#result(hits, [folder], degraded, startedAt);
  }

  /** The best chunks in the order a multi-vector model gives them; none where there is no such model, or it fails. */
  async #comparedByTokens(
    evidence: readonly FileEvidence[],
    text: string,
    loaded: readonly LoadedFolder[],
    signal: CancellationSignal | undefined,
  ): Promise<readonly RankedChunk[]> {
    try {
      if (text.trim() === '' || !(await this.#tokens.isPossible(signal))) return [];
      const best = rank(evidence, CHUNKS_COMPARED);
      const texts = await readTexts(best, ownersOf(loaded), (id) => unsavedText(loaded, id));
      return await this.#tokens.rank(text, best, texts, signal);
    } catch (error) {
      if (isTesseraError(error, 'cancelled')) throw error;
      this.#options.logger.warn('the tokens were not compared', { error: errorMessage(error) });
      return [];
    }
  }

  #result(
    hits: readonly FolderHit[],
    folders: readonly SearchedFolder[],
    degraded: string | null,
    startedAt: number,
  ): SearchResult {
    const complete = folders.every(({ reader }) => reader.isComplete);
    return { hits, complete, tookMs: performance.now() - startedAt, degraded };
  }

  /** What is resolved with gives the folders as they are when it is called: a save that comes in later moves files between segments. */
  async #load(
    folders: readonly SearchedFolder[],
    asked: AskedQuery,
    overlays: readonly OverlayText[] | Promise<readonly OverlayText[]>,
    signal: CancellationSignal | undefined,
  ): Promise<() => LoadedFolder[]> {
    const read = await Promise.all(
      folders.map(async (place) => {
        const files = await place.reader.files();
        const index = await this.#indexOf(place, files, asked, signal);
        const own = (await overlays).filter(({ folder }) => folder === place.folder);
        const unsaved = await Promise.all(own.map((overlay) => this.#overlays.overlay(overlay, index, signal)));
        return { place, files, index, own, unsaved };
      }),
    );
    return () =>
      read.map(({ place, files, index, own, unsaved }) => ({
        place,
        segments: [...index.segments, ...unsaved.flatMap(({ segments }) => segments)],
        chunkCount: index.chunkCount,
        overlaid: new Set(own.map(({ path }) => path)),
        unsavedTexts: new Map(unsaved.flatMap(({ texts }) => [...texts])),
        files,
      }));
  }

  /** The folder's index in memory; for one too large to hold, an index of what may answer this query. */
  async #indexOf(
    folder: SearchedFolder,
    files: ReadonlyMap<string, FileRecord>,
    { query, filtersIn, embedding }: AskedQuery,
    signal: CancellationSignal | undefined,
  ): Promise<ChunkIndex> {
    if (!this.#isTooLarge(files)) return this.#current(folder, signal);
    const { reader } = folder;
    const { vectors } = await embedding;
    return candidateIndex({ reader, shape: shapeOf(reader), query, vectors, filters: filtersIn(folder.folder) });
  }

  #isTooLarge(files: ReadonlyMap<string, FileRecord>): boolean {
    let chunks = 0;
    for (const file of files.values()) chunks += file.chunks;
    return chunks > (this.#options.maxChunksInMemory ?? MAX_CHUNKS_IN_MEMORY);
  }

  async #current(folder: SearchedFolder, signal?: CancellationSignal): Promise<ChunkIndex> {
    const memory = this.#memoryIndex(folder);
    try {
      const index = await memory.current(signal);
      if (this.#rehearsal?.isDue(index) === true) this.#awaitSettling(this.#rehearse(this.#rehearsal, folder, index));
      return index;
    } finally {
      this.#awaitSettling(memory.settled());
    }
  }

  #awaitSettling(work: Promise<void>): void {
    const settled = work.finally(() => this.#settling.delete(settled));
    this.#settling.add(settled);
  }

  /** Never rejects: who searches after it is only slower. */
  async #rehearse(rehearsal: Rehearsal, folder: SearchedFolder, { segments }: ChunkIndex): Promise<void> {
    const { signal } = this.#rehearsing;
    const { dimensions } = shapeOf(folder.reader);
    const vectors = { code: anyVector(dimensions.code), docs: anyVector(dimensions.docs) };
    // Said to be degraded, it compares no tokens: the embedder is not started for it.
    const embedding = Promise.resolve({ vectors, degraded: 'a rehearsal' });
    const rest = {
      folders: [folder.folder],
      filters: NO_FILTERS,
      limit: REHEARSED_HITS,
      explain: true,
      passages: true,
    };
    try {
      await rehearsal.run(
        segments,
        (query) =>
          this.#find({ ...rest, query }, parseQuery(query, this.#options.resolveLanguage), [folder], embedding, signal),
        signal,
      );
    } catch (error) {
      this.#options.logger.debug('the rehearsal ended early', { error: errorMessage(error) });
    }
  }

  #memoryIndex({ reader, imagesDir }: SearchedFolder): MemoryIndex {
    let index = this.#indexes.get(reader);
    if (index === undefined) {
      const { logger } = this.#options;
      // Segments without vectors would be taken for whole once the model is there again.
      const images = reader.hasVectors ? new SegmentImages(imagesDir, logger) : undefined;
      index = new MemoryIndex(reader, shapeOf(reader), logger, images);
      this.#indexes.set(reader, index);
    }
    return index;
  }

  /** The query's vectors; without them (the embedder has failed) the search goes on by words, and says so. */
  async #embed(
    text: string,
    role: TextRole,
    folders: readonly SearchedFolder[],
    signal: CancellationSignal | undefined,
  ): Promise<Embedding> {
    if (text.trim() === '') return { vectors: NO_VECTORS, degraded: null };
    const scopes = folders.every(({ reader }) => reader.hasOneVectorSpace) ? (['code'] as const) : SCOPES;
    try {
      const found = await Promise.all(
        scopes.map(async (scope) => {
          const { vectors, failures } = await this.#options.embedder.embed(
            { texts: [text], role, scope, lane: 'query' },
            signal,
          );
          return [scope, failures.length === 0 ? vectors : null] as const;
        }),
      );
      return { vectors: { ...NO_VECTORS, ...Object.fromEntries(found) }, degraded: null };
    } catch (error) {
      if (isTesseraError(error, 'cancelled')) throw error;
      this.#options.logger.warn('the query was not embedded', { error: errorMessage(error) });
      return { vectors: NO_VECTORS, degraded: 'The embedder is not available: only words and names were compared.' };
    }
  }
}

/** Vectors of another model than the one in use say nothing about a query: they are left out. */
function shapeOf({ spaces, hasOneVectorSpace, hasVectors }: ChunkReader): VectorShape {
  return {
    dimensions: {
      code: hasVectors ? spaces.code.dimension : 0,
      docs: hasVectors ? spaces.docs.dimension : 0,
    },
    hasOneSpace: hasOneVectorSpace,
  };
}

/** Unit length; null where there are no vectors. */
function anyVector(dimension: number): Float32Array | null {
  return dimension === 0 ? null : new Float32Array(dimension).fill(1 / Math.sqrt(dimension));
}

/** Both results, or the first one's failure, or the second's; no read of a table goes on after a search has ended. */
async function bothSettled<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
