import type { CancellationSignal } from '../../base/cancellation.ts';
import { embeddingText } from '../../indexing/embeddingText.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import { maxSim } from '../../search/maxSim.ts';
import type { RankedChunk } from '../../search/ranking.ts';
import type { SearchEmbedder } from '../embedder/embedder.ts';

/** Chunks looked at again; each costs a run of the model. */
export const CHUNKS_COMPARED = 32;
/** Chunks whose vectors are kept: some thirty megabytes, and a query typed letter by letter embeds each of them once. */
const CHUNKS_KEPT = 256;

/**
 * Looks at the best chunks once more by the vectors of their tokens, where the model gives any. Their likeness to the query
 * counts as much as all other evidence: it is given the range that the scores of the compared chunks have.
 */
export class TokenRanking {
  readonly #embedder: SearchEmbedder;
  readonly #kept = new Map<string, Float32Array>();

  constructor(embedder: SearchEmbedder) {
    this.#embedder = embedder;
  }

  /** Whether there is a model of this kind: without, ranking stays as it is at no cost. */
  async isPossible(signal?: CancellationSignal): Promise<boolean> {
    const models = await this.#embedder.open(signal);
    return SCOPES.some((scope) => models[scope].multiVector);
  }

  /**
   * The chunks in their new order, those without a text left as they are. Rejects with what the embedder rejects with.
   *
   * @param texts Text of each chunk by its id.
   */
  async rank(
    query: string,
    chunks: readonly RankedChunk[],
    texts: ReadonlyMap<string, string>,
    signal?: CancellationSignal,
  ): Promise<RankedChunk[]> {
    const models = await this.#embedder.open(signal);
    const likeness = new Map<RankedChunk, number>();
    for (const scope of SCOPES) {
      const own = chunks.filter(({ file, chunk }) => file.scope === scope && texts.has(chunk.id));
      if (own.length === 0 || !models[scope].multiVector) continue;
      const asked = await this.#embedder.embedTokens({ texts: [query], role: 'query', scope }, signal);
      const inputs = own.map(({ file, chunk }) =>
        embeddingText(file.path, { text: texts.get(chunk.id) ?? '', symbol: chunk.symbol, enclosing: [] }),
      );
      const vectors = await this.#vectorsOf(inputs, scope, models[scope].id, signal);
      own.forEach((chunk, index) => {
        likeness.set(chunk, maxSim(asked.vectors, vectors[index] ?? new Float32Array(0), asked.dimension));
      });
    }
    return withLikeness(chunks, likeness);
  }

  async #vectorsOf(
    texts: readonly string[],
    scope: Scope,
    model: string,
    signal: CancellationSignal | undefined,
  ): Promise<readonly Float32Array[]> {
    const keyOf = (text: string) => `${model}\n${text}`;
    const missing = [...new Set(texts.filter((text) => !this.#kept.has(keyOf(text))))];
    const found = new Map(texts.map((text) => [text, this.#kept.get(keyOf(text))]));
    if (missing.length > 0) {
      const { vectors, dimension, tokenCounts } = await this.#embedder.embedTokens(
        { texts: missing, role: 'document', scope },
        signal,
      );
      let at = 0;
      missing.forEach((text, index) => {
        const size = (tokenCounts[index] ?? 0) * dimension;
        found.set(text, vectors.slice(at, at + size));
        at += size;
      });
    }
    for (const [text, vector] of found) {
      if (vector !== undefined) this.#keep(keyOf(text), vector);
    }
    return texts.map((text) => found.get(text) ?? new Float32Array(0));
  }

  /** Those used last are kept longest. */
  #keep(key: string, vectors: Float32Array): void {
    this.#kept.delete(key);
    this.#kept.set(key, vectors);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > CHUNKS_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function withLikeness(chunks: readonly RankedChunk[], likeness: ReadonlyMap<RankedChunk, number>): RankedChunk[] {
  const all = [...likeness.values()];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  if (!(most > least)) return [...chunks];
  const scores = chunks.map(({ score }) => score);
  const range = Math.max(...scores) - Math.min(...scores);
  return chunks
    .map((chunk) => {
      const own = likeness.get(chunk);
      if (own === undefined) return chunk;
      const value = (range * (own - least)) / (most - least);
      const detail = `its tokens are at ${Math.round(100 * own)} % like the query's`;
      return { ...chunk, score: chunk.score + value, parts: [...chunk.parts, { part: 'tokens', value, detail }] };
    })
    .sort((left, right) => right.score - left.score);
}
