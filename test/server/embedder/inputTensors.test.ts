import { describe, expect, it } from 'vitest';
import type { GraphPorts, InputPort } from '../../../src/embedder/graphPorts.ts';
import { InputMemory, buildFeeds } from '../../../src/embedder/inputTensors.ts';
import { TokenCounter, type TextInput, wholeText } from '../../../src/embedder/textInput.ts';

const PORTS: readonly InputPort[] = [
  ...(['ids', 'mask', 'types', 'positions', 'counts', 'firsts'] as const).flatMap((kind) =>
    (['int64', 'int32'] as const).map((type) => ({ kind, type, name: `${kind} ${type}` })),
  ),
  { kind: 'floatMask', name: 'floats' },
  { kind: 'offsets', type: 'int64', name: 'offsets' },
];

const portsOf = (isBag: boolean): GraphPorts => ({
  inputs: isBag ? PORTS.filter(({ kind }) => kind !== 'floatMask' && kind !== 'positions') : PORTS,
  output: { name: 'out', perToken: false },
  isBag,
  countsTokens: true,
});

const counter = new TokenCounter();
const text = (...ids: number[]): TextInput => counter.count(Int32Array.from(ids));
const LONG = [text(9, 8, 7, 9, 6, 5), text(4, 3, 2, 1)];
const SHORT = [text(11), text(12, 12)];

describe('the inputs of a run', () => {
  it.each([false, true])('are the same whatever was in their memory before (bag: %s)', (isBag) => {
    const ports = portsOf(isBag);
    const memory = new InputMemory();
    const layout = (length: number) => ({ length, padTokenId: 3, firstPosition: 2 });
    buildFeeds(ports, LONG, layout(6), memory);
    const again = buildFeeds(ports, SHORT, layout(4), memory);
    const fresh = buildFeeds(ports, SHORT, layout(4), new InputMemory());
    for (const { name } of ports.inputs) {
      expect(again[name]?.dims, name).toEqual(fresh[name]?.dims);
      expect(again[name]?.data, name).toEqual(fresh[name]?.data);
    }
  });

  it('of a bag are numbers of the types the graph declares, of which there is one kind of token', () => {
    const ports = portsOf(true);
    const feeds = buildFeeds(ports, SHORT, { length: 2, padTokenId: 3, firstPosition: 0 }, new InputMemory());
    expect(feeds['types int32']?.data).toEqual(new Int32Array(2));
    expect(feeds['mask int32']?.data).toEqual(Int32Array.of(1, 1));
    expect(feeds['mask int64']?.data).toEqual(BigInt64Array.of(1n, 1n));
    expect(feeds['ids int64']?.data).toEqual(BigInt64Array.of(11n, 12n));
  });

  // `create_position_ids_from_input_ids` of Hugging Face's RoBERTa: behind the padding id, which padding itself keeps.
  it('of padded rows are ids, mask and positions as Hugging Face has them, RoBERTa’s positions too', () => {
    const ports = {
      ...portsOf(false),
      inputs: PORTS.filter(({ kind }) => ['ids', 'mask', 'positions'].includes(kind)),
    };
    const texts = [[11], [12, 13]].map((ids) => wholeText(Int32Array.from(ids)));
    const feeds = (firstPosition: number) =>
      buildFeeds(ports, texts, { length: 3, padTokenId: 1, firstPosition }, new InputMemory());
    expect(feeds(2)['ids int64']?.data).toEqual(BigInt64Array.of(11n, 1n, 1n, 12n, 13n, 1n));
    expect(feeds(2)['mask int64']?.data).toEqual(BigInt64Array.of(1n, 0n, 0n, 1n, 1n, 0n));
    expect(feeds(2)['positions int64']?.data).toEqual(BigInt64Array.of(2n, 1n, 1n, 2n, 3n, 1n));
    expect(feeds(0)['positions int64']?.data).toEqual(BigInt64Array.of(0n, 0n, 0n, 0n, 1n, 0n));
  });

  it('take no more memory where there is enough', () => {
    const memory = new InputMemory();
    const ids: InputPort = { kind: 'ids', type: 'int32', name: 'ids' };
    const ports: GraphPorts = { ...portsOf(false), inputs: [ids] };
    const bufferOf = (texts: readonly TextInput[], length: number) =>
      (buildFeeds(ports, texts, { length, padTokenId: 0, firstPosition: 0 }, memory)['ids']?.data as Int32Array).buffer;
    const large = bufferOf(LONG, 20);
    expect(bufferOf(SHORT, 2)).toBe(large);
    expect(bufferOf(LONG, 200)).not.toBe(large);
  });
});
