import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildPaddedStaticModel } from '../../src/synthetic/smallModels.ts';

const DIMENSION = 32;
const CHARACTERS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789');
/** Frequent word starts and ends of code, so that a text is not one token a letter. */
const PIECES = ['con', 'ret', 'fun', 'import', 'export', '##ing', '##tion', '##er', '##fig', '##urn', '##ction'];

/**
 * Writes a small model with random weights: the mean of a vector per word piece. Deterministic, quick, and loaded by the embedder
 * like any other; it knows which texts share pieces and nothing more.
 */
export async function writeCharacterModel(folder: string, seed = 1): Promise<void> {
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...PIECES, ...CHARACTERS, ...CHARACTERS.map((c) => `##${c}`)];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  const { model } = buildPaddedStaticModel({ vocabulary: tokens.length, hidden: DIMENSION, seed });
  await mkdir(path.join(folder, 'onnx'), { recursive: true });
  await Promise.all([
    writeFile(path.join(folder, 'onnx/model.onnx'), model),
    writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer)),
    writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'BertTokenizer' })),
    writeFile(path.join(folder, 'config.json'), JSON.stringify({ model_type: 'static', max_position_embeddings: 512 })),
    writeFile(
      path.join(folder, 'tessera.json'),
      JSON.stringify({ name: `characters-${seed}`, version: '1', maxTokens: 512, dimension: DIMENSION }),
    ),
  ]);
}
