import type { Scope, ScopeFilter } from './scope.ts';

/** What one part of the ranking gave a hit; parts of one hit add up to s, and its score is 1 / (1 + e^−s). */
export interface ScorePart {
  /** Stable name of the part: `vector`, `text`, `definition`, `path`, … */
  readonly part: string;
  readonly value: number;
  /** What was seen, in a few words: `defines parseConfig`, `rank 3 of the full-text hits`. */
  readonly detail: string;
}

/** The whole text of the chunk a hit is about. */
export interface Passage {
  /** Line of the text's first line. */
  readonly startLine: number;
  readonly text: string;
  /** Line the hit's snippet begins at. */
  readonly snippetLine: number;
}

export interface Hit {
  /** Relative to the searched folder, with `/`. */
  readonly path: string;
  /** Lines count from 1 and include both ends. */
  readonly startLine: number;
  readonly endLine: number;
  /** Above 0, below 1, higher is better, ½ where as much speaks against a hit as for it; no probability, and comparable within one answer only. */
  readonly score: number;
  readonly scope: Scope;
  readonly language: string;
  /** Name of the definition, with the scopes around it (`Router.match`); empty when there is none. */
  readonly symbol: string;
  readonly snippet: string;
  /** Present when the query asked for an explanation. */
  readonly explanation?: readonly ScorePart[];
  /** Present when the query asked for passages. */
  readonly passage?: Passage;
}

export interface SearchFilters {
  readonly scope: ScopeFilter;
  /** Globs a path must match one of; empty: all. */
  readonly include: readonly string[];
  /** Globs no path may match. */
  readonly exclude: readonly string[];
  /** Language ids; empty: all. */
  readonly languages: readonly string[];
}

export const NO_FILTERS: SearchFilters = { scope: 'all', include: [], exclude: [], languages: [] };
