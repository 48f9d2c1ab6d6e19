/** How the families of encoders differ, as far as a graph shows it. */
export interface EncoderTraits {
  /** `learned`: a table by place; `roberta`: the same counted from the padding id on; `alibi`: a bias by distance; `rotary`: turned queries and keys. */
  readonly positions: 'learned' | 'roberta' | 'alibi' | 'rotary';
  /** Whether normalisation comes after each residual sum (BERT) or before each part, with one more at the end. */
  readonly normalization: 'after' | 'before';
  readonly norm: 'layer' | 'rms';
  readonly feedForward: 'gelu' | 'geglu' | 'swiglu';
  /** Rows of the token-type table; 0: the graph has no such input. */
  readonly tokenTypes: number;
  /** Whether a token sees only those before it. */
  readonly causal: boolean;
  /** Whether the positions are an input of the graph. */
  readonly positionIds: boolean;
  readonly bias: boolean;
}

const BERT: EncoderTraits = {
  positions: 'learned',
  normalization: 'after',
  norm: 'layer',
  feedForward: 'gelu',
  tokenTypes: 2,
  causal: false,
  positionIds: false,
  bias: true,
};

export const ENCODER_FAMILIES = {
  bert: BERT,
  distilbert: { ...BERT, tokenTypes: 0 },
  roberta: { ...BERT, tokenTypes: 0, positions: 'roberta' },
  'jina-bert': { ...BERT, positions: 'alibi', feedForward: 'geglu' },
  'nomic-bert': { ...BERT, positions: 'rotary', feedForward: 'swiglu', bias: false },
  modernbert: {
    ...BERT,
    positions: 'rotary',
    normalization: 'before',
    feedForward: 'geglu',
    tokenTypes: 0,
    bias: false,
  },
  decoder: {
    positions: 'rotary',
    normalization: 'before',
    norm: 'rms',
    feedForward: 'swiglu',
    tokenTypes: 0,
    causal: true,
    positionIds: true,
    bias: false,
  },
} as const satisfies Record<string, EncoderTraits>;
export type EncoderFamily = keyof typeof ENCODER_FAMILIES;

export interface EncoderSize {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
}

/** Shapes of encoders people use; speed does not depend on the weights. */
export const ENCODER_SIZES = {
  /** all-MiniLM-L6-v2: 22 million weights. */
  'minilm-l6': { layers: 6, hidden: 384, heads: 12, intermediate: 1536, vocabulary: 30522, maxPositions: 512 },
  'small-4x256': { layers: 4, hidden: 256, heads: 4, intermediate: 1024, vocabulary: 30522, maxPositions: 512 },
  'bert-base': { layers: 12, hidden: 768, heads: 12, intermediate: 3072, vocabulary: 30522, maxPositions: 512 },
  /** For tests. */
  tiny: { layers: 2, hidden: 16, heads: 2, intermediate: 32, vocabulary: 100, maxPositions: 64 },
} as const satisfies Record<string, EncoderSize>;

export interface EncoderOptions extends EncoderSize {
  readonly family: EncoderFamily;
  readonly seed: number;
  /** `int8`: weights and activations of the linear layers, as onnxruntime's dynamic quantisation does it. */
  readonly weights: 'float32' | 'int8';
  /** `tokens`: one vector a token (`last_hidden_state`); `pooled`: their mean under the mask (`sentence_embedding`). */
  readonly outputs: 'tokens' | 'pooled' | 'both';
  /** Whether a pooled output has unit length. */
  readonly normalized: boolean;
  /** `int8` is the output times 127, rounded and clipped. */
  readonly outputType: 'float32' | 'float16' | 'int8';
  /** Size of a linear layer on top, as in late-interaction models; 0: none. */
  readonly projection: number;
}

/** Tokens that BERT's and RoBERTa's vocabularies use for padding. */
export const ROBERTA_PADDING_ID = 1;
