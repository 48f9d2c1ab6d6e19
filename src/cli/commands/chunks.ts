import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { SILENT_LOGGER } from '../../base/logger.ts';
import { TesseraError } from '../../base/errors.ts';
import { counted } from '../../base/wording.ts';
import type { ChunkView } from '../../protocol/server.ts';
import { createChunker } from '../../server/chunking/createChunker.ts';
import { FILE_SCANNER } from '../../server/scanner/fileScanner.ts';
import type { IndexRules } from '../../server/store/indexFacts.ts';
import { defaultIndexDir, folderIndexDir } from '../../server/store/indexLocation.ts';
import { folderArgument, globalOptions, indexSettings, usageError } from '../globalOptions.ts';
import { grammarFolder } from '../packagePlaces.ts';
import { printableName } from '../printable.ts';
import { pathInFolder } from '../pathInFolder.ts';

/** Cuts one file as indexing would and shows how, with or without an index: why something is found, or is not. */
export function addChunksCommand(program: Command): void {
  program
    .command('chunks')
    .description('how one file is cut: spans, scope, symbol, tokens')
    .argument('<file>', 'the file')
    .argument('[dir]', 'the indexed folder it is in', '.')
    .option('--json', 'print one JSON object')
    .action(async (file: string, dir: string, options: { readonly json?: boolean }, command: Command) => {
      const folder = folderArgument(dir);
      const given = globalOptions(command);
      const indexDir = given.indexDir ?? defaultIndexDir();
      const settings = (await rulesOfIndex(folderIndexDir(indexDir, folder), folder)) ?? indexSettings(given);
      const relative = pathInFolder(folder, file);
      const [verdict] = await FILE_SCANNER.checkPaths(folder, settings, [relative]);
      if (verdict?.kind === 'folder') throw usageError(`${file} is a folder; name a file in it.`);
      if (verdict?.kind !== 'file')
        throw notCut(relative, verdict === undefined || !('detail' in verdict) ? verdict?.kind : verdict.detail);
      const outcome = await FILE_SCANNER.readSource(folder, relative, settings);
      if (outcome.kind !== 'document')
        throw notCut(relative, outcome.kind === 'skipped' ? outcome.detail : outcome.kind);
      const grammars = grammarFolder();
      const chunker = createChunker(grammars === undefined ? {} : { grammarFolder: grammars });
      try {
        const { document } = outcome;
        const chunks = (await chunker.chunk(document)).map((chunk): ChunkView => {
          const { startLine, endLine, symbolKind, tokens } = chunk;
          const symbol = [...chunk.enclosing, chunk.symbol].filter((part) => part !== '').join('.');
          return { startLine, endLine, scope: document.scope, language: document.language, symbol, symbolKind, tokens };
        });
        if (options.json === true) console.log(JSON.stringify({ path: relative, lines: outcome.lines, chunks }));
        else for (const chunk of chunks) console.log(chunkText(chunk));
      } finally {
        chunker.dispose();
      }
    });
}

/** What VS Code indexed the folder by; undefined where it did not, or the index cannot be read. */
async function rulesOfIndex(dir: string, folder: string): Promise<IndexRules | undefined> {
  if (!existsSync(dir)) return undefined;
  // Loads LanceDB, which takes longer than the cutting.
  const { IndexCatalog } = await import('../../server/store/indexCatalog.ts');
  const catalog = new IndexCatalog(dir, folder, null, SILENT_LOGGER);
  try {
    const { store } = await catalog.openServing();
    store?.close();
    return store?.rules;
  } finally {
    catalog.dispose();
  }
}

function notCut(file: string, reason = 'missing'): TesseraError {
  return new TesseraError('not-found', `${printableName(file)} is not indexed: ${reason}.`, { details: { file } });
}

function chunkText({ startLine, endLine, scope, language, symbol, symbolKind, tokens }: ChunkView): string {
  const what = symbol === '' ? '' : `  ${symbolKind} ${printableName(symbol)}`;
  return `${String(startLine).padStart(5)}–${String(endLine).padEnd(5)} ${scope}/${language} ${counted(tokens, 'token')}${what}`;
}
