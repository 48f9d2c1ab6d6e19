import { expect, test } from 'vitest';
import { EMPTY_VIEW_QUERY } from '../../../src/protocol/view.ts';
import { enabledGlobs, filtersOf, splitGlobs, splitLanguages } from '../../../src/host/searching/filterText.ts';

test.each([
  ['', []],
  ['  , ', []],
  ['*.ts', ['**/*.ts', '**/*.ts/**']],
  ['src', ['**/src', '**/src/**']],
  ['./src', ['src', 'src/**']],
  ['/src/', ['src', 'src/**']],
  ['src/lib', ['src/lib', 'src/lib/**']],
  ['src/**', ['src/**']],
  ['**/test', ['**/test']],
  ['.\\src\\lib', ['src/lib', 'src/lib/**']],
  ['./', ['**']],
  ['*.{ts,tsx}, docs', ['**/*.{ts,tsx}', '**/*.{ts,tsx}/**', '**/docs', '**/docs/**']],
])('the box %j stands for the globs %j', (typed, globs) => {
  expect(splitGlobs(typed)).toEqual(globs);
});

test('languages are ids separated by commas or spaces', () => {
  expect(splitLanguages(' TypeScript, python  go,')).toEqual(['typescript', 'python', 'go']);
});

test('only globs that are switched on count; conditional ones are left out', () => {
  expect(enabledGlobs({ '**/a': true, '**/b': false, '**/*.js': { when: '$(basename).ts' } })).toEqual(['**/a']);
  expect(enabledGlobs(undefined)).toEqual([]);
});

test('exclude settings apply unless they are switched off', () => {
  const query = { ...EMPTY_VIEW_QUERY, text: 'x', exclude: './gen' };
  expect(filtersOf(query, ['out/**']).exclude).toEqual(['gen', 'gen/**', 'out/**']);
  expect(filtersOf({ ...query, useExcludeSettings: false }, ['out/**']).exclude).toEqual(['gen', 'gen/**']);
});
