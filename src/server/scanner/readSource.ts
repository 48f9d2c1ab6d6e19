import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { throwIfCancelled } from '../../base/cancellation.ts';
import { languageOfDocument } from '../../indexing/languages.ts';
import { formatBytes, measureLines, type Skip, skipByContent } from '../../indexing/skipRules.ts';
import { decodeText } from './decode.ts';
import type { ReadLimits, ReadOutcome } from './entries.ts';
import { describeFileError, errorCode, isMissing } from './fileErrors.ts';

/** Times a file is read anew because it changed under the reading, and how long is waited before each. */
const RETRY_DELAYS_MS = [20, 60, 180] as const;

/**
 * Reads, hashes and decodes one file. A file that keeps changing is returned as last read, with the time stamp from before
 * the reading: whoever compares it later sees that it changed (`trustedMtime` sees to stamps too recent for that). Fails
 * with `cancelled`.
 */
export async function readSource(
  folder: string,
  filePath: string,
  limits: ReadLimits,
  signal?: AbortSignal,
): Promise<ReadOutcome> {
  for (let attempt = 0; ; attempt++) {
    throwIfCancelled(signal);
    const raw = await readRaw(path.join(folder, filePath), limits.maxFileBytes);
    const pause = RETRY_DELAYS_MS[attempt];
    if (pause !== undefined && (raw.kind === 'busy' || (raw.kind === 'bytes' && !raw.isStable))) {
      await delay(pause);
      continue;
    }
    switch (raw.kind) {
      case 'missing':
        return { kind: 'missing', path: filePath };
      case 'busy':
      case 'failed':
        return {
          kind: 'skipped',
          path: filePath,
          reason: 'unreadable',
          detail: describeFileError(raw.error),
          size: 0,
          mtimeMs: 0,
        };
      case 'too-large':
        return {
          kind: 'skipped',
          path: filePath,
          reason: 'too-large',
          detail: `${formatBytes(raw.size)}, limit ${formatBytes(limits.maxFileBytes)}`,
          size: raw.size,
          mtimeMs: raw.mtimeMs,
        };
      case 'bytes':
        return interpret(filePath, raw.bytes, raw.mtimeMs);
    }
  }
}

/** First 32 hex digits of the SHA-256: 128 bits, far beyond any collision by chance. */
export function contentHashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex').slice(0, 32);
}

function interpret(filePath: string, bytes: Buffer, mtimeMs: number): ReadOutcome {
  const size = bytes.length;
  const skipped = ({ reason, detail }: Skip): ReadOutcome => ({
    kind: 'skipped',
    path: filePath,
    reason,
    detail,
    size,
    mtimeMs,
  });
  if (size === 0) return skipped({ reason: 'empty', detail: 'no content' });
  const decoded = decodeText(bytes);
  if (decoded.kind === 'binary') return skipped({ reason: 'binary', detail: decoded.detail });
  if (decoded.kind === 'unsupported') return skipped({ reason: 'unsupported-encoding', detail: decoded.detail });
  const { text, encoding } = decoded;
  const { id: language, scope } = languageOfDocument(filePath, text);
  const lines = measureLines(text);
  const skip = skipByContent(text, lines, scope);
  if (skip !== undefined) return skipped(skip);
  return {
    kind: 'document',
    document: { path: filePath, language, scope, text },
    contentHash: contentHashOf(bytes),
    size,
    mtimeMs,
    lines: lines.count,
    encoding,
  };
}

type Raw =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly mtimeMs: number; readonly isStable: boolean }
  | { readonly kind: 'too-large'; readonly size: number; readonly mtimeMs: number }
  | { readonly kind: 'missing' }
  /** Worth another try: too many open files, or locked by a program that is writing it. */
  | { readonly kind: 'busy'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

// A link that took the file's place is not followed, and a pipe that did does not block. Windows has neither flag.
const {
  O_RDONLY,
  O_NOFOLLOW = 0,
  O_NONBLOCK = 0,
} = fs.constants as Partial<typeof fs.constants> & { O_RDONLY: number };

/**
 * Only the opening waits, where a slow or sleeping disk makes itself felt. What follows is done at once: five waits for each file
 * cost more than all of its reading, hashing and decoding.
 */
async function readRaw(file: string, maxBytes: number): Promise<Raw> {
  let descriptor: number | undefined;
  try {
    descriptor = await openFile(file);
    const before = fs.fstatSync(descriptor);
    if (!before.isFile()) return { kind: 'missing' };
    const { mtimeMs } = before;
    if (before.size > maxBytes) return { kind: 'too-large', size: before.size, mtimeMs };
    // One byte more than there should be, to notice growth without reading a file without end.
    const buffer = Buffer.allocUnsafe(before.size + 1);
    let length = 0;
    while (length < buffer.length) {
      const count = fs.readSync(descriptor, buffer, length, buffer.length - length, length);
      if (count === 0) break;
      length += count;
    }
    const after = fs.fstatSync(descriptor);
    const isStable = length === before.size && after.size === before.size && after.mtimeMs === mtimeMs;
    return { kind: 'bytes', bytes: buffer.subarray(0, Math.min(length, before.size)), mtimeMs, isStable };
  } catch (error) {
    // ELOOP: a link has taken the file's place.
    if (isMissing(error) || errorCode(error) === 'ELOOP') return { kind: 'missing' };
    if (['EMFILE', 'ENFILE', 'EBUSY', 'EAGAIN'].includes(errorCode(error))) return { kind: 'busy', error };
    return { kind: 'failed', error };
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

const openFile = (file: string): Promise<number> =>
  new Promise((resolve, reject) => {
    fs.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else reject(error);
    });
  });
