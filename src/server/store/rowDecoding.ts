import type { Table, Vector } from 'apache-arrow';
import type { Scope } from '../../protocol/scope.ts';
import type { SkipReason } from '../../protocol/server.ts';
import type { ChunkRow, FileRecord, VectorBlock } from './chunkStore.ts';
import { readHalves } from './halfFloat.ts';

/** Columns of a chunk without its vector and its tokens for the full-text index. */
export const CHUNK_COLUMNS = [
  'id',
  'path',
  'ordinal',
  'fileHash',
  'chunkHash',
  'startLine',
  'endLine',
  'scope',
  'language',
  'symbol',
  'symbolKind',
  'enclosing',
  'definitions',
  'text',
  'tokens',
] as const;

export const FILE_COLUMNS = [
  'path',
  'fileHash',
  'sizeBytes',
  'mtimeMs',
  'ctimeMs',
  'scope',
  'language',
  'lines',
  'chunks',
  'skipReason',
  'skipDetail',
] as const;

/** Reads cells of a result; the schema is ours, so a missing column is a bug, not a case. */
class ResultReader {
  readonly #columns = new Map<string, Vector | null>();
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  string(name: string, row: number): string {
    return this.#cell(name, row) as string;
  }

  number(name: string, row: number): number {
    return Number(this.#cell(name, row));
  }

  strings(name: string, row: number): readonly string[] {
    return [...((this.#cell(name, row) as Iterable<string> | null) ?? [])];
  }

  #cell(name: string, row: number): unknown {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = this.#table.getChild(name);
      this.#columns.set(name, column);
    }
    return column?.get(row);
  }
}

export function decodeChunks(table: Table): ChunkRow[] {
  const read = new ResultReader(table);
  return Array.from({ length: table.numRows }, (_, row) => decodeChunk(read, row));
}

/** Chunks with one more column: a score. */
export function decodeScored<Name extends string>(
  table: Table,
  column: string,
  name: Name,
  convert: (value: number) => number = (value) => value,
): (ChunkRow & Readonly<Record<Name, number>>)[] {
  const read = new ResultReader(table);
  return Array.from({ length: table.numRows }, (_, row) => {
    const score = { [name]: convert(read.number(column, row)) } as Record<Name, number>;
    return { ...decodeChunk(read, row), ...score };
  });
}

function decodeChunk(read: ResultReader, row: number): ChunkRow {
  return {
    id: read.string('id', row),
    path: read.string('path', row),
    ordinal: read.number('ordinal', row),
    fileHash: read.string('fileHash', row),
    chunkHash: read.string('chunkHash', row),
    startLine: read.number('startLine', row),
    endLine: read.number('endLine', row),
    scope: read.string('scope', row) as Scope,
    language: read.string('language', row),
    symbol: read.string('symbol', row),
    symbolKind: read.string('symbolKind', row),
    enclosing: read.strings('enclosing', row),
    definitions: read.strings('definitions', row),
    text: read.string('text', row),
    tokens: read.number('tokens', row),
  };
}

export function decodeFiles(table: Table): FileRecord[] {
  const read = new ResultReader(table);
  return Array.from({ length: table.numRows }, (_, row) => {
    const reason = read.string('skipReason', row);
    return {
      path: read.string('path', row),
      fileHash: read.string('fileHash', row),
      sizeBytes: read.number('sizeBytes', row),
      mtimeMs: read.number('mtimeMs', row),
      ctimeMs: read.number('ctimeMs', row),
      scope: read.string('scope', row) as Scope,
      language: read.string('language', row),
      lines: read.number('lines', row),
      chunks: read.number('chunks', row),
      skipped: reason === '' ? null : { reason: reason as SkipReason, detail: read.string('skipDetail', row) },
    };
  });
}

/** Strings of one column. */
export function decodeStrings(table: Table, column: string): string[] {
  const read = new ResultReader(table);
  return Array.from({ length: table.numRows }, (_, row) => read.string(column, row));
}

/** Vectors and the ids (or another column's values) and paths of their rows; rows without a vector are left out. */
export function decodeVectors(table: Table, column: string, dimension: number, idColumn = 'id'): VectorBlock {
  const read = new ResultReader(table);
  const hasPaths = table.getChild('path') !== null;
  const ids: string[] = [];
  const paths: string[] = [];
  const rows = new Float32Array(table.numRows * dimension);
  let kept = 0;
  let row = 0;
  for (const { isValid, halves, at } of vectorCells(table, column, dimension)) {
    if (isValid) {
      ids.push(read.string(idColumn, row));
      if (hasPaths) paths.push(read.string('path', row));
      readHalves(halves, at, rows.subarray(kept * dimension, (kept + 1) * dimension));
      kept++;
    }
    row++;
  }
  return { ids, paths, dimension, vectors: rows.subarray(0, kept * dimension) };
}

/** Each row's halves, read where Arrow keeps them: making a JavaScript object of every vector costs twenty times as much. */
function* vectorCells(table: Table, column: string, dimension: number) {
  for (const data of table.getChild(column)?.data ?? []) {
    const child = data.children[0];
    const halves = child?.values as Uint16Array | undefined;
    if (child === undefined || halves === undefined) continue;
    for (let index = 0; index < data.length; index++) {
      // `values` of a sliced child already start at the slice; a list's own offset counts whole vectors.
      yield { isValid: data.getValid(index), halves, at: (data.offset + index) * dimension };
    }
  }
}
