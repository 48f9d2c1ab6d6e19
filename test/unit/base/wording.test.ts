import { expect, it } from 'vitest';
import { counted } from '../../../src/base/wording.ts';

it.each([
  [0, '0 files'],
  [1, '1 file'],
  [2, '2 files'],
  [12_345, '12,345 files'],
])('%d is counted as “%s”', (count, text) => {
  expect(counted(count, 'file')).toBe(text);
});

it('takes an irregular plural as it is given', () => {
  expect(counted(2, 'match', 'matches')).toBe('2 matches');
});
