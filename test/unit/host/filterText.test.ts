import { expect, test } from 'vitest';
import { EMPTY_VIEW_QUERY, type ViewQuery } from '../../../src/protocol/view.ts';
import { pathMatcher } from '../../../src/server/store/pathFilter.ts';
import {
  addressFolders,
  enabledGlobs,
  escapeGlob,
  filtersOf,
  splitGlobs,
  splitLanguages,
} from '../../../src/host/searching/filterText.ts';

test.each([
  ['', []],
  ['  , ', []],
  ['*.ts', ['**/*.ts', '**/*.ts/**']],
  ['src', ['**/src', '**/src/**']],
  ['./src', ['src/**']],
  ['/src/', ['src/**']],
  ['src/lib', ['src/lib', 'src/lib/**']],
  ['src/**', ['src/**']],
  ['**/test', ['**/test']],
  ['.\\src\\lib', ['src/lib/**']],
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
  const excluded = (asked: ViewQuery) => filtersOf(asked, ['out/**'], new Map()).filters.exclude;
  expect(excluded(query)).toEqual(['gen/**', 'out/**']);
  expect(excluded({ ...query, useExcludeSettings: false })).toEqual(['gen/**']);
});

test.each(['app/(auth)/[id]', 'a, b', 'a{b,c}d', '!important', 'what?', '*', '50 % #1 ünï'])(
  'the folder %j as a glob means it and nothing else',
  (folder) => {
    const matches = pathMatcher({ include: splitGlobs(`./${escapeGlob(folder)}`), exclude: [] });
    expect(matches(`${folder}/x.ts`)).toBe(true);
    expect(matches(`${folder}/deep/y.ts`)).toBe(true);
    expect(matches(`below/${folder}/x.ts`)).toBe(false);
    expect(matches('elsewhere/x.ts')).toBe(false);
  },
);

test('a file at the top is not one of the same name further down', () => {
  const matches = pathMatcher({ include: splitGlobs('./README.md'), exclude: [] });
  expect(matches('README.md')).toBe(true);
  expect(matches('packages/one/README.md')).toBe(false);
});

const names = new Map([
  ['/work/one', 'one'],
  ['/work/two (new)', 'two (new)'],
]);

test.each([
  [[], undefined, []],
  [['./one'], ['/work/one'], ['./**']],
  [['./one/src', './one/test'], ['/work/one'], ['./src', './test']],
  [['./two [(]new[)]/src'], ['/work/two (new)'], ['./src']],
  [
    ['./one/src', './two [(]new[)]/lib'],
    ['/work/one', '/work/two (new)'],
    ['./src', './lib'],
  ],
  [['./one/src', '*.ts'], undefined, ['./src', '*.ts']],
  [['./other'], undefined, ['./other']],
  [['one/src'], undefined, ['one/src']],
  [['./onelonger'], undefined, ['./onelonger']],
])('with several folders %j means the folders %j and %j inside', (typed, folders, globs) => {
  const addressed = addressFolders(typed, names);
  expect(addressed.folders === undefined ? undefined : [...addressed.folders]).toEqual(folders);
  expect(addressed.globs).toEqual(globs);
});

test('with one folder its name means nothing special', () => {
  const only = new Map([['/work/one', 'one']]);
  expect(addressFolders(['./one/src'], only)).toEqual({ folders: undefined, globs: ['./one/src'] });
});
