import { type ErrorCode, TesseraError, toTesseraError } from '../base/errors.ts';
import { errorCode } from '../server/scanner/fileErrors.ts';

/** What the process says to whoever started it. */
export const EXIT = { done: 0, no: 1, usage: 2, failed: 3 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** What to do about a failure, where its own sentence does not say. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  'not-indexed': 'Run `tessera index` on the folder first.',
  'not-found': 'Run `tessera status` on the folder to see what is skipped and why.',
  'store-locked': 'Searching still works; try again when it is done.',
  'store-failed': 'Run `tessera verify --repair`, or `tessera index --rebuild` to make the index anew.',
  'embedder-failed': 'Run again with --log-level debug to see why.',
  'process-exited': 'Run again with --log-level debug to see why.',
  'out-of-memory': 'Close other programs or use a smaller model.',
  cancelled: 'What was finished is kept; run the same command again to go on.',
};

/** For a place no index can be made in, which making it anew would not help. */
const OTHER_PLACE = 'Name a folder you may write in with --index-dir.';

function isUnwritable(cause: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT'].includes(errorCode(cause));
}

export function exitStatusOf(error: unknown): ExitStatus {
  return error instanceof TesseraError && error.code === 'invalid-argument' ? EXIT.usage : EXIT.failed;
}

/** What the option parser found wrong, in the form of every other error. */
export function usageText(text: string): string {
  const sentence = text.trim().replace(/^error: (.)/, (_, first: string) => first.toUpperCase());
  const [what = '', ...more] = sentence.split('\n');
  const ended = [/[.!?]$/.test(what) ? what : `${what}.`, ...more].join(' ');
  // `-path:test` excludes a path in a query, which the shell's words do not tell from an option.
  const advice = /^Unknown option '-[a-z]+:/.test(ended)
    ? 'Put -- before a query that begins with a dash: `tessera search -- "-path:test retry"`.'
    : 'Run `tessera --help` to see what can be given.';
  return `tessera: ${ended} ${advice}\n`;
}

/** One line: what happened, to what, and what to do. */
export function errorText(error: unknown): string {
  const { code, message, cause } = toTesseraError(error);
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  const advice = code === 'store-failed' && isUnwritable(cause) ? OTHER_PLACE : ADVICE[code];
  return advice === undefined ? `tessera: ${sentence}` : `tessera: ${sentence} ${advice}`;
}
