import { existsSync } from 'node:fs';
import path from 'node:path';
import { Logger, type LogRecord } from '../base/logger.ts';
import { connectToParent } from '../process/parentLink.ts';
import { createChunker } from './chunking/createChunker.ts';
import { createEngine } from './createEngine.ts';
import { IndexServer } from './indexServer.ts';

/** Entry of the index server process, started by the extension host. */
const link = connectToParent(() => engine.dispose());
// The level is the host's to choose; what it does not want it drops.
const logger = new Logger({ level: 'debug', write: (record: LogRecord) => server.log(record) }, 'server');
/** The build puts the grammars beside this bundle; run from source there is no such folder. */
const grammarFolder = path.join(import.meta.dirname, 'grammars');
const chunker = createChunker({ logger, ...(existsSync(grammarFolder) ? { grammarFolder } : {}) });
const engine = createEngine({ program: 'VS Code', logger, chunker, rehearsesSearches: true });
const server = new IndexServer(link, engine);

// One failed request must never end the process that serves all the others.
process.on('uncaughtException', (error) => logger.error('uncaught exception', { error: String(error.stack) }));
process.on('unhandledRejection', (reason) => logger.error('unhandled rejection', { error: String(reason) }));
process.on('SIGTERM', () => {
  void engine.close().finally(() => process.exit(0));
});
server.start();
