import type { CancellationSignal } from '../../base/cancellation.ts';
import { errorMessage, isTesseraError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { embeddingText } from '../../indexing/embeddingText.ts';
import type { Chunker } from '../../indexing/document.ts';
import { languageOf } from '../../indexing/languages.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { OverlayText } from '../../protocol/server.ts';
import type { ChunkIndex, IndexSegment } from '../../search/chunkIndex.ts';
import type { SearchEmbedder } from '../embedder/embedder.ts';

/** An unsaved text as a segment of its own, and the texts of its chunks by id. */
export interface Overlay {
  readonly path: string;
  readonly segments: readonly IndexSegment[];
  readonly texts: ReadonlyMap<string, string>;
}

/** Unsaved texts remembered between searches: typing in the search box must not cut and embed them again. */
const REMEMBERED = 16;

/** Cuts and embeds unsaved texts of open editors, for one search; nothing of them reaches the disk. */
export class Overlays {
  readonly #chunker: Chunker;
  readonly #embedder: SearchEmbedder;
  readonly #logger: Logger;
  readonly #remembered = new Map<
    string,
    { readonly text: string; readonly index: ChunkIndex; readonly overlay: Overlay }
  >();

  constructor(chunker: Chunker, embedder: SearchEmbedder, logger: Logger) {
    this.#chunker = chunker;
    this.#embedder = embedder;
    this.#logger = logger;
  }

  /** `index` is the folder's, whose mean the vectors are compared against. */
  async overlay(
    { folder, path, text }: OverlayText,
    index: ChunkIndex,
    signal: CancellationSignal | undefined,
  ): Promise<Overlay> {
    const key = `${folder}\0${path}`;
    const known = this.#remembered.get(key);
    if (known?.text === text && known.index === index) return known.overlay;
    const { id: language, scope } = languageOf(path, text.slice(0, 200).split('\n', 1)[0]);
    const chunks = await this.#chunker.chunk({ path, language, scope, text });
    const texts = chunks.map((chunk) => embeddingText(path, chunk));
    const embedded = await this.#embed(texts, scope, signal);
    const indexable = chunks.map((chunk, row) => ({
      ...chunk,
      id: `unsaved:${folder}:${path}#${row}`,
      vector: embedded?.[row] ?? null,
    }));
    const overlay: Overlay = {
      path,
      segments: chunks.length === 0 ? [] : index.segmentsBeside([{ path, scope, language, chunks: indexable }]),
      texts: new Map(indexable.map((chunk) => [chunk.id, chunk.text])),
    };
    this.#remembered.delete(key);
    // Without vectors it is not worth keeping: the embedder may be back for the next search.
    if (embedded === undefined) return overlay;
    this.#remembered.set(key, { text, index, overlay });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    return overlay;
  }

  /** A vector for each text, null where it has none; undefined when the embedder is not available, which leaves the words. */
  async #embed(
    texts: readonly string[],
    scope: Scope,
    signal: CancellationSignal | undefined,
  ): Promise<readonly (Float32Array | null)[] | undefined> {
    if (texts.length === 0) return [];
    try {
      const request = { texts, role: 'document', scope, lane: 'saved' } as const;
      const { vectors, dimension, failures } = await this.#embedder.embed(request, signal);
      const failed = new Set(failures.map((failure) => failure.index));
      return texts.map((_, row) => (failed.has(row) ? null : vectors.subarray(row * dimension, (row + 1) * dimension)));
    } catch (error) {
      if (isTesseraError(error, 'cancelled')) throw error;
      this.#logger.warn('an unsaved text was not embedded', { error: errorMessage(error) });
      return undefined;
    }
  }
}
