import type { Command } from 'commander';
import { counted } from '../../base/wording.ts';
import { EXIT } from '../exit.ts';
import { folderArgument, globalOptions } from '../globalOptions.ts';
import { printableName } from '../printable.ts';
import { withSession } from '../session.ts';

interface VerifyOptions {
  readonly repair?: boolean;
  readonly json?: boolean;
}

const DIFFERENCES_SHOWN = 50;

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('compare every row of the index with the files on disk; exit status 1 when they differ')
    .argument('[dir]', 'the folder', '.')
    .option('--repair', 'index the files whose rows differ anew, then compare again')
    .option('--json', 'print one JSON object')
    .action(async (dir: string, options: VerifyOptions, command: Command) => {
      const folder = folderArgument(dir);
      await withSession('tessera verify', globalOptions(command), async (session) => {
        const index = await (options.repair === true ? session.openFolder(folder) : session.openToRead(folder));
        const report = await index.verify({ repair: options.repair === true }, session.signal);
        const { differences } = report;
        if (options.json === true) console.log(JSON.stringify(report));
        else {
          for (const { path, kind, detail } of differences.slice(0, DIFFERENCES_SHOWN)) {
            console.log(`${printableName(path)}: ${kind}, ${printableName(detail)}`);
          }
          if (differences.length > DIFFERENCES_SHOWN)
            console.log(`… and ${differences.length - DIFFERENCES_SHOWN} more`);
          const verdict = differences.length === 0 ? 'no difference' : counted(differences.length, 'difference');
          console.log(
            `${counted(report.files, 'file')}, ${counted(report.chunks, 'chunk')} compared${report.vectorsCompared ? '' : ' without their vectors'}: ${verdict}`,
          );
        }
        if (differences.length > 0) process.exitCode = EXIT.no;
      });
    });
}
