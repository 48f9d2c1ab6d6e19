import type { Chunk, ChunkLimits, SourceDocument } from '../../indexing/document.ts';
import type { ParserRuntime } from './parserRuntime.ts';

/** What a syntax thread is started with. */
export interface SyntaxWorkerData {
  /** Where the build put the grammars; undefined: they are in node_modules. */
  readonly grammarFolder: string | undefined;
  readonly limits: ChunkLimits;
  /** Shared by all threads of the process; undefined: the thread compiles its own, or says why it cannot. */
  readonly runtime?: ParserRuntime | undefined;
}

/** A document to be cut; answered in order. */
export interface SyntaxJob {
  readonly id: number;
  readonly document: SourceDocument;
}

export type SyntaxAnswer =
  /** The thread is there. */
  | { readonly kind: 'up' }
  /** It is being cut from now on. */
  | { readonly kind: 'begun'; readonly id: number }
  /** `chunks` is undefined when there is no tree: no grammar, or parsing took too long. */
  | { readonly kind: 'cut'; readonly id: number; readonly chunks: readonly Chunk[] | undefined }
  /** The grammar failed on this document; the thread ends. */
  | { readonly kind: 'failed'; readonly id: number; readonly error: string }
  /** A grammar could not be loaded. */
  | { readonly kind: 'problem'; readonly grammar: string; readonly error: string };
