import { Utf8, vectorFromArray } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { readHalves, toHalf, writeHalves } from '../../../src/server/store/halfFloat.ts';
import { encodeRows, fileRow, indexRow, rowsOfFile } from '../../../src/server/store/rowEncoding.ts';
import type { FileRecord } from '../../../src/server/store/chunkStore.ts';

const SPACE = { modelId: 'a', column: 'vector_a', dimension: 2 };
const SPACES = { code: SPACE, docs: SPACE };
const RECORD: FileRecord = {
  path: 'a/ü.ts',
  fileHash: 'f00',
  sizeBytes: 3_000_000_000,
  mtimeMs: 0.25,
  ctimeMs: 0.5,
  scope: 'code',
  language: 'typescript',
  lines: 2,
  chunks: 3,
  skipped: null,
};
/** Of one, two, three and four bytes a character, none at all, and halves of pairs, which have no UTF-8. */
const TEXTS = ['plain', 'ü\u0000€', '𝒳 and 🙂', '', 'lone \ud83d', '\ude42 lone'];

function chunkOf(text: string, definitions: readonly string[]) {
  return {
    text,
    searchText: text,
    startLine: 1,
    endLine: 2,
    tokens: 4,
    symbol: '',
    symbolKind: '',
    enclosing: [],
    definitions,
    chunkHash: 'c',
    vector: new Float32Array([0.6, 0.8]),
  };
}

describe('encodeRows', () => {
  const chunks = TEXTS.map((text, number) => chunkOf(text, TEXTS.slice(0, number)));
  const rows = [indexRow('{"a":1}'), ...rowsOfFile({ record: RECORD, chunks }, SPACES), fileRow(RECORD)];
  const table = encodeRows(rows, SPACES);

  it('keeps every string as Arrow’s own builder does, whatever it is made of', () => {
    const expected = vectorFromArray(['{"a":1}', '', ...TEXTS, ''], new Utf8()).toArray();
    expect(table.getChild('text')?.toArray()).toEqual(expected);
    expect(table.getChild('path')?.toArray()).toEqual(['', ...new Array<string>(TEXTS.length + 2).fill(RECORD.path)]);
  });

  it('keeps lists: without any, with one, with several names', () => {
    const lists = [...(table.getChild('definitions') ?? [])].map((list: Iterable<string>) => [...list]);
    const written = TEXTS.map((text) => text.toWellFormed());
    expect(lists).toEqual([[], [], ...TEXTS.map((_, number) => written.slice(0, number)), []]);
  });

  it('has a vector where the row has one', () => {
    const vectors = table.getChild('vector_a');
    expect(vectors?.nullCount).toBe(3);
    expect([...Array(table.numRows).keys()].map((row) => vectors?.get(row) !== null)).toEqual([
      false,
      false,
      ...TEXTS.map(() => true),
      false,
    ]);
  });
});

describe('writeHalves', () => {
  /** The value of every half, and what lies just below, just above and in the middle between two: where rounding turns. */
  function everyTurn(): Float32Array {
    const all = Uint16Array.from({ length: 65_536 }, (_, half) => half);
    const values = new Float32Array(all.length);
    readHalves(all, 0, values);
    const bits = new Uint32Array(values.buffer);
    const turns = new Uint32Array(bits.length * 7);
    bits.forEach((own, index) => {
      // A half's last place is bit 13 of a single; less for what is below the normal ones.
      [-0x1001, -0x1000, -0xfff, 0, 0xfff, 0x1000, 0x1001].forEach((step, turn) => {
        turns[index * 7 + turn] = own + step;
      });
    });
    return new Float32Array(turns.buffer);
  }

  it('rounds each value as toHalf does', () => {
    const values = everyTurn();
    const halves = new Uint16Array(values.length + 3);
    writeHalves(values, halves, 3);
    const different = [...values.keys()].filter((at) => halves[at + 3] !== toHalf(values[at] ?? 0));
    expect(different).toEqual([]);
    expect([...halves.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  it('reads from a part of a larger array', () => {
    const values = new Float32Array([9, 0.5, -2]);
    const halves = new Uint16Array(2);
    writeHalves(values.subarray(1), halves, 0);
    expect([...halves]).toEqual([0x3800, 0xc000]);
  });
});
