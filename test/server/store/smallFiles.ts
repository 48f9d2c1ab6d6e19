import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FileToWrite } from '../../../src/server/store/chunkStore.ts';
import { vectorSpaces } from '../../../src/server/store/vectorSpaces.ts';

const MODEL = { id: 'test-model', dimension: 4 };
export const SPACES = vectorSpaces({ code: MODEL, docs: MODEL });
export const FACTS = { folder: '/folder', models: ['test-model'], complete: false };

/** A file of code, a line and a chunk for each text, which is also what is searched for. */
export function file(filePath: string, ...texts: readonly string[]): FileToWrite {
  return {
    record: {
      path: filePath,
      fileHash: `hash of ${texts.join()}`,
      sizeBytes: 100,
      mtimeMs: 1,
      ctimeMs: 1,
      scope: 'code',
      language: 'typescript',
      lines: texts.length,
      chunks: texts.length,
      skipped: null,
    },
    chunks: texts.map((text, index) => ({
      startLine: index + 1,
      endLine: index + 1,
      text,
      symbol: '',
      symbolKind: '',
      enclosing: [],
      definitions: [],
      tokens: 1,
      chunkHash: `chunk ${text}`,
      searchText: text,
      vector: Float32Array.of(1, 0, 0, 0),
    })),
  };
}

export const change = (replace: readonly FileToWrite[], remove: readonly string[] = []) => ({
  replace,
  touch: [],
  remove,
});

/** Overwrites all indexes of the table `chunks` in a folder. */
export async function damageIndexes(folder: string): Promise<void> {
  const indexes = path.join(folder, 'chunks.lance', '_indices');
  for (const entry of await readdir(indexes, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await writeFile(path.join(entry.parentPath, entry.name), 'no index');
  }
}
