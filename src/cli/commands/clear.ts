import path from 'node:path';
import type { Command } from 'commander';
import { clearIndex } from '../../server/store/clearIndex.ts';
import { defaultIndexDir, folderIndexDir } from '../../server/store/indexLocation.ts';
import { globalOptions } from '../globalOptions.ts';

export function addClearCommand(program: Command): void {
  program
    .command('clear')
    .description('delete the index of a folder')
    .argument('[dir]', 'the folder, which may be gone already', '.')
    .option('--json', 'print one JSON object')
    .action(async (dir: string, options: { readonly json?: boolean }, command: Command) => {
      const { indexDir } = globalOptions(command);
      const folder = path.resolve(dir);
      const index = folderIndexDir(indexDir ?? defaultIndexDir(), folder);
      const deleted = await clearIndex(index, 'tessera clear');
      if (options.json === true) console.log(JSON.stringify({ folder, indexDir: index, deleted }));
      else console.log(deleted ? `deleted ${index}` : `${folder} has no index`);
    });
}
