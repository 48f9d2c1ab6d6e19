import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Id of the first word; those before are special. */
const FIRST_WORD_ID = 4;
const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];

/** A tokenizer that knows the words `w4`, `w5`, … by their ids, and puts `[CLS]` and `[SEP]` around a text. */
export function wordTokenizer(vocabulary: number): object {
  const vocab: Record<string, number> = Object.fromEntries(SPECIAL_TOKENS.map((token, id) => [token, id]));
  for (let id = FIRST_WORD_ID; id < vocabulary; id++) vocab[`w${id}`] = id;
  return {
    version: '1.0',
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** A text of `words` words the tokenizer above knows; two special tokens come on top. */
export function randomText(words: number, vocabulary: number, randomInteger: (limit: number) => number): string {
  const word = () => `w${FIRST_WORD_ID + randomInteger(vocabulary - FIRST_WORD_ID)}`;
  return Array.from({ length: words }, word).join(' ');
}

export interface ModelFolderFiles {
  /** ONNX files by their path in the folder; `onnx/model.onnx` by custom. */
  readonly graphs: Readonly<Record<string, Uint8Array>>;
  /** JSON files by their path in the folder; undefined leaves one out. */
  readonly json?: Readonly<Record<string, unknown>>;
  readonly vocabulary?: number;
}

/** A new folder in Hugging Face's layout. */
export async function writeModelFolder(
  files: ModelFolderFiles,
): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tessera-model-'));
  const json: Record<string, unknown> = {
    'tokenizer.json': wordTokenizer(files.vocabulary ?? 100),
    'config.json': { model_type: 'bert', pad_token_id: 0, max_position_embeddings: 64 },
    ...files.json,
  };
  const write = async (name: string, content: string | Uint8Array) => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  for (const [name, value] of Object.entries(json)) {
    if (value !== undefined) await write(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  for (const [name, bytes] of Object.entries(files.graphs)) await write(name, bytes);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
