import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src/embedder/huggingFaceTokenizers.ts';
import { TextTokenizer } from '../../../src/embedder/textTokenizer.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';
import { wordTokenizer } from '../../fakes/modelFolder.ts';

/** GPT-2's map from bytes to printable characters. */
function byteAlphabet(): string[] {
  const printable = [...Array(256).keys()].filter((b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174);
  let next = 256;
  return [...Array(256).keys()].map((b) => String.fromCharCode(printable.includes(b) ? b : next++));
}

/** A small byte-level tokenizer with merges of its own, in the forms models come with. */
function byteLevelTokenizer(preTokenizer: object, normalizer: object | null = null): object {
  const alphabet = byteAlphabet();
  const space = alphabet[32]!;
  const merges = [
    'r e',
    're t',
    'u r',
    'ret ur',
    'retur n',
    'i n',
    'f n',
    `${space} f`,
    '= =',
    `${space} ${space}`,
    '1 2',
  ];
  const tokens = ['<s>', '</s>', ...alphabet, ...merges.map((merge) => merge.replace(' ', ''))];
  return {
    version: '1.0',
    added_tokens: ['<s>', '</s>'].map((content, id) => ({
      id,
      content,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', 1],
      cls: ['<s>', 0],
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}

/** BERT's kind with a vocabulary of parts. */
function wordPieceTokenizer(): object {
  const base = wordTokenizer(10) as { model: { vocab: Record<string, number> } };
  const parts = [
    'return',
    're',
    '##turn',
    'caf',
    '##e',
    'fn',
    '中',
    '文',
    '=',
    '(',
    ')',
    '{',
    '}',
    '.',
    'a',
    '##b',
    'ab',
    'σ',
    '##σ',
    '1',
    '##2',
  ];
  parts.forEach((part, index) => (base.model.vocab[part] = 10 + index));
  return base;
}

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: true, trim_offsets: true };
const gpt4Split = {
  type: 'Split',
  pattern: {
    Regex:
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  },
  behavior: 'Isolated',
  invert: false,
};
const TOKENIZERS: Readonly<Record<string, object>> = {
  'BERT’s': wordPieceTokenizer(),
  'GPT-2’s': byteLevelTokenizer(byteLevel),
  'RoBERTa’s, with a blank before the first word': byteLevelTokenizer({ ...byteLevel, add_prefix_space: true }),
  'ModernBERT’s, with NFC': byteLevelTokenizer(byteLevel, { type: 'NFC' }),
  'StarCoder’s, digits apart': byteLevelTokenizer({
    type: 'Sequence',
    pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
  }),
  'Qwen’s, cut by a pattern': byteLevelTokenizer(
    { type: 'Sequence', pretokenizers: [gpt4Split, { ...byteLevel, use_regex: false }] },
    { type: 'NFC' },
  ),
  'one that keeps only letters and digits': byteLevelTokenizer(
    { type: 'Split', pattern: { Regex: '[a-z]+|[0-9]+' }, behavior: 'Removed', invert: true },
    {
      type: 'Sequence',
      normalizers: [
        { type: 'Replace', pattern: { Regex: '(?<=[a-z])(?=[A-Z])' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
  ),
};

const PARTS = [
  'return',
  'returns',
  'fn',
  'ab',
  'aB2',
  'café',
  'cafe\u0301',
  '中文',
  '🚀',
  '\u200b',
  '\u00a0',
  '\ufeff',
  'Σ',
  'ΑΣ',
  '≠',
  '=\u0338',
  '\u0301',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\n\n\n',
  '(',
  ')',
  '{',
  '}',
  '.',
  ',',
  '==',
  "'s",
  "don't",
  "'",
  '"',
  '_',
  '-',
  '12',
  '2024',
  '3.14',
  '\u0001',
  '\u0085',
  '<s>',
  '[CLS]',
  'w5',
];

function randomCode(random: SeededRandom): string {
  return Array.from({ length: random.integer(30) }, () => PARTS[random.integer(PARTS.length)]!).join('');
}

describe('tokenising word by word', () => {
  it.each(Object.keys(TOKENIZERS))('gives the same ids as the library for a tokenizer like %s', (name) => {
    const json = TOKENIZERS[name]!;
    const library = new Tokenizer(json, {});
    const tokenizer = new TextTokenizer(json, {}, 10_000);
    expect(tokenizer.remembersWords).toBe(true);
    const random = new SeededRandom(17);
    for (let round = 0; round < 1000; round++) {
      const text = randomCode(random);
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(library.encode(text).ids);
      expect(tokenizer.count(text)).toBe(library.encode(text, { add_special_tokens: false }).ids.length);
    }
  });

  it('is left to the library where words are tied together', () => {
    const json = byteLevelTokenizer({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' }) as {
      model: object;
    };
    const tokenizer = new TextTokenizer(
      { ...json, model: { ...json.model, fuse_unk: true, unk_token: '<s>' } },
      {},
      100,
    );
    expect(tokenizer.remembersWords).toBe(false);
    expect(tokenizer.encode('return').length).toBeGreaterThan(2);
  });
});

describe('a text that is too long', () => {
  it('loses its end but not the special tokens around it', () => {
    const tokenizer = new TextTokenizer(wordPieceTokenizer(), {}, 6);
    expect([...tokenizer.encode('fn '.repeat(1000))]).toEqual([2, 15, 15, 15, 15, 3]);
    expect(tokenizer.count('fn '.repeat(1000))).toBe(1000);
  });
});

describe('a tokenizer that cannot be used', () => {
  it('is refused by name', () => {
    expect(() => new TextTokenizer({ model: { type: 'Wizardry' } }, {}, 10)).toThrow(
      expect.objectContaining({ code: 'model-unsupported', details: { file: 'tokenizer.json' } }) as Error,
    );
  });
});
