#!/usr/bin/env node
// First, so that a signal during the loading of all the rest is answered too.
import './interruption.ts';
import { Command, CommanderError } from 'commander';
import { addBenchCommand } from './commands/bench.ts';
import { addChunksCommand } from './commands/chunks.ts';
import { addClearCommand } from './commands/clear.ts';
import { addEvalCommand } from './commands/eval.ts';
import { addIndexCommand } from './commands/index.ts';
import { addSearchCommand } from './commands/search.ts';
import { addSimilarCommand } from './commands/similar.ts';
import { addStatusCommand } from './commands/status.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { EXIT, type ExitStatus, errorText, exitStatusOf, usageText } from './exit.ts';
import { errorCode } from '../server/scanner/fileErrors.ts';
import { addGlobalOptions } from './globalOptions.ts';
import { packageVersion } from './packagePlaces.ts';

/** Entry of the command line. */
const program = addGlobalOptions(new Command('tessera'))
  .description('Find code by meaning, on this machine only.')
  .version(packageVersion())
  .showSuggestionAfterError()
  .configureOutput({ outputError: (text, write) => write(usageText(text)) })
  .exitOverride();
for (const add of [
  addIndexCommand,
  addSearchCommand,
  addSimilarCommand,
  addStatusCommand,
  addChunksCommand,
  addVerifyCommand,
  addClearCommand,
  addEvalCommand,
  addBenchCommand,
])
  add(program);

async function run(argv: readonly string[]): Promise<ExitStatus> {
  try {
    await program.parseAsync(argv);
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    process.stderr.write(`${errorText(error)}\n`);
    return exitStatusOf(error);
  }
}

/** Results that nobody got are no success; a reader that has had enough (`| head`) makes no failure. */
function endWithoutOutput(error: unknown): never {
  if (errorCode(error) === 'EPIPE') process.exit(process.exitCode ?? EXIT.done);
  process.stderr.write(
    `tessera: The results could not be written to stdout (${errorCode(error)}); write them to another place.\n`,
  );
  process.exit(EXIT.failed);
}

process.stdout.on('error', endWithoutOutput);
// What cannot be told to anybody must not end the work.
process.stderr.on('error', () => undefined);
const status = await run(process.argv);
// Native threads may outlive the work; results written so far are flushed first.
process.stdout.write('', (error) => {
  if (error != null) endWithoutOutput(error);
  process.exit(process.exitCode ?? status);
});
