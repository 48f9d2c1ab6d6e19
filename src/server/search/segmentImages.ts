import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { errorMessage } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { IndexSegment } from '../../search/chunkIndex.ts';
import { type SegmentWithContents, decodeSegment, encodeSegment } from '../../search/segmentImage.ts';
import { errorCode } from '../scanner/fileErrors.ts';
import { tableOfSearchImages } from '../store/indexLocation.ts';

/** Before the segment: its checksum (CRC-32, little-endian) and four bytes that keep the rest in line. */
const PREFIX_BYTES = 8;
const IMAGE = '.segment';
const UNFINISHED = '.tmp';
/** What another process was writing has long been finished, or never will be. */
const UNFINISHED_FOR_MS = 3_600_000;

/**
 * Segments of an index in memory, kept beside its table so that the next process need not make them again from every chunk's text. They
 * are a cache: whatever is wrong with one, it is as if it were not there. Each is one file that never changes; a file is complete or absent,
 * and several processes may read and write at once.
 */
export class SegmentImages {
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #fileOf = new Map<IndexSegment, string>();

  constructor(dir: string, logger: Logger) {
    this.#dir = dir;
    this.#logger = logger;
  }

  /** Every segment that can be read, the largest first. Never rejects. */
  async load(): Promise<readonly SegmentWithContents[]> {
    const loaded: SegmentWithContents[] = [];
    for (const name of await this.#names()) {
      const file = path.join(this.#dir, name);
      if (!name.endsWith(IMAGE)) {
        await this.#removeUnfinished(file);
        continue;
      }
      try {
        const found = decoded(await readFile(file));
        if (found === undefined) {
          await this.#remove(file);
          continue;
        }
        this.#fileOf.set(found.segment, file);
        loaded.push(found);
      } catch (error) {
        // Another process has removed it.
        if (errorCode(error) === 'ENOENT') continue;
        this.#logger.warn('a part of the search index could not be read and is made anew', {
          file,
          error: errorMessage(error),
        });
        await this.#remove(file);
      }
    }
    return loaded.sort((left, right) => right.segment.chunks.length - left.segment.chunks.length);
  }

  has(segment: IndexSegment): boolean {
    return this.#fileOf.has(segment);
  }

  /** Never rejects: what cannot be kept is made again by the next process. */
  async save(kept: SegmentWithContents): Promise<void> {
    const table = tableOfSearchImages(this.#dir);
    if (!existsSync(table)) return;
    const body = encodeSegment(kept);
    const name = createHash('sha256').update(body).digest('hex').slice(0, 16);
    const file = path.join(this.#dir, `${name}${IMAGE}`);
    const unfinished = path.join(this.#dir, `${randomUUID()}${UNFINISHED}`);
    // Not tried again, whatever happens.
    this.#fileOf.set(kept.segment, file);
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32LE(crc32(body));
    try {
      await mkdir(this.#dir, { mode: 0o700 }).catch(unlessThere);
      await writeFile(unfinished, Buffer.concat([prefix, body]), { mode: 0o600 });
      await rename(unfinished, file);
      // Deleted with its table meanwhile; or it came too late for that, and goes by itself.
      if (!existsSync(table)) await this.#removeAll();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      this.#logger.warn('a part of the search index could not be kept for the next start', {
        file,
        error: errorMessage(error),
      });
      await this.#remove(unfinished);
    }
  }

  /** Removes the images of all segments but these. Never rejects. */
  async keepOnly(segments: readonly IndexSegment[]): Promise<void> {
    const kept = new Set(segments);
    for (const [segment, file] of [...this.#fileOf]) {
      if (kept.has(segment)) continue;
      this.#fileOf.delete(segment);
      await this.#remove(file);
    }
  }

  async #removeAll(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
    // Whoever cleared the index left the folder around it, since this was in it.
    await rmdir(path.dirname(this.#dir)).catch(() => undefined);
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#dir);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        this.#logger.warn('the kept parts of the search index cannot be read', {
          dir: this.#dir,
          error: errorMessage(error),
        });
      }
      return [];
    }
  }

  async #removeUnfinished(file: string): Promise<void> {
    const since = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    if (Date.now() - since > UNFINISHED_FOR_MS) await this.#remove(file);
  }

  async #remove(file: string): Promise<void> {
    await rm(file, { force: true }).catch((error: unknown) => {
      this.#logger.warn('a part of the search index could not be removed', { file, error: errorMessage(error) });
    });
  }
}

function unlessThere(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}

/** @throws Error when the file is damaged */
function decoded(file: Buffer): SegmentWithContents | undefined {
  // Large files have a buffer of their own; small ones may be anywhere in a shared one.
  const bytes = file.byteOffset % 8 === 0 ? file : Buffer.from(new Uint8Array(file).buffer);
  if (bytes.length < PREFIX_BYTES) throw new Error('It ends too early.');
  const body = new Uint8Array(
    bytes.buffer as ArrayBuffer,
    bytes.byteOffset + PREFIX_BYTES,
    bytes.length - PREFIX_BYTES,
  );
  if (crc32(body) !== bytes.readUInt32LE()) throw new Error('Its checksum is another.');
  return decodeSegment(body);
}
