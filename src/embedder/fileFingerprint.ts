import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** Files above this are known by their size, their first and their last half of it: reading gigabytes at each start would show. */
const WHOLE_FILE_BYTES = 64 << 20;
const READ_BYTES = 1 << 20;

/** A hash of a file's size and content (of its two ends, when it is very large), as 64 hexadecimal digits. */
export async function fingerprintFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    hash.update(`${size}:`);
    for await (const part of readParts(file)) hash.update(part);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

/** A file's content (of its two ends, when it is very large), in parts that are valid until the next is asked for. */
export async function* readParts(file: FileHandle): AsyncGenerator<Buffer> {
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (const [start, end] of partsToRead(size)) {
    for (let position = start; position < end;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, end - position), position);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  }
}

function partsToRead(size: number): readonly (readonly [number, number])[] {
  if (size <= WHOLE_FILE_BYTES) return [[0, size]];
  const half = WHOLE_FILE_BYTES / 2;
  return [
    [0, half],
    [size - half, size],
  ];
}

/** A short, stable name for plain facts. */
export function fingerprintFacts(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}
