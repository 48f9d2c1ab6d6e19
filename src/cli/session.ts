import { type LogRecord, Logger, formatLogRecord } from '../base/logger.ts';
import { createChunker } from '../server/chunking/createChunker.ts';
import type { Engine } from '../server/engine.ts';
import type { FolderIndex } from '../server/folderIndex.ts';
import { type GlobalOptions, indexSettings } from './globalOptions.ts';
import { onInterruption } from './interruption.ts';
import { EXIT, errorText } from './exit.ts';
import { grammarFolder } from './packagePlaces.ts';

/** The engine in this process, for the length of one command. */
export interface Session {
  readonly engine: Engine;
  readonly logger: Logger;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  openFolder(folder: string): Promise<FolderIndex>;
  /** For what needs no model: without one, stderr says why, and words and names still answer. */
  openToRead(folder: string): Promise<FolderIndex>;
}

export interface SessionOptions extends GlobalOptions {
  /** Loads the models also when nothing is to be embedded, to tell what is learned by that. */
  readonly loadsModels?: boolean;
}

/** From the first signal to the end of the process, whatever is still under way. */
const STOP_WITHIN_MS = 900;

/** Runs a command with an engine and stops both whatever happens, keeping finished work. */
export async function withSession<T>(
  program: string,
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const logger = new Logger({ level: options.logLevel, write: writeLog }, 'tessera');
  const folder = grammarFolder();
  const chunker = createChunker({ logger, ...(folder === undefined ? {} : { grammarFolder: folder }) });
  // Loads LanceDB, which takes longer than all that commands without an index (and mistyped ones) do.
  const { createEngine } = await import('../server/createEngine.ts');
  const engine = createEngine({ program, logger, chunker, remembersModels: options.loadsModels !== true });
  const stopping = new AbortController();
  const giveBack = onInterruption(() => {
    stopping.abort();
    // A native call that does not return must not keep a person waiting; commits are atomic, so that leaving is safe.
    setTimeout(() => process.exit(EXIT.failed), STOP_WITHIN_MS).unref();
  });
  try {
    const folderOf = (path: string) =>
      engine.folder({ folder: path, indexDir: options.indexDir ?? null, settings: indexSettings(options) });
    return await work({
      engine,
      logger,
      signal: stopping.signal,
      openFolder: async (path) => {
        const index = await folderOf(path);
        await index.open(stopping.signal);
        return index;
      },
      openToRead: async (path) => {
        const index = await folderOf(path);
        const failure = await index.openToRead(stopping.signal);
        // Where there is no index either, that is all there is to say.
        if (failure !== null && index.reader !== undefined) process.stderr.write(`${errorText(failure)}\n`);
        return index;
      },
    });
  } finally {
    await engine.close();
    chunker.dispose();
    giveBack();
  }
}

function writeLog(record: LogRecord): void {
  process.stderr.write(`${record.level} ${formatLogRecord(record)}\n`);
}
