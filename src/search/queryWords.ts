import type { SearchQuery } from './searchQuery.ts';
import { inverseFrequency, type termStatistics } from './textScores.ts';

interface PieceMatch {
  readonly weight: number;
  readonly share: number;
}
const NO_MATCH: PieceMatch = { weight: 0, share: 0 };
/** What a form of a word counts against the word itself. */
const RELATED_SHARE = 0.6;

/** A query's words against the pieces of a name, weighted by how rare they are. */
export class QueryWords {
  readonly #weights = new Map<string, number>();
  readonly #names: ReadonlyMap<string, number>;
  readonly #total: number;
  readonly #matches = new Map<string, PieceMatch>();
  /** Which two characters (seven bits of each) a word of the query begins with: most pieces share none, and are told by this alone. */
  readonly #beginnings = new Uint8Array(1 << 14);

  constructor(query: SearchQuery, terms: ReturnType<typeof termStatistics>, chunkCount: number) {
    const idf = new Map(terms.map((term) => [term.token, term.idf]));
    let total = 0;
    for (const { token, weight: share } of query.pieces) {
      const weight = share * (idf.get(token) ?? inverseFrequency(chunkCount, 0));
      this.#weights.set(token, weight);
      this.#beginnings[beginningOf(token)] = 1;
      total += weight;
    }
    this.#total = Math.max(total, 1e-9);
    this.#names = query.names;
  }

  likelihood(collapsed: string): number {
    return this.#names.get(collapsed) ?? 0;
  }

  /** Share of the query's weight found among `pieces`, and share of `pieces` found in the query. */
  covered(pieces: readonly string[]): { readonly weight: number; readonly share: number } {
    let weight = 0;
    let found = 0;
    for (const piece of pieces) {
      const match = this.#match(piece);
      weight += match.weight;
      found += match.share;
    }
    return { weight: Math.min(1, weight / this.#total), share: pieces.length === 0 ? 0 : found / pieces.length };
  }

  /** Harmonic mean of the two shares: 1 when a name says what the query says. */
  agreement(pieces: readonly string[]): number {
    const { weight, share } = this.covered(pieces);
    return weight === 0 ? 0 : (2 * weight * share) / (weight + share);
  }

  /** What one piece of a name gives: all of a word it is, a part of one it is a form of (`config` and `configuration`). */
  #match(piece: string): PieceMatch {
    if (this.#beginnings[beginningOf(piece)] === 0) return NO_MATCH;
    const known = this.#matches.get(piece);
    if (known !== undefined) return known;
    const exact = this.#weights.get(piece);
    let match: PieceMatch = exact === undefined ? NO_MATCH : { weight: exact, share: 1 };
    if (exact === undefined) {
      for (const [word, weight] of this.#weights) {
        const partial = RELATED_SHARE * weight;
        if (partial > match.weight && areRelated(piece, word)) match = { weight: partial, share: RELATED_SHARE };
      }
    }
    this.#matches.set(piece, match);
    return match;
  }
}

function beginningOf(word: string): number {
  return ((word.charCodeAt(0) & 127) << 7) | (word.charCodeAt(1) & 127);
}

/** Whether two stemmed words look like forms or abbreviations of one: `auth` and `authentication`, `validator` and `validation`. */
function areRelated(left: string, right: string): boolean {
  const shorter = Math.min(left.length, right.length);
  if (shorter < 3) return false;
  let common = 0;
  while (common < shorter && left.charCodeAt(common) === right.charCodeAt(common)) common++;
  return common === shorter ? shorter >= 4 || left.length + right.length <= 10 : common >= 5 && common >= 0.6 * shorter;
}
