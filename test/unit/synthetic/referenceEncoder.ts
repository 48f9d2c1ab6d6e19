import { ROTARY_BASE, alibiSlopes } from '../../../src/synthetic/encoderModel.ts';
import { ENCODER_FAMILIES, type EncoderOptions, ROBERTA_PADDING_ID } from '../../../src/synthetic/encoderShapes.ts';
import type { Weights } from '../../../src/synthetic/linearLayers.ts';

type Rows = number[][];

/**
 * The last hidden state `[tokens][hidden]` of one unpadded text, in plain loops and double precision: what the graphs of
 * `buildEncoder` have to compute.
 */
export function referenceTokens(ids: readonly number[], weights: Weights, options: EncoderOptions): Rows {
  const traits = ENCODER_FAMILIES[options.family];
  const matrix = (name: string): { dims: readonly number[]; values: Float32Array } => weights.get(name)!;
  const row = (name: string, index: number): number[] => {
    const { dims, values } = matrix(name);
    return [...values.subarray(index * dims[1]!, (index + 1) * dims[1]!)];
  };
  const linear = (input: Rows, name: string): Rows => {
    const { dims, values } = matrix(`${name}.weight`);
    const bias = traits.bias ? matrix(`${name}.bias`).values : undefined;
    return input.map((vector) =>
      Array.from({ length: dims[1]! }, (_, column) =>
        vector.reduce((sum, value, index) => sum + value * values[index * dims[1]! + column]!, bias?.[column] ?? 0),
      ),
    );
  };
  const norm = (input: Rows, name: string): Rows => {
    const scale = matrix(`${name}.weight`).values;
    return input.map((vector) => {
      const mean = traits.norm === 'layer' ? vector.reduce((sum, value) => sum + value, 0) / vector.length : 0;
      const variance = vector.reduce((sum, value) => sum + (value - mean) ** 2, 0) / vector.length;
      const shift = traits.norm === 'layer' ? matrix(`${name}.bias`).values : undefined;
      return vector.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-12)) * scale[i]! + (shift?.[i] ?? 0));
    });
  };
  const add = (a: Rows, b: Rows): Rows => a.map((vector, i) => vector.map((value, j) => value + b[i]![j]!));

  const attention = (input: Rows, name: string): Rows => {
    const size = options.hidden / options.heads;
    const [query, key, value] = ['query', 'key', 'value'].map((part) => linear(input, `${name}.${part}`)) as [
      Rows,
      Rows,
      Rows,
    ];
    const mixed = input.map(() => new Array<number>(options.hidden).fill(0));
    for (let head = 0; head < options.heads; head++) {
      const part = (rows: Rows, place: number): number[] => {
        const slice = rows[place]!.slice(head * size, (head + 1) * size);
        return traits.positions === 'rotary' && rows !== value ? rotate(slice, place) : slice;
      };
      for (let i = 0; i < input.length; i++) {
        const seen = traits.causal ? i + 1 : input.length;
        const scores = Array.from({ length: seen }, (_, j) => {
          const score = dot(part(query, i), part(key, j)) / Math.sqrt(size);
          return traits.positions === 'alibi' ? score - Math.abs(i - j) * alibiSlopes(options.heads)[head]! : score;
        });
        const top = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - top));
        const total = shares.reduce((sum, share) => sum + share, 0);
        shares.forEach((share, j) =>
          part(value, j).forEach((x, k) => (mixed[i]![head * size + k]! += (share / total) * x)),
        );
      }
    }
    return linear(mixed, `${name}.output`);
  };
  const feedForward = (input: Rows, name: string): Rows => {
    const up = linear(input, `${name}.up`);
    if (traits.feedForward === 'gelu')
      return linear(
        up.map((vector) => vector.map(gelu)),
        `${name}.down`,
      );
    const active = traits.feedForward === 'geglu' ? gelu : silu;
    const gate = linear(input, `${name}.gate`);
    return linear(
      up.map((vector, i) => vector.map((value, j) => value * active(gate[i]![j]!))),
      `${name}.down`,
    );
  };

  let state = ids.map((id, place) => {
    const vector = row('embeddings.word', id);
    const others: number[][] = [];
    if (traits.tokenTypes > 0) others.push(row('embeddings.type', 0));
    if (traits.positions === 'learned') others.push(row('embeddings.position', place));
    if (traits.positions === 'roberta') others.push(row('embeddings.position', place + ROBERTA_PADDING_ID + 1));
    return others.reduce((sum, other) => sum.map((value, i) => value + other[i]!), vector);
  });
  state = norm(state, 'embeddings.norm');
  for (let layer = 0; layer < options.layers; layer++) {
    const name = `layer.${layer}`;
    if (traits.normalization === 'before') {
      state = add(state, attention(norm(state, `${name}.attention.norm`), name));
      state = add(state, feedForward(norm(state, `${name}.ffn.norm`), name));
    } else {
      state = norm(add(state, attention(state, name)), `${name}.attention.norm`);
      state = norm(add(state, feedForward(state, name)), `${name}.ffn.norm`);
    }
  }
  if (traits.normalization === 'before') state = norm(state, 'final.norm');
  return options.projection === 0 ? state : linear(state, 'projection');
}

function rotate(vector: number[], place: number): number[] {
  const half = vector.length / 2;
  return vector.map((value, index) => {
    const angle = place * ROTARY_BASE ** ((-2 * (index % half)) / vector.length);
    const other = index < half ? -vector[index + half]! : vector[index - half]!;
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

function gelu(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** Abramowitz and Stegun 7.1.26; error below 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - poly * Math.exp(-x * x));
}
