import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fuseAttention } from '../../../src/embedder/attentionFusion.ts';
import { readOnnxFile } from '../../../src/embedder/onnxFile.ts';
import { InferenceSession, Tensor } from '../../../src/embedder/onnxRuntime.ts';
import { buildEncoder } from '../../../src/synthetic/encoderModel.ts';
import { ENCODER_FAMILIES, ENCODER_SIZES, type EncoderFamily } from '../../../src/synthetic/encoderShapes.ts';
import { OnnxGraph, type Value } from '../../../src/synthetic/onnxGraph.ts';
import { SeededRandom } from '../../../src/synthetic/random.ts';

const FILE = 'model.onnx';
const HIDDEN = 32;
const HEADS = 4;
const HEAD_SIZE = HIDDEN / HEADS;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

function encoder(family: EncoderFamily, weights: 'float32' | 'int8' = 'float32'): Uint8Array {
  const options = { ...ENCODER_SIZES.tiny, family, seed: 3, weights, outputs: 'tokens' as const, projection: 0 };
  return buildEncoder({ ...options, normalized: false, outputType: 'float32' }).model;
}

/** What the file's graph and the other form of it give for the same texts, real tokens only. */
async function outputsOf(
  file: Uint8Array,
  fused: Uint8Array,
  lengths: readonly number[],
): Promise<[number[], number[]]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tessera-fusion-'));
  folders.push(folder);
  await writeFile(path.join(folder, FILE), file);
  const weights = { model_external_initializers_file_folder_path: folder };
  const sessions = [
    await InferenceSession.create(path.join(folder, FILE), { logSeverityLevel: 3 }),
    await InferenceSession.create(fused, { logSeverityLevel: 3, extra: { session: weights } }),
  ];
  const longest = Math.max(...lengths);
  const dims = [lengths.length, longest];
  const integers = (at: (row: number, column: number) => number) =>
    new Tensor(
      'int64',
      BigInt64Array.from({ length: lengths.length * longest }, (_, i) =>
        BigInt(at(Math.floor(i / longest), i % longest)),
      ),
      dims,
    );
  const feeds: Record<string, Tensor> = {
    input_ids: integers((row, column) => 5 + ((row * 31 + column * 7) % 90)),
    attention_mask: integers((row, column) => (column < (lengths[row] ?? 0) ? 1 : 0)),
    token_type_ids: integers(() => 0),
    position_ids: integers((_, column) => column),
  };
  const [own, other] = await Promise.all(
    sessions.map(async (session) => {
      const wanted = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
      const output = Object.values(await session.run(wanted))[0]!;
      await session.release();
      const width = output.dims[2]!;
      return [...(output.data as Float32Array)].filter((_, i) => {
        const token = Math.floor(i / width);
        return token % longest < (lengths[Math.floor(token / longest)] ?? 0);
      });
    }),
  );
  return [own!, other!];
}

const largestDifference = ([a, b]: readonly [readonly number[], readonly number[]]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

function attentionsOf(file: Uint8Array): number {
  return readOnnxFile(file).nodes.filter(({ type }) => type === 'If').length;
}

const EVEN = [9, 9, 9];
const PADDED = [12, 3, 7];

describe('attention as one operator', () => {
  it.each(['bert', 'distilbert', 'roberta', 'jina-bert'] as const)(
    'is found in every layer of %s, and gives what its parts give, with padding and without',
    async (family) => {
      const file = encoder(family);
      const fused = fuseAttention(file, FILE);
      expect(fused).not.toBeNull();
      expect(attentionsOf(fused!)).toBe(ENCODER_SIZES.tiny.layers);
      // The parts are within, and computed only where they are needed.
      expect(readOnnxFile(fused!).nodes.some(({ type }) => type === 'Softmax')).toBe(false);
      for (const lengths of [EVEN, PADDED, [1]])
        expect(largestDifference(await outputsOf(file, fused!, lengths))).toBeLessThan(1e-4);
    },
  );

  it('is found in an int8 model, too', async () => {
    const file = encoder('bert', 'int8');
    const fused = fuseAttention(file, FILE)!;
    expect(attentionsOf(fused)).toBe(ENCODER_SIZES.tiny.layers);
    // With padding the same operators run; without, rounding to eight bits may fall the other way.
    expect(largestDifference(await outputsOf(file, fused, PADDED))).toBe(0);
    expect(largestDifference(await outputsOf(file, fused, EVEN))).toBeLessThan(0.5);
  });

  it('leaves families alone that turn their queries and keys by position', () => {
    const turned = Object.entries(ENCODER_FAMILIES).filter(([, { positions }]) => positions === 'rotary');
    expect(turned.length).toBeGreaterThan(0);
    for (const [family] of turned) expect(fuseAttention(encoder(family as EncoderFamily), FILE)).toBeNull();
  });

  it('leaves large weights where they are', () => {
    const file = encoder('bert');
    const fused = fuseAttention(file, FILE)!;
    const { vocabulary, hidden } = ENCODER_SIZES.tiny;
    expect(file.length - fused.length).toBeGreaterThan(4 * vocabulary * hidden - 8192);
    expect(readOnnxFile(fused).isSplit).toBe(true);
    expect(fuseAttention(fused, FILE)).toBeNull();
  });

  it('reads nothing but ONNX', () => {
    expect(() => fuseAttention(Uint8Array.of(0x3a, 0x7f, 1, 2), FILE)).toThrow(RangeError);
    expect(fuseAttention(new OnnxGraph().encode(), FILE)).toBeNull();
  });
});

/** One attention as exporters write it today. */
function exported(how: {
  /** `view(batch, sequence, -1, size)` rather than `view(batch, sequence, heads, size)`. */
  readonly opensHeads: boolean;
  /** Queries and keys are scaled each, and shares of tokens that see nothing are made zero. */
  readonly isScaledDotProduct: boolean;
  /** Something else reads the scores. */
  readonly givesScores?: boolean;
}): Uint8Array {
  const graph = new OnnxGraph();
  const random = new SeededRandom(9);
  const weight = (from: number, to: number): Value => graph.float(random.floats(from * to, 0.5), [from, to]);
  const ids = graph.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = graph.input('attention_mask', 'int64', ['batch', 'sequence']);
  const state = graph.op('Gather', [weight(100, HIDDEN), ids]);
  const sizes = graph.op('Shape', [ids]);
  const size = (axis: number): Value => graph.op('Gather', [sizes, graph.integers([axis])]);
  const concat = (parts: readonly Value[]): Value => graph.op('Concat', parts, { axis: { int: 0 } });
  const heads = graph.op('Identity', [graph.integers([how.opensHeads ? -1 : HEADS])]);
  const seen = graph.cast(graph.op('Unsqueeze', [mask, graph.integers([1, 2])]), 'bool');
  const bias = graph.op('Where', [seen, graph.scalar(0), graph.scalar(-Infinity)]);
  const split = (order: readonly number[]): Value => {
    const projected = graph.op('Add', [
      graph.float(random.floats(HIDDEN, 0.5), [HIDDEN]),
      graph.op('MatMul', [state, weight(HIDDEN, HIDDEN)]),
    ]);
    const shape = concat([size(0), size(1), heads, graph.integers([HEAD_SIZE])]);
    return graph.op('Transpose', [graph.op('Reshape', [projected, shape])], { perm: { ints: order } });
  };
  const share = graph.scalar(HEAD_SIZE ** -0.25);
  const scale = (value: Value): Value => (how.isScaledDotProduct ? graph.op('Mul', [value, share]) : value);
  const product = graph.op('MatMul', [scale(split([0, 2, 1, 3])), scale(split([0, 2, 3, 1]))]);
  const scores = how.isScaledDotProduct ? product : graph.op('Mul', [product, graph.scalar(HEAD_SIZE ** -0.5)]);
  let shares = graph.op('Softmax', [graph.op('Add', [scores, bias])], { axis: { int: -1 } });
  if (how.isScaledDotProduct) shares = graph.op('Where', [graph.op('IsNaN', [shares]), graph.scalar(0), shares]);
  const mixed = graph.op('MatMul', [shares, split([0, 2, 1, 3])]);
  const joined = graph.op('Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } });
  const rows = graph.op('Reshape', [joined, concat([size(0), size(1), graph.integers([-1])])]);
  graph.output('last_hidden_state', rows, 'float32', ['batch', 'sequence', HIDDEN]);
  if (how.givesScores === true) graph.output('attentions', scores, 'float32', ['batch', HEADS, 'sequence', 'sequence']);
  return graph.encode();
}

describe('attention in an export', () => {
  it.each([
    { opensHeads: false, isScaledDotProduct: false },
    { opensHeads: true, isScaledDotProduct: false },
    { opensHeads: true, isScaledDotProduct: true },
  ])('is found: %o', async (how) => {
    const file = exported(how);
    const fused = fuseAttention(file, FILE);
    expect(fused).not.toBeNull();
    expect(attentionsOf(fused!)).toBe(1);
    for (const lengths of [EVEN, PADDED])
      expect(largestDifference(await outputsOf(file, fused!, lengths))).toBeLessThan(1e-5);
  });

  it('stays as it is where its scores are an output', () => {
    expect(
      fuseAttention(exported({ opensHeads: true, isScaledDotProduct: false, givesScores: true }), FILE),
    ).toBeNull();
  });
});
