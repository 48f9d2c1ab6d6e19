import { TesseraError } from '../base/errors.ts';
import { EXIT, errorText } from './exit.ts';

/** What Ctrl-C and SIGTERM do: until a command has something to keep, they end the process as they do later, with the same status. */
let interrupted = endAtOnce;

function endAtOnce(): void {
  process.stderr.write(`${errorText(new TesseraError('cancelled', 'The work was cancelled.'))}\n`);
  process.exit(EXIT.failed);
}

process.on('SIGINT', () => interrupted()).on('SIGTERM', () => interrupted());

/** Takes over what signals do. @returns gives it back */
export function onInterruption(handle: () => void): () => void {
  interrupted = handle;
  return () => {
    interrupted = endAtOnce;
  };
}
