import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ChunkIndex } from '../../../src/search/chunkIndex.ts';
import { IMAGE_FORMAT, decodeSegment, encodeSegment } from '../../../src/search/segmentImage.ts';
import { DIMENSION, file, indexOf, pathsOf, search } from './searchFixtures.ts';

const SHAPE = { dimensions: { code: DIMENSION, docs: DIMENSION }, hasOneSpace: true };
const files = [
  file(
    'src/router.ts',
    {
      text: 'export class Router { match(path) {} }',
      symbol: 'Router',
      definitions: ['Router', 'Router.match'],
      vector: [1, 0, 0, 0],
    },
    { text: 'addRoute(parseConfig_V2)', symbol: 'addRoute', enclosing: ['Router'] },
  ),
  file('docs/guide.md', { text: 'How routes are matched, Größe und 検索', vector: [0, 0.6, 0.8, 0] }),
  file('empty.ts'),
];

describe('an image of a segment', () => {
  const [segment] = indexOf(...files).segments;
  if (segment === undefined) throw new Error('There is no segment.');
  const contents = ['one', null, 'three'];

  test('answers as the segment does, but for files that are gone', () => {
    const found = decodeSegment(encodeSegment({ segment, contents }));
    expect(found?.contents).toEqual(contents);
    const index = new ChunkIndex(SHAPE);
    index.adopt(found === undefined ? [] : [found.segment]);
    expect(index.fileCount).toBe(2);
    const original = indexOf(files[0]!, files[2]!);
    const vectors = { code: Float32Array.of(0.8, 0.6, 0, 0), docs: null };
    for (const query of ['router match', 'parse config', 'addRoute', 'docs guide']) {
      const [ours, theirs] = [search(index, query, { vectors }), search(original, query, { vectors })];
      expect(pathsOf(ours)).toEqual(pathsOf(theirs));
      expect(ours.map(({ chunk }) => chunk.definitions)).toEqual(theirs.map(({ chunk }) => chunk.definitions));
    }
  });

  test('of another format is none', () => {
    const bytes = encodeSegment({ segment, contents });
    const text = new TextDecoder('latin1').decode(bytes);
    const at = text.indexOf(`"format":${IMAGE_FORMAT}`) + '"format":'.length;
    bytes[at] = '9'.charCodeAt(0);
    expect(decodeSegment(bytes)).toBeUndefined();
  });

  test('changes its bytes only together with its format', () => {
    // Fails when words, stems, vectors or the layout are made differently: then raise IMAGE_FORMAT and put the new digest here.
    const digest = createHash('sha256').update(encodeSegment({ segment, contents })).digest('hex');
    expect([IMAGE_FORMAT, digest.slice(0, 16)]).toEqual([1, '40f9db54b34be582']);
  });

  test('is taken in once, whoever has a file too', () => {
    const index = indexOf(file('src/router.ts', 'newer words'));
    const found = decodeSegment(encodeSegment({ segment, contents: ['one', 'two', 'three'] }));
    index.adopt(found === undefined ? [] : [found.segment]);
    expect(index.fileCount).toBe(3);
    expect(pathsOf(search(index, 'addRoute'))).not.toContain('src/router.ts');
    expect(pathsOf(search(index, 'newer'))).toEqual(['src/router.ts']);
    index.remove(['src/router.ts', 'docs/guide.md', 'empty.ts']);
    expect(index.segments).toEqual([]);
  });
});
