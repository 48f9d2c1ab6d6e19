import { open } from 'node:fs/promises';
import { readParts } from './fileFingerprint.ts';

/**
 * How a tensor's entry `location` begins in an ONNX file: field 1 of a `StringStringEntryProto`, then the tag of field 2, whose
 * length and text follow (onnx.proto3, `TensorProto.external_data`).
 */
const LOCATION = Buffer.from('\x0a\x08location\x12', 'latin1');
/** Longest entry looked for at the end of one part that goes on in the next. */
const LONGEST_ENTRY_BYTES = 4096;

/**
 * Files a graph keeps weights in, as it names them: relative to its folder, each once, sorted. Found by the bytes before a name,
 * without parsing: no weights are that by chance. Of a very large graph only both ends are read, as for its fingerprint; one that
 * keeps weights elsewhere is small.
 */
export async function externalDataFiles(graphPath: string): Promise<readonly string[]> {
  const names = new Set<string>();
  const file = await open(graphPath, 'r');
  try {
    let rest = Buffer.alloc(0);
    for await (const part of readParts(file)) {
      const bytes = Buffer.concat([rest, part]);
      for (const name of namesIn(bytes)) names.add(name);
      rest = bytes.subarray(-LONGEST_ENTRY_BYTES);
    }
  } finally {
    await file.close();
  }
  return [...names].sort();
}

function namesIn(bytes: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = bytes.indexOf(LOCATION); at >= 0; at = bytes.indexOf(LOCATION, at + 1)) {
    const lengthAt = at + LOCATION.length;
    const low = bytes[lengthAt] ?? 0;
    // A varint: seven bits a byte, the eighth says that another follows.
    const start = lengthAt + (low < 128 ? 1 : 2);
    const length = low < 128 ? low : (low & 127) + ((bytes[lengthAt + 1] ?? 0) << 7);
    // One that is cut off is met whole with the next part.
    if (length > 0 && start + length <= bytes.length) names.push(bytes.toString('utf8', start, start + length));
  }
  return names;
}
