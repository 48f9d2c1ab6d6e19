import { TesseraError, errorMessage } from '../base/errors.ts';
import { isRecord } from '../embedding/jsonFacts.ts';
import { type HuggingFaceTokenizer, Tokenizer } from './huggingFaceTokenizers.ts';
import { WordCache } from './wordCache.ts';
import { type WordSegmenter, createWordSegmenter } from './wordSegmenter.ts';

/** Words remembered in each of the cache's two generations: a large repository has fewer that matter; about 10 MB. */
const CACHED_WORDS = 40_000;
/** Longer words hardly come twice. */
const MAX_CACHED_WORD_CHARS = 64;

/** Text with everything word-wise encoding might get wrong; both ways must agree on it before the fast one is used. */
const PROBE =
  "export async function* fooBar2(x: string): Promise<void> {\n\treturn `${x}'s` // don't, we'll see\r\n    }\n\n\n" +
  'snake_case HTTPServer2x  0x1F 3.14e-10 \u00a0 caf\u00e9 cafe\u0301 \u4e2d\u6587\u5b57 \ud83d\ude80 a\u200bb \u03a3\u03a3 \u1e9e \u2260 <\u0338 \t end ';

/** A text's token ids, special tokens included, cut to the model's length. */
export type TokenIds = Int32Array;

/** Turns text into ids exactly as the model's `tokenizer.json` says, remembering words where that is possible. */
export class TextTokenizer {
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #segmenter: WordSegmenter | undefined;
  readonly #cache = new WordCache(CACHED_WORDS);
  /** Matches the added tokens that are looked for in raw text; undefined when there are none. */
  readonly #addedTokens: RegExp | undefined;
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #prefix: readonly number[];
  readonly #suffix: readonly number[];
  readonly #maxTokens: number;

  /**
   * @param json Parsed `tokenizer.json`.
   * @param config Parsed `tokenizer_config.json`.
   * @param maxTokens Longest result, special tokens included.
   * @throws TesseraError `model-unsupported` when the tokenizer is of a kind that can't be run.
   */
  constructor(json: object, config: object, maxTokens: number) {
    try {
      this.#tokenizer = new Tokenizer(json, config);
      const { prefix, suffix } = specialTokens(this.#tokenizer);
      this.#prefix = prefix;
      this.#suffix = suffix;
    } catch (error) {
      throw new TesseraError(
        'model-unsupported',
        `The model’s tokenizer.json cannot be used (${errorMessage(error)}).`,
        {
          details: { file: 'tokenizer.json' },
          cause: error,
        },
      );
    }
    this.#maxTokens = Math.max(maxTokens, this.#prefix.length + this.#suffix.length + 1);
    const added = plainAddedTokens(json);
    this.#addedIds = added ?? new Map();
    this.#addedTokens = added === undefined || added.size === 0 ? undefined : alternatives([...added.keys()]);
    const rewrites =
      isRecord(config) && (config['remove_space'] === true || config['do_lowercase_and_remove_accent'] === true);
    const segmenter = added === undefined || rewrites ? undefined : createWordSegmenter(json, this.#tokenizer);
    this.#segmenter = segmenter;
    if (segmenter !== undefined && !this.#agreesOn(PROBE)) this.#segmenter = undefined;
  }

  /** Whether words are remembered; otherwise every text goes through the library. */
  get remembersWords(): boolean {
    return this.#segmenter !== undefined;
  }

  /** Id of a token, as `pad_token` names one. */
  tokenId(token: string): number | undefined {
    return this.#tokenizer.token_to_id(token);
  }

  encode(text: string): TokenIds {
    const room = this.#maxTokens - this.#prefix.length - this.#suffix.length;
    const ids = this.#encodePlain(text, room);
    const count = Math.min(room, ids.length);
    const result = new Int32Array(this.#prefix.length + count + this.#suffix.length);
    result.set(this.#prefix);
    for (let i = 0; i < count; i++) result[this.#prefix.length + i] = ids[i] ?? 0;
    result.set(this.#suffix, this.#prefix.length + count);
    return result;
  }

  /** Tokens of the whole text, without special tokens. */
  count(text: string): number {
    return this.#encodePlain(text, Infinity).length;
  }

  /** Ids without special tokens; may stop once there are `enough`. */
  #encodePlain(text: string, enough: number): readonly number[] {
    const segmenter = this.#segmenter;
    if (segmenter === undefined) return this.#encodeByLibrary(text);
    const ids: number[] = [];
    const added = this.#addedTokens;
    if (added?.test(text) !== true) {
      this.#encodeSection(segmenter, text, enough, ids);
      return ids;
    }
    // The pattern captures, so that what it matched is among the parts.
    for (const section of text.split(added)) {
      const id = this.#addedIds.get(section);
      if (id !== undefined) ids.push(id);
      else this.#encodeSection(segmenter, section, enough, ids);
      if (ids.length >= enough) break;
    }
    return ids;
  }

  #encodeSection(segmenter: WordSegmenter, section: string, enough: number, ids: number[]): void {
    segmenter.eachWord(section, (word) => {
      for (const id of this.#encodeWord(segmenter, word)) ids.push(id);
      return ids.length < enough;
    });
  }

  #encodeWord(segmenter: WordSegmenter, word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const ids = segmenter.encodeWord(word);
    if (word.length <= MAX_CACHED_WORD_CHARS) this.#cache.set(word, ids);
    return ids;
  }

  #encodeByLibrary(text: string): readonly number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  #agreesOn(text: string): boolean {
    const expected = this.#encodeByLibrary(text);
    const found = this.#encodePlain(text, Infinity);
    return expected.length === found.length && expected.every((id, index) => id === found[index]);
  }
}

/** What the post-processor puts around a single text. */
function specialTokens(tokenizer: HuggingFaceTokenizer): { prefix: readonly number[]; suffix: readonly number[] } {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const whole = tokenizer.encode('a').ids;
  for (let start = 0; start + bare.length <= whole.length; start++) {
    if (bare.every((id, index) => whole[start + index] === id)) {
      return { prefix: whole.slice(0, start), suffix: whole.slice(start + bare.length) };
    }
  }
  throw new Error('its post-processor changes the text’s own tokens');
}

/**
 * Added tokens looked for in raw text, by content. Undefined when one is looked for in some other way: in normalised
 * text, as a whole word, or taking the blanks around it.
 */
function plainAddedTokens(json: object): ReadonlyMap<string, number> | undefined {
  const list: unknown = isRecord(json) ? json['added_tokens'] : undefined;
  const hasNormalizer = isRecord(json) && isRecord(json['normalizer']);
  const ids = new Map<string, number>();
  for (const token of Array.isArray(list) ? list : []) {
    if (!isRecord(token) || typeof token['content'] !== 'string' || typeof token['id'] !== 'number') return undefined;
    if (token['single_word'] === true || token['lstrip'] === true || token['rstrip'] === true) return undefined;
    if (token['normalized'] === true && hasNormalizer) return undefined;
    ids.set(token['content'], token['id']);
  }
  return ids;
}

/** One capturing pattern for fixed texts, longest first as the library prefers them. */
function alternatives(texts: readonly string[]): RegExp {
  const longestFirst = [...texts].filter((text) => text !== '').sort((a, b) => b.length - a.length);
  return new RegExp(`(${longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')})`);
}
