import type { Command } from 'commander';
import { counted } from '../../base/wording.ts';
import type { FolderIndex } from '../../server/folderIndex.ts';
import type { FolderState, IndexSummary } from '../../protocol/server.ts';
import { FILE_SCANNER } from '../../server/scanner/fileScanner.ts';
import { sharesText } from '../figuresText.ts';
import { folderArgument, globalOptions } from '../globalOptions.ts';
import { printableName } from '../printable.ts';
import { ProgressView, durationText } from '../progressView.ts';
import { type Session, withSession } from '../session.ts';

interface IndexOptions {
  readonly rebuild?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function addIndexCommand(program: Command): void {
  program
    .command('index')
    .description('make the index of a folder agree with its files')
    .argument('[dir]', 'the folder', '.')
    .option('--rebuild', 'make a new index beside the old one, which serves until the new one is ready')
    .option('--watch', 'stay and follow changes until stopped')
    .option('--json', 'end with one JSON object')
    .action(async (dir: string, options: IndexOptions, command: Command) => {
      const folder = folderArgument(dir);
      const globals = globalOptions(command);
      await withSession('tessera index', globals, async (session) => {
        const index = await session.openFolder(folder);
        const summary = await indexWithProgress(index, options.rebuild === true, session.signal);
        console.log(options.json === true ? JSON.stringify(summary) : summaryText(summary));
        if (options.watch === true) await watch(index, session);
      });
    });
}

async function indexWithProgress(index: FolderIndex, rebuild: boolean, signal: AbortSignal): Promise<IndexSummary> {
  const view = new ProgressView(process.stderr);
  const subscription = index.onState((state) => view.show(state));
  try {
    return await index.index({ rebuild }, signal);
  } finally {
    subscription.dispose();
    view.dispose();
  }
}

/** Follows changes until a signal comes, which is the way to end this and no failure. */
async function watch(index: FolderIndex, { signal }: Session): Promise<void> {
  const committed = index.onCommitted((paths) => {
    for (const path of paths) process.stderr.write(`updated ${printableName(path)}\n`);
  });
  let said = troubleOf(index.state);
  const states = index.onState((state) => {
    // While it works, what was wrong before is neither over nor worth saying again.
    if (state.kind === 'indexing') return;
    const trouble = troubleOf(state);
    if (trouble === said) return;
    said = trouble;
    process.stderr.write(`tessera: ${trouble ?? 'The index follows the folder again.'}\n`);
  });
  try {
    await FILE_SCANNER.watchFolder(
      index.folder,
      index.scanOptions,
      (change) => index.changed(change.kind === 'paths' ? change.paths : []),
      signal,
    );
    process.stderr.write('watching for changes; Ctrl-C ends it\n');
    // What changed between the full pass and the first event.
    index.changed([]);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    committed.dispose();
    states.dispose();
  }
}

/** Why the index does not follow the folder; undefined when it does. */
function troubleOf(state: FolderState): string | undefined {
  if (state.kind === 'degraded') return `The index does not follow the folder: ${state.reason}`;
  if (state.kind === 'waiting') return `${state.program} is writing this index; changes are indexed when it is done.`;
  return undefined;
}

function summaryText(summary: IndexSummary): string {
  const skipped = Object.entries(summary.skipped)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} ${reason}`);
  const speed = summary.embedded > 0 ? `, ${counted(Math.round(summary.tokensPerSecond), 'token')}/s` : '';
  return [
    `${counted(summary.files, 'file')}, ${counted(summary.chunks, 'chunk')} in ${durationText(summary.seconds)}`,
    `${summary.embedded} embedded, ${summary.reused} reused${speed} (${summary.model} on ${summary.device})`,
    ...sharesText(summary.embedder?.devices),
    `skipped: ${skipped.length === 0 ? 'nothing' : skipped.join(', ')}`,
  ].join('\n');
}
