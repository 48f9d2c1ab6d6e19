import { expect, test } from 'vitest';
import { packed, unpacked } from '../../../src/protocol/packedAnswer.ts';
import type { HostToView, ViewHit } from '../../../src/protocol/view.ts';

function hit(key: string, more: Partial<ViewHit> = {}): ViewHit {
  return {
    id: `${key}\0${more.startLine ?? 1}-9`,
    startLine: 1,
    endLine: 9,
    bestLine: 2,
    symbol: 'Router.match',
    scope: 'code',
    language: 'typescript',
    strength: 0.5,
    lines: [],
    reasons: [],
    ...more,
  };
}

function answer(...hits: readonly ViewHit[]): HostToView {
  const file = { key: '/folder\0src/a.ts', name: 'a.ts', directory: 'src', language: 'typescript', stale: false, hits };
  return {
    kind: 'results',
    generation: 3,
    similarTo: null,
    files: [file],
    hitCount: hits.length,
    hasMore: false,
    summary: '',
    notices: [],
    empty: null,
  };
}

test('an answer arrives as it was', () => {
  const key = '/folder\0src/a.ts';
  const message = answer(
    hit(key, {
      lines: [
        { number: 7, text: 'match(path) {', marks: [[0, 5]] },
        { number: 8, text: '', marks: [] },
        {
          number: 9,
          text: '  return "\\n" + match(path);',
          marks: [
            [2, 8],
            [16, 21],
          ],
        },
      ],
      reasons: [
        { label: 'Words', detail: 'words match 90 %', share: 1 },
        { label: 'Depth', detail: 'deep in the folders', share: -0.125 },
      ],
    }),
    hit(key, { startLine: 20, lines: [{ number: 20, text: '', marks: [] }] }),
    hit(key, { startLine: 30 }),
  );
  const posted: unknown = JSON.parse(JSON.stringify(packed(message)));
  expect(unpacked(posted as ReturnType<typeof packed>)).toEqual(message);
});

test('a share is told as finely as it can be seen', () => {
  const message = answer(hit('/folder\0src/a.ts', { reasons: [{ label: '', detail: '', share: 1 / 3 }] }));
  expect(unpacked(packed(message))).toMatchObject({ files: [{ hits: [{ reasons: [{ share: 0.333 }] }] }] });
});

test('other messages are posted as they are', () => {
  const message: HostToView = { kind: 'command', command: 'refresh' };
  expect(packed(message)).toBe(message);
  expect(unpacked(message)).toBe(message);
});
