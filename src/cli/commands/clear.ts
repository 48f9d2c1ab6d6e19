import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { TesseraError } from '../../base/errors.ts';
import { defaultIndexDir, folderIndexDir } from '../../server/store/indexLocation.ts';
import { currentWriter } from '../../server/store/writerLock.ts';
import { globalOptions } from '../globalOptions.ts';

export function addClearCommand(program: Command): void {
  program
    .command('clear')
    .description('delete the index of a folder')
    .argument('[dir]', 'the folder, which may be gone already', '.')
    .action(async (dir: string, _options: object, command: Command) => {
      const { indexDir } = globalOptions(command);
      const index = folderIndexDir(indexDir ?? defaultIndexDir(), path.resolve(dir));
      const writer = await currentWriter(path.join(index, 'writer.lock'));
      if (writer !== undefined) {
        throw new TesseraError('store-locked', `${writer.program} (process ${writer.pid}) is writing this index.`);
      }
      const existed = existsSync(index);
      await rm(index, { recursive: true, force: true });
      console.log(existed ? `deleted ${index}` : `${path.resolve(dir)} has no index`);
    });
}
