import type { CancellationSignal } from '../../base/cancellation.ts';
import { embeddingText } from '../../indexing/embeddingText.ts';
import type { Chunker } from '../../indexing/document.ts';
import { languageOf } from '../../indexing/languages.ts';
import type { OverlayText } from '../../protocol/server.ts';
import type { ChunkIndex, IndexSegment } from '../../search/chunkIndex.ts';
import type { Embedder } from '../embedder/embedder.ts';

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
  readonly #embedder: Embedder;
  readonly #remembered = new Map<
    string,
    { readonly text: string; readonly index: ChunkIndex; readonly overlay: Overlay }
  >();

  constructor(chunker: Chunker, embedder: Embedder) {
    this.#chunker = chunker;
    this.#embedder = embedder;
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
    const { vectors, dimension, failures } =
      texts.length === 0
        ? { vectors: new Float32Array(0), dimension: 0, failures: [] }
        : await this.#embedder.embed({ texts, role: 'document', scope, lane: 'saved' }, signal);
    const failed = new Set(failures.map((failure) => failure.index));
    const indexable = chunks.map((chunk, row) => ({
      ...chunk,
      id: `unsaved:${folder}:${path}#${row}`,
      vector: failed.has(row) ? null : vectors.subarray(row * dimension, (row + 1) * dimension),
    }));
    const overlay: Overlay = {
      path,
      segments: chunks.length === 0 ? [] : index.segmentsBeside([{ path, scope, language, chunks: indexable }]),
      texts: new Map(indexable.map((chunk) => [chunk.id, chunk.text])),
    };
    this.#remembered.delete(key);
    this.#remembered.set(key, { text, index, overlay });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    return overlay;
  }
}
