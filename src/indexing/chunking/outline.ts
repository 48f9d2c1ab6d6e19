import { FUNCTION_KINDS, NAMESPACE_KINDS } from './profile.ts';

/** A definition (or a heading) and the lines it takes, counted from 0, its comments and decorators included. */
export interface OutlineEntry {
  readonly name: string;
  readonly kind: string;
  readonly first: number;
  readonly last: number;
  /** The line its name is on. */
  readonly nameLine: number;
  /** Index of the entry around it, -1 for none; an outer entry comes before its inner ones. */
  readonly parent: number;
  /** Scopes named in the definition itself (`Router` in `func (r *Router) Match`), outermost first. */
  readonly owners: readonly string[];
  /** False for a scope that adds to something defined elsewhere (Rust's `impl`, Swift's `extension`). */
  readonly declares: boolean;
}

/** What a chunk is called and what it defines. */
export interface SpanNames {
  readonly symbol: string;
  readonly symbolKind: string;
  readonly enclosing: readonly string[];
  readonly definitions: readonly string[];
}

/** Tokens of lines `first` to `last`. */
export type TokensOfLines = (first: number, last: number) => number;

/** Answers what stretches of a document are called. */
export class Outline {
  readonly #entries: readonly OutlineEntry[];
  /** Indices of the entries inside each entry; the outermost ones under -1. */
  readonly #inner = new Map<number, number[]>();
  readonly #tokens: TokensOfLines;

  constructor(entries: readonly OutlineEntry[], tokens: TokensOfLines) {
    this.#entries = entries;
    this.#tokens = tokens;
    entries.forEach((entry, index) => {
      const siblings = this.#inner.get(entry.parent);
      if (siblings === undefined) this.#inner.set(entry.parent, [index]);
      else siblings.push(index);
    });
  }

  /**
   * Names lines `first` to `last`: after the definition most of them belong to, as deep as the lines go into it
   * (a part of a class is named after its method there), a namespace giving way to what fills it.
   */
  namesOf(first: number, last: number): SpanNames {
    const path: OutlineEntry[] = [];
    const definitions: string[] = [];
    this.#collectDefinitions(-1, first, last, definitions);
    const half = this.#tokens(first, last) / 2;
    let parent = -1;
    for (;;) {
      const largest = this.#largestInside(parent, first, last);
      if (largest === undefined) break;
      const outer = path.at(-1);
      const isFilling = largest.tokens >= half;
      const isDetail = outer !== undefined && (FUNCTION_KINDS.has(outer.kind) || outer.nameLine >= first);
      if (isDetail && !isFilling) break;
      path.push(largest.entry);
      parent = largest.index;
      if (largest.entry.nameLine >= first && !NAMESPACE_KINDS.has(largest.entry.kind)) break;
    }
    const symbol = path.pop();
    return {
      symbol: symbol?.name ?? '',
      symbolKind: symbol?.kind ?? '',
      enclosing: [...path.flatMap((entry) => [...entry.owners, entry.name]), ...(symbol?.owners ?? [])],
      definitions: [...new Set(definitions)],
    };
  }

  #largestInside(
    parent: number,
    first: number,
    last: number,
  ): { index: number; entry: OutlineEntry; tokens: number } | undefined {
    let best: { index: number; entry: OutlineEntry; tokens: number } | undefined;
    for (const index of this.#inner.get(parent) ?? []) {
      const entry = this.#entries[index];
      if (entry === undefined || entry.last < first) continue;
      if (entry.first > last) break;
      const tokens = this.#tokens(Math.max(first, entry.first), Math.min(last, entry.last));
      if (best === undefined || tokens > best.tokens) best = { index, entry, tokens };
    }
    return best;
  }

  #collectDefinitions(parent: number, first: number, last: number, into: string[]): void {
    for (const index of this.#inner.get(parent) ?? []) {
      const entry = this.#entries[index];
      if (entry === undefined || entry.last < first) continue;
      if (entry.first > last) break;
      if (entry.declares && entry.nameLine >= first && entry.nameLine <= last) into.push(entry.name);
      this.#collectDefinitions(index, first, last, into);
    }
  }
}
