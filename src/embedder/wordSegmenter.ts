import { isRecord } from '../embedding/jsonFacts.ts';
import { ByteLevelPreTokenizer, type HuggingFaceTokenizer, SequencePreTokenizer } from './huggingFaceTokenizers.ts';

/**
 * Cuts text into words that a tokenizer encodes independently of each other, so that a word's ids may be remembered:
 * the ids of a text are those of its words, one after another.
 */
export interface WordSegmenter {
  /** Calls `visit` with each word in order, until it returns false. What it returns means nothing. */
  eachWord(text: string, visit: (word: string) => boolean): unknown;
  encodeWord(word: string): readonly number[];
}

/**
 * Words of BERT's tokenizer may be cut at ASCII blanks and punctuation and nowhere else: control characters vanish,
 * joining what stands around them, and everything beyond ASCII is left to the tokenizer itself.
 */
const BERT_WORD = /[!-/:-@[-`{-~]|[^ \t\r\n!-/:-@[-`{-~]+/g;

/** Where a capital sigma is at a word's end depends on what stands around it, across full stops and quotes but not blanks. */
const BERT_WORD_NEAR_SIGMA = /[^ \t\r\n]+/g;

/** GPT-2's pattern as the byte-level pre-tokenizer applies it. A match taken alone matches itself. */
const BYTE_LEVEL_WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * A segmenter for the tokenizer of this `tokenizer.json`, or undefined when its words can't be taken apart. The kinds
 * most models have are cut before the library touches the text, which is several times faster than after.
 */
export function createWordSegmenter(json: object, tokenizer: HuggingFaceTokenizer): WordSegmenter | undefined {
  // Unknown tokens that are merged across words tie the words together.
  if (tokenizer.model.fuse_unk) return undefined;
  return (
    bertSegmenter(json, tokenizer) ??
    byteLevelSegmenter(json, tokenizer) ??
    patternSegmenter(json, tokenizer) ??
    plainSegmenter(tokenizer)
  );
}

function bertSegmenter(json: object, tokenizer: HuggingFaceTokenizer): WordSegmenter | undefined {
  const { normalizer, pre_tokenizer: split } = tokenizer;
  if (!isRecord(json) || typeOf(json['pre_tokenizer']) !== 'BertPreTokenizer' || split === null) return undefined;
  if (normalizer !== null && typeOf(json['normalizer']) !== 'BertNormalizer') return undefined;
  return {
    eachWord: (text, visit) => eachMatch(text.includes('Σ') ? BERT_WORD_NEAR_SIGMA : BERT_WORD, text, visit),
    encodeWord: (word) => {
      const normal = normalizer === null ? word : normalizer(word);
      return normal === '' ? [] : toIds(tokenizer, split(normal));
    },
  };
}

/** GPT-2's and RoBERTa's kind, and the later ones that cut by a pattern of their own first. */
function byteLevelSegmenter(json: object, tokenizer: HuggingFaceTokenizer): WordSegmenter | undefined {
  const stages = isRecord(json) ? stagesOf(json['pre_tokenizer']) : [];
  const last = stages.at(-1);
  if (!isRecord(last) || typeOf(last) !== 'ByteLevel') return undefined;
  const before = stages.slice(0, -1);
  const addPrefixSpace = last['add_prefix_space'] === true;
  // A blank put before each piece of an earlier cut would have to be put before each word here.
  if (before.length > 0 && addPrefixSpace) return undefined;
  const { normalizer } = tokenizer;
  const cut = before.length === 0 ? undefined : new SequencePreTokenizer({ type: 'Sequence', pretokenizers: before });
  const toBytes = new ByteLevelPreTokenizer({ type: 'ByteLevel', use_regex: false, add_prefix_space: false });
  const byPattern = last['use_regex'] !== false;
  return {
    eachWord: (text, visit) => {
      let normal = normalizer === null ? text : normalizer(text);
      if (addPrefixSpace && normal !== '' && !normal.startsWith(' ')) normal = ` ${normal}`;
      for (const piece of cut === undefined ? [normal] : cut(normal)) {
        if (!(byPattern ? eachMatch(BYTE_LEVEL_WORD, piece, visit) : visit(piece))) return;
      }
    },
    encodeWord: (word) => toIds(tokenizer, toBytes(word)),
  };
}

/** Words that are all the matches of one pattern. */
function patternSegmenter(json: object, tokenizer: HuggingFaceTokenizer): WordSegmenter | undefined {
  const { normalizer, pre_tokenizer: split } = tokenizer;
  const config = isRecord(json) ? json['pre_tokenizer'] : undefined;
  if (!isRecord(config) || typeOf(config) !== 'Split' || config['invert'] !== true) return undefined;
  const pattern = split?.pattern;
  if (!(pattern instanceof RegExp) || !pattern.global) return undefined;
  return {
    eachWord: (text, visit) => eachMatch(pattern, normalizer === null ? text : normalizer(text), visit),
    encodeWord: (word) => toIds(tokenizer, [word]),
  };
}

/** Any other: normalised and cut by the library, its words remembered. */
function plainSegmenter(tokenizer: HuggingFaceTokenizer): WordSegmenter | undefined {
  const { normalizer, pre_tokenizer: split } = tokenizer;
  if (split === null) return undefined;
  return {
    eachWord: (text, visit) => {
      const normal = normalizer === null ? text : normalizer(text);
      if (normal === '') return;
      // The section's number only matters to tokenizers that treat a text's beginning differently.
      for (const word of split(normal, { section_index: 0 })) if (!visit(word)) return;
    },
    encodeWord: (word) => toIds(tokenizer, [word]),
  };
}

/** False when `visit` stopped it. */
function eachMatch(pattern: RegExp, text: string, visit: (word: string) => boolean): boolean {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    // A visitor never comes back here with the same pattern, so its place is not lost.
    if (!visit(match[0])) return false;
  }
  return true;
}

function toIds({ model }: HuggingFaceTokenizer, words: string[]): number[] {
  return model(words).flatMap((token) => {
    const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
    return id === undefined ? [] : [id];
  });
}

function stagesOf(preTokenizer: unknown): readonly unknown[] {
  if (typeOf(preTokenizer) !== 'Sequence') return [preTokenizer];
  const list = isRecord(preTokenizer) ? preTokenizer['pretokenizers'] : undefined;
  return Array.isArray(list) ? list : [];
}

function typeOf(part: unknown): string {
  const type = isRecord(part) ? part['type'] : undefined;
  return typeof type === 'string' ? type : '';
}
