import { TesseraError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { chunkLines, tokenSums } from '../../indexing/chunking/chunkLines.ts';
import { readDocument } from '../../indexing/chunking/docStructure.ts';
import { GRAMMARS } from '../../indexing/chunking/grammarTable.ts';
import { DEFAULT_CHUNK_LIMITS } from '../../indexing/chunking/limits.ts';
import { lineBreakCosts } from '../../indexing/chunking/lineStructure.ts';
import { readLines } from '../../indexing/chunking/lines.ts';
import type { Chunk, Chunker, ChunkLimits, SourceDocument } from '../../indexing/document.ts';
import { compileParserRuntime } from './parserRuntime.ts';
import { SyntaxThread } from './syntaxThread.ts';
import { SyntaxThreads, threadCount } from './syntaxThreads.ts';

export interface ChunkerOptions {
  /** Absolute folder of the grammars the build copied; without it they are taken from node_modules. */
  readonly grammarFolder?: string;
  readonly limits?: ChunkLimits;
  readonly logger?: Logger;
}

/**
 * A chunker that cuts code along definitions where a grammar for the language exists, docs by heading and paragraph,
 * the rest (and code its grammar cannot cope with) by blank lines and indentation. Parsing happens on threads of its own,
 * the first of them started with the first document that needs it, the others when documents wait. `chunk` rejects with
 * `disposed` after `dispose`, and never because of the document.
 */
export function createChunker(options: ChunkerOptions = {}): Chunker {
  const { grammarFolder, limits = DEFAULT_CHUNK_LIMITS, logger } = options;
  let isDisposed = false;
  let syntax: Promise<SyntaxThreads> | undefined;

  const prepareThreads = async (): Promise<SyntaxThreads> => {
    // A thread that is given none tries as well, and says what is wrong with the file.
    const runtime = await compileParserRuntime(grammarFolder).catch(() => undefined);
    const data = { grammarFolder, limits, runtime };
    const threads = Array.from({ length: threadCount() }, () => new SyntaxThread(data, { logger }));
    const prepared = new SyntaxThreads(threads);
    if (isDisposed) prepared.dispose();
    return prepared;
  };

  return {
    async chunk(document: SourceDocument): Promise<readonly Chunk[]> {
      if (isDisposed) throw new TesseraError('disposed', 'The chunker was disposed.');
      const hasGrammar =
        document.scope === 'code' && document.text !== '' && Object.hasOwn(GRAMMARS, document.language);
      const chunks = hasGrammar ? await (await (syntax ??= prepareThreads())).cut(document) : undefined;
      return chunks ?? cutWithoutGrammar(document, limits);
    },
    dispose() {
      isDisposed = true;
      void syntax?.then((threads) => threads.dispose());
    },
  };
}

function cutWithoutGrammar(document: SourceDocument, limits: ChunkLimits): readonly Chunk[] {
  const lines = readLines(document.text);
  const structure =
    document.scope === 'docs'
      ? readDocument(lines, document.language)
      : { breakCosts: lineBreakCosts(lines), outline: [] };
  return chunkLines(lines, tokenSums(lines), structure, limits);
}
