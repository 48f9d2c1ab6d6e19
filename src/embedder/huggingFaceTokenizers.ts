import * as library from '@huggingface/tokenizers';

/**
 * The part of `@huggingface/tokenizers` used here, written down because its own declarations import each other without
 * extensions and so don't resolve under `nodenext`.
 */
export interface HuggingFaceTokenizer {
  encode(text: string, options?: { readonly add_special_tokens?: boolean }): { readonly ids: number[] };
  token_to_id(token: string): number | undefined;
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly model: TokenizerModel;
}

/** Normalised text in, words out. */
export interface PreTokenizer {
  (text: string, options?: { readonly section_index: number }): string[];
  /** What those that go by one pattern look for. */
  readonly pattern?: unknown;
}

/** Words in, tokens out. */
export interface TokenizerModel {
  (words: string[]): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id?: number;
  readonly fuse_unk: boolean;
}

interface Library {
  readonly Tokenizer: new (tokenizer: object, config: object) => HuggingFaceTokenizer;
  readonly ByteLevelPreTokenizer: new (config: object) => (text: string) => string[];
  readonly SequencePreTokenizer: new (config: object) => (text: string) => string[];
}

export const { Tokenizer, ByteLevelPreTokenizer, SequencePreTokenizer } = library as unknown as Library;
