import path from 'node:path';
import type { Command } from 'commander';
import { NO_FILTERS } from '../../protocol/hit.ts';
import { countOption, folderArgument, globalOptions, usageError } from '../globalOptions.ts';
import { sayWhatIsMissing } from '../answerNotes.ts';
import { hitText, plainHit } from '../hitText.ts';
import { pathInFolder } from '../pathInFolder.ts';
import { withSession } from '../session.ts';

export function addSimilarCommand(program: Command): void {
  program
    .command('similar')
    .description('find code like the code at a line')
    .argument('<file:line>', 'where the code is')
    .argument('[dir]', 'the indexed folder it is in', '.')
    .option('-k <count>', 'hits to print', countOption, 10)
    .option('--json', 'print one JSON object')
    .action(
      async (
        place: string,
        dir: string,
        options: { readonly k: number; readonly json?: boolean },
        command: Command,
      ) => {
        const folder = folderArgument(dir);
        const [, file, lineText] = /^(.+):(\d+)$/.exec(place) ?? [];
        if (file === undefined || lineText === undefined) {
          throw usageError(`${place} is not of the form <file>:<line>, like src${path.sep}main.ts:12.`);
        }
        if (Number(lineText) === 0) throw usageError(`Lines are counted from 1, so ${place} names none.`);
        const relative = pathInFolder(folder, file);
        await withSession('tessera similar', globalOptions(command), async (session) => {
          await session.openToRead(folder);
          const { hits, ...answer } = await session.engine.similar(
            { folder, path: relative, line: Number(lineText), text: null, limit: options.k, filters: NO_FILTERS },
            session.signal,
          );
          sayWhatIsMissing(answer);
          if (options.json === true) console.log(JSON.stringify({ query: place, hits: hits.map(plainHit) }));
          else console.log(hits.length === 0 ? 'nothing found' : hits.map(hitText).join('\n\n'));
        });
      },
    );
}
