import {
  type Data,
  Field,
  FixedSizeList,
  Float16,
  Float64,
  Int32,
  List,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
  makeData,
} from 'apache-arrow';
import type { FileRecord, FileToWrite } from './chunkStore.ts';
import { writeHalves } from './halfFloat.ts';
import { type VectorSpaces, distinctSpaces } from './vectorSpaces.ts';

/** Part of an index's name: raise it when the meaning of a column (or the words of `searchText`) changes, and indexes are rebuilt beside the old ones. */
export const SCHEMA_VERSION = 2;

/** Ordinal of the row that describes a file; its chunks count from 0. */
export const FILE_ORDINAL = -1;
/** Ordinal of the one row that describes the index itself. */
export const INDEX_ORDINAL = -2;
export const INDEX_ROW_ID = '#index';

/**
 * Full-text tokens of a row. Rows of files and of the index have no text and no vector, so that neither search can return them
 * and no filter is needed to keep them out.
 */
const STRING_COLUMNS = [
  'id',
  'path',
  'fileHash',
  'chunkHash',
  'scope',
  'language',
  'symbol',
  'symbolKind',
  'text',
  'searchText',
  /** File rows: why the file, or a part of it, is not indexed. */
  'skipReason',
  'skipDetail',
] as const;
/** Int32. `lines` and `chunks` belong to file rows, `tokens` and the span to chunks. */
const INTEGER_COLUMNS = ['ordinal', 'startLine', 'endLine', 'tokens', 'lines', 'chunks'] as const;
/** Float64: sizes above 2 GiB and fractions of milliseconds. */
const NUMBER_COLUMNS = ['sizeBytes', 'mtimeMs', 'ctimeMs'] as const;
const LIST_COLUMNS = ['enclosing', 'definitions'] as const;

type StringColumn = (typeof STRING_COLUMNS)[number];
type IntegerColumn = (typeof INTEGER_COLUMNS)[number];
type NumberColumn = (typeof NUMBER_COLUMNS)[number];
type ListColumn = (typeof LIST_COLUMNS)[number];

/** One row before it is turned into columns; what is left out is empty or 0. */
type Row = Partial<Record<StringColumn, string>> &
  Partial<Record<IntegerColumn | NumberColumn, number>> &
  Partial<Record<ListColumn, readonly string[]>> & {
    readonly vectorColumn?: string;
    readonly vector?: Float32Array | null;
  };

const listType = new List(new Field('item', new Utf8(), true));

function vectorType(dimension: number): FixedSizeList<Float16> {
  return new FixedSizeList(dimension, new Field('item', new Float16(), true));
}

function tableSchema(spaces: VectorSpaces): Schema {
  return new Schema([
    ...STRING_COLUMNS.map((name) => new Field(name, new Utf8(), false)),
    ...INTEGER_COLUMNS.map((name) => new Field(name, new Int32(), false)),
    ...NUMBER_COLUMNS.map((name) => new Field(name, new Float64(), false)),
    ...LIST_COLUMNS.map((name) => new Field(name, listType, false)),
    ...distinctSpaces(spaces).map(({ column, dimension }) => new Field(column, vectorType(dimension), true)),
  ]);
}

export function chunkId(path: string, ordinal: number): string {
  return `${path}#${ordinal}`;
}

export function fileRow(record: FileRecord): Row {
  return {
    id: chunkId(record.path, FILE_ORDINAL),
    path: record.path,
    ordinal: FILE_ORDINAL,
    fileHash: record.fileHash,
    sizeBytes: record.sizeBytes,
    mtimeMs: record.mtimeMs,
    ctimeMs: record.ctimeMs,
    scope: record.scope,
    language: record.language,
    lines: record.lines,
    chunks: record.chunks,
    skipReason: record.skipped?.reason ?? '',
    skipDetail: record.skipped?.detail ?? '',
  };
}

/** The row that says what the index is; `text` is JSON. */
export function indexRow(text: string): Row {
  return { id: INDEX_ROW_ID, ordinal: INDEX_ORDINAL, text };
}

/** A file's rows: its own, then its chunks'. */
export function rowsOfFile({ record, chunks }: FileToWrite, spaces: VectorSpaces): Row[] {
  const vectorColumn = spaces[record.scope].column;
  return [
    fileRow(record),
    ...chunks.map((chunk, ordinal) => ({
      ...chunk,
      id: chunkId(record.path, ordinal),
      path: record.path,
      ordinal,
      fileHash: record.fileHash,
      scope: record.scope,
      language: record.language,
      vectorColumn,
    })),
  ];
}

/** Rows as the Arrow table Lance takes, column by column. */
export function encodeRows(rows: readonly Row[], spaces: VectorSpaces): Table {
  const schema = tableSchema(spaces);
  const columns: Data[] = [
    ...STRING_COLUMNS.map((name) => stringData(rows.map((row) => row[name] ?? ''))),
    ...INTEGER_COLUMNS.map((name) =>
      makeData({ type: new Int32(), data: Int32Array.from(rows, (row) => row[name] ?? 0) }),
    ),
    ...NUMBER_COLUMNS.map((name) =>
      makeData({ type: new Float64(), data: Float64Array.from(rows, (row) => row[name] ?? 0) }),
    ),
    ...LIST_COLUMNS.map((name) => listData(rows.map((row) => row[name] ?? []))),
    ...distinctSpaces(spaces).map(({ column, dimension }) => vectorData(rows, column, dimension)),
  ];
  const struct = makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children: columns });
  return new Table(schema, new RecordBatch(schema, struct));
}

/** Arrow's own builders look at each value on its own: with them encoding rows took four times the processor's time. */
function stringData(values: readonly string[]): Data<Utf8> {
  const valueOffsets = new Int32Array(values.length + 1);
  values.forEach((value, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + (value === '' ? 0 : Buffer.byteLength(value));
  });
  const data = Buffer.allocUnsafeSlow(valueOffsets.at(-1) ?? 0);
  values.forEach((value, row) => {
    if (value !== '') data.write(value, valueOffsets[row] ?? 0);
  });
  return makeData({ type: new Utf8(), length: values.length, nullCount: 0, valueOffsets, data });
}

function listData(values: readonly (readonly string[])[]): Data<List<Utf8>> {
  const valueOffsets = new Int32Array(values.length + 1);
  values.forEach((items, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + items.length;
  });
  const child = stringData(values.flat());
  return makeData({ type: listType, length: values.length, nullCount: 0, valueOffsets, child });
}

function vectorData(rows: readonly Row[], column: string, dimension: number): Data {
  const halves = new Uint16Array(rows.length * dimension);
  const present = new Uint8Array(Math.ceil(rows.length / 8));
  let nullCount = 0;
  rows.forEach(({ vector, vectorColumn }, index) => {
    if (vectorColumn !== column || vector == null) {
      nullCount++;
      return;
    }
    writeHalves(vector, halves, index * dimension);
    present[index >> 3] = (present[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return makeData({
    type: vectorType(dimension),
    length: rows.length,
    nullCount,
    nullBitmap: present,
    child: makeData({ type: new Float16(), data: halves }),
  });
}
