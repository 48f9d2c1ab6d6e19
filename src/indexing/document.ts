import type { Scope } from '../protocol/scope.ts';

/** A decoded file, ready to be cut. */
export interface SourceDocument {
  /** Relative to the indexed folder, with `/`. */
  readonly path: string;
  /** VS Code language id where there is one (`typescript`, `dockerfile`), else a lower-case name. */
  readonly language: string;
  readonly scope: Scope;
  /** Line ends as in the file. */
  readonly text: string;
}

/** A stretch of whole lines of one document. Lines count from 1 and include both ends. */
export interface Chunk {
  readonly startLine: number;
  readonly endLine: number;
  /** Its lines joined by `\n` whatever the file's line ends are, so that a checkout with CRLF embeds nothing anew. */
  readonly text: string;
  /** Name of the definition this chunk is (a part of), or of the largest one in it; a heading in docs; empty when there is none. */
  readonly symbol: string;
  /** `function`, `method`, `class`, `interface`, `heading`, …; empty when there is no symbol. */
  readonly symbolKind: string;
  /** Names of the definitions around it, outermost first. */
  readonly enclosing: readonly string[];
  /** Names of all definitions that start in this chunk, in order. */
  readonly definitions: readonly string[];
  /** Estimated tokens (see `estimateTokens`). */
  readonly tokens: number;
}

/** Sizes in estimated tokens. */
export interface ChunkLimits {
  /** What a chunk should come near to: smaller siblings are merged up to it. */
  readonly targetTokens: number;
  /** What a chunk must not exceed unless a single line does. */
  readonly maxTokens: number;
  /** Lines repeated from the end of the previous chunk; 0 unless a person sets it. */
  readonly overlapLines: number;
}

/** Cuts documents. Every line of a document is in exactly one chunk, overlap aside; an empty document has none. */
export interface Chunker {
  chunk(document: SourceDocument): Promise<readonly Chunk[]>;
  dispose(): void;
}
