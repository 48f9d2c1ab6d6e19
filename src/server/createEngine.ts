import type { Logger } from '../base/logger.ts';
import type { Chunker } from '../indexing/document.ts';
import { resolveLanguage } from '../indexing/languages.ts';
import { SYSTEM_CLOCK } from '../process/systemClock.ts';
import { embedderEntry, spawnEmbedder } from './embedder/spawnEmbedder.ts';
import { Engine } from './engine.ts';
import { createFollowingScanner } from './scanner/fileScanner.ts';
import { ImpatientEmbedder } from './search/impatientEmbedder.ts';
import { REHEARSAL_PACE } from './search/rehearsal.ts';
import { Searcher, type SearcherOptions } from './search/searcher.ts';

/** The engine of real parts: the disk, an embedder process, the clock of the system. The chunker stays its caller's to dispose. */
export function createEngine(options: {
  /** Named to whoever finds an index locked. */
  readonly program: string;
  readonly logger: Logger;
  readonly chunker: Chunker;
  /** For a process that may have nothing to embed: its embedder starts only when there is something. */
  readonly remembersModels?: boolean;
  /** For a process that lives on and answers somebody who types: what searches need is made ready, and nobody waits for it for long. */
  readonly rehearsesSearches?: boolean;
}): Engine {
  const { chunker, logger, program, remembersModels = false, rehearsesSearches = false } = options;
  const searching: Omit<SearcherOptions, 'embedder'> = {
    chunker,
    resolveLanguage,
    logger: logger.child('search'),
    ...(rehearsesSearches && { rehearsal: REHEARSAL_PACE }),
  };
  return new Engine({
    program,
    logger,
    chunker,
    clock: SYSTEM_CLOCK,
    scanner: createFollowingScanner(SYSTEM_CLOCK),
    spawnEmbedder: () => spawnEmbedder(),
    ...(remembersModels && { rememberedFor: embedderEntry() }),
    createSearch: (embedder) =>
      new Searcher({
        ...searching,
        embedder: rehearsesSearches ? new ImpatientEmbedder(embedder, SYSTEM_CLOCK) : embedder,
      }),
  });
}
