import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { guessEncoding } from '../../../src/indexing/encoding.ts';

const guess = (bytes: Buffer) => {
  const found = guessEncoding(bytes, isUtf8(bytes));
  return found.kind === 'text' ? found.encoding : found.kind;
};

describe('guessEncoding', () => {
  it('takes valid UTF-8 for UTF-8, by the same rules as Node', () => {
    const letters = Buffer.from('plain letters around it '.repeat(4));
    for (let count = 0; count < 3000; count++) {
      // Bytes that come near to sequences of every length, valid and not.
      const tail = randomBytes(1 + (count % 4));
      const lead = [0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xc0, 0xf5][count % 8]!;
      const bytes = Buffer.concat([letters, Buffer.from([lead]), tail.map((byte) => 0x80 | (byte & 0x7f))]);
      expect(guess(bytes) === 'utf8', bytes.toString('hex')).toBe(isUtf8(bytes));
      // Its own count of sequences agrees as well: nothing broken is taken for good because Node was not asked.
      if (isUtf8(bytes)) expect(guessEncoding(bytes, false)).toMatchObject({ encoding: 'utf8' });
    }
  });

  it('believes a byte order mark', () => {
    expect(guess(Buffer.from('\ufeffa'))).toBe('utf8');
    expect(guess(Buffer.from([0xff, 0xfe, 0x22, 0x6f]))).toBe('utf16le');
    expect(guess(Buffer.from([0xfe, 0xff, 0x6f, 0x22]))).toBe('utf16be');
    expect(guess(Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x61]))).toBe('unsupported');
  });

  it('finds UTF-16 without a mark by its NULs, and takes other NULs for binary', () => {
    const text = Buffer.from('int main(void) { return 0; }\n', 'utf16le');
    expect(guess(text)).toBe('utf16le');
    expect(guess(Buffer.from(text).swap16())).toBe('utf16be');
    expect(guess(Buffer.from('text\0text'))).toBe('binary');
    expect(guess(Buffer.from(new Uint16Array(500).map((_, index) => index % 9)))).toBe('binary');
    expect(guess(Buffer.from(Uint16Array.from({ length: 500 }, (_, index) => index % 9).buffer))).toBe('binary');
  });

  it('keeps damaged UTF-8 apart from 8-bit encodings', () => {
    expect(guess(Buffer.concat([Buffer.from('naïve façade '.repeat(20)), Buffer.from([0xff])]))).toBe('utf8');
    expect(guess(Buffer.from('naïve façade '.repeat(20), 'latin1'))).toBe('windows1252');
    expect(guess(Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea]))).toBe('unsupported');
  });

  it('takes compressed and random bytes for binary, and coloured logs for text', () => {
    const random = Buffer.from(randomBytes(4096).map((byte) => byte || 1));
    expect(guess(random)).toBe('binary');
    expect(guess(Buffer.from('\x1b[31mred\x1b[0m\n'.repeat(100)))).toBe('utf8');
    expect(guess(Buffer.from('%PDF-1.7\n1 0 obj\n'))).toBe('binary');
  });

  it('takes an empty file for text', () => {
    expect(guess(Buffer.alloc(0))).toBe('utf8');
  });
});
