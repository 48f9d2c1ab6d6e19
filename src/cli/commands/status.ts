import type { Command } from 'commander';
import { counted } from '../../base/wording.ts';
import { SCOPES } from '../../protocol/scope.ts';
import type { FolderStatus } from '../../protocol/server.ts';
import { folderArgument, globalOptions } from '../globalOptions.ts';
import { printableName } from '../printable.ts';
import { figuresText, runSizeText } from '../figuresText.ts';
import { withSession } from '../session.ts';

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('what is indexed, what is skipped and why, the model and the sizes')
    .argument('[dir]', 'the folder', '.')
    .option('--json', 'print one JSON object')
    .action(async (dir: string, options: { readonly json?: boolean }, command: Command) => {
      const folder = folderArgument(dir);
      await withSession('tessera status', { ...globalOptions(command), loadsModels: true }, async (session) => {
        const index = await session.openToRead(folder);
        index.requireReader();
        const status = await index.status();
        console.log(options.json === true ? JSON.stringify(status) : statusText(status));
      });
    });
}

const SKIPPED_SHOWN = 20;
const UNFINISHED = 'not finished, run `tessera index` for the rest';

function statusText(status: FolderStatus): string {
  const languages = Object.entries(status.filesByLanguage)
    .sort(([, a], [, b]) => b - a)
    .map(([language, files]) => `${language} ${files}`);
  const skipped = status.skipped
    .slice(0, SKIPPED_SHOWN)
    .map(({ path, reason, detail }) => `  ${printableName(path)}: ${reason}, ${printableName(detail)}`);
  const more = status.skipped.length - skipped.length;
  return [
    `folder     ${status.folder}`,
    `index      ${status.indexDir} (${status.indexName}, ${megabytes(status.bytesOnDisk)})`,
    `indexed    ${[counted(status.files, 'file'), counted(status.chunks, 'chunk'), counted(status.linesIndexed, 'line')].join(', ')}${status.complete ? '' : `; ${UNFINISHED}`}`,
    `languages  ${languages.join(', ')}`,
    ...modelLines(status),
    ...figureLines(status),
    `skipped    ${counted(status.skipped.length, 'file')}${status.skipped.length === 0 ? '' : ':'}`,
    ...skipped,
    ...(more > 0 ? [`  … and ${more} more (--json lists all)`] : []),
    ...status.lastErrors.map(({ time, message }) => `error      ${time} ${message}`),
  ].join('\n');
}

function modelLines({ models, metrics }: FolderStatus): string[] {
  if (models === null) return [];
  return SCOPES.map((scope) => {
    const { name, dimension, maxTokens, device, devices = [device], fallbackReason } = models[scope];
    // Each of several devices has a tuner of its own.
    const isTuned = metrics !== null && metrics.devices === undefined;
    const tuned = isTuned ? `, ${runSizeText(metrics.scopes[scope].tuner)}` : '';
    const fallback = fallbackReason === null ? '' : ` (${fallbackReason})`;
    return `model      ${scope}: ${name}, ${counted(dimension, 'dimension')}, up to ${counted(maxTokens, 'token')}, ${devices.join(' + ')}${fallback}${tuned}`;
  });
}

/** Of what this process embeds there is never anything to tell: it has only looked. */
function figureLines({ lastFigures }: FolderStatus): string[] {
  if (lastFigures === null) return [];
  return [`embedded   ${lastFigures.time}, the last time there was anything to embed`, ...figuresText(lastFigures)];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
