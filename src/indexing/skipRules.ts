import type { Scope } from '../protocol/scope.ts';
import type { SkipReason } from '../protocol/server.ts';
import { type LineTable, readLines } from './chunking/lines.ts';
import { containsPrivateKey, secretByName } from './secrets.ts';
import { BINARY_EXTENSIONS, GENERATED_EXTENSIONS, LOCK_FILES } from './unsearchableFiles.ts';

/** Why a file is not indexed. */
export interface Skip {
  readonly reason: SkipReason;
  /** One clause for a person: `2.4 MB, limit 1.0 MB`. */
  readonly detail: string;
}

/**
 * Generated files are skipped above this size only (bytes): a small one is often the only place where a name of an
 * interface is spelled out, a large one fills the results with its repetitions. About fifty chunks.
 */
export const MAX_GENERATED_BYTES = 64 * 1024;

/** What the name alone tells: the file need not even be looked at. */
export function skipByName(path: string): Skip | undefined {
  const secret = secretByName(path);
  if (secret !== undefined) return { reason: 'secret', detail: secret };
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const binary = BINARY_EXTENSIONS.get(extensionOf(name));
  if (binary !== undefined) return { reason: 'binary', detail: binary };
  const lockFile = LOCK_FILES.get(name);
  if (lockFile !== undefined) return { reason: 'generated', detail: `lock file of ${lockFile}` };
  if (name.endsWith('.map')) return { reason: 'generated', detail: 'source map' };
  if (MINIFIED_NAME.test(name)) return { reason: 'minified', detail: 'its name says so' };
  return undefined;
}

/** What name and size in bytes tell, without opening the file. */
export function skipBySize(path: string, size: number, maxFileBytes: number): Skip | undefined {
  if (size === 0) return { reason: 'empty', detail: 'no content' };
  if (size > maxFileBytes) {
    return { reason: 'too-large', detail: `${formatBytes(size)}, limit ${formatBytes(maxFileBytes)}` };
  }
  const generated = GENERATED_EXTENSIONS.get(extensionOf(path.toLowerCase()));
  if (generated !== undefined && size > MAX_GENERATED_BYTES) {
    return { reason: 'generated', detail: `${generated}, ${formatBytes(size)}` };
  }
  return undefined;
}

/** What the decoded text tells. `lines` is `measureLines(text)`, which the caller needs too. */
export function skipByContent(text: string, lines: LineLengths, scope: Scope): Skip | undefined {
  if (!/\S/.test(text)) return { reason: 'empty', detail: 'only white space' };
  if (containsPrivateKey(text)) return { reason: 'secret', detail: 'a private key is in it' };
  if (isMinified(text.length, lines, scope)) {
    return { reason: 'minified', detail: `longest line ${lines.longest} characters` };
  }
  if (text.length > MAX_GENERATED_BYTES) {
    const mark = GENERATED_MARK.exec(text.slice(0, HEADER_LENGTH))?.[0];
    if (mark !== undefined) return { reason: 'generated', detail: `says "${mark}", ${formatBytes(text.length)}` };
  }
  return undefined;
}

export interface LineLengths {
  /** An empty last line, after a line end, is not counted. */
  readonly count: number;
  /** UTF-16 code units without the line end, as all lengths here. */
  readonly longest: number;
  /** Characters in lines of more than `LONG_LINE`. */
  readonly inLongLines: number;
}

/** Lines as `readLines` has them, without the table: nearly every file has `\n` alone, which is found without a look at each character. */
export function measureLines(text: string): LineLengths {
  if (text.includes('\r')) return measureTable(readLines(text));
  let [count, longest, inLongLines] = [0, 0, 0];
  for (let start = 0; start < text.length; count++) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    if (end - start > longest) longest = end - start;
    if (end - start > LONG_LINE) inLongLines += end - start;
    start = end + 1;
  }
  return { count, longest, inLongLines };
}

function measureTable({ count, starts, ends }: LineTable): LineLengths {
  let [longest, inLongLines] = [0, 0];
  for (let line = 0; line < count; line++) {
    const length = (ends[line] ?? 0) - (starts[line] ?? 0);
    if (length > longest) longest = length;
    if (length > LONG_LINE) inLongLines += length;
  }
  return { count, longest, inLongLines };
}

/** `1.4 MB`: decimal, as file managers show sizes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * Measured over 22,700 files (npm packages, Python's and Debian's files): 34 of the 41 named `*.min.*` have more than half of
 * their characters in lines of over 1,000 and a mean line of over 250; of the rest 97 % have less than a twentieth there, and what
 * lies between are wide tables and generated parsers. Prose has a paragraph in a line, so only the absurd counts there.
 */
function isMinified(length: number, lines: LineLengths, scope: Scope): boolean {
  if (scope === 'docs') return lines.longest > 20_000 && lines.inLongLines > length / 2;
  return lines.inLongLines > length / 2 && length / lines.count > 250;
}

function extensionOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') ? path.slice(dot + 1) : '';
}

const LONG_LINE = 1000;
const HEADER_LENGTH = 2000;
const MINIFIED_NAME = /[.-]min\.(?:[cm]?js|css|html?|json|svg)$/;
const GENERATED_MARK =
  /@generated\b|\bdo not (?:edit|modify)\b|<auto-?generated|\b(?:auto|automatically|machine)[- ]?generated\b|\bgenerated (?:by|from|automatically)\b/i;
