import type { Logger } from '../base/logger.ts';
import type { Chunker } from '../indexing/document.ts';
import { resolveLanguage } from '../indexing/languages.ts';
import { SYSTEM_CLOCK } from '../process/systemClock.ts';
import { spawnEmbedder } from './embedder/spawnEmbedder.ts';
import { Engine } from './engine.ts';
import { FILE_SCANNER } from './scanner/fileScanner.ts';
import { Searcher } from './search/searcher.ts';

/** The engine of real parts: the disk, an embedder process, the clock of the system. The chunker stays its caller's to dispose. */
export function createEngine(options: {
  /** Named to whoever finds an index locked. */
  readonly program: string;
  readonly logger: Logger;
  readonly chunker: Chunker;
}): Engine {
  const { chunker, logger } = options;
  return new Engine({
    ...options,
    clock: SYSTEM_CLOCK,
    scanner: FILE_SCANNER,
    spawnEmbedder: () => spawnEmbedder(),
    createSearch: (embedder) => new Searcher({ embedder, chunker, resolveLanguage, logger: logger.child('search') }),
  });
}
