import { expect, test } from 'vitest';
import { NO_FILTERS } from '../../../src/protocol/hit.ts';
import { EMPTY_VIEW_QUERY, type ViewQuery } from '../../../src/protocol/view.ts';
import { pathMatcher } from '../../../src/server/store/pathFilter.ts';
import {
  addressFilters,
  alsoExcluding,
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

const CLIENT = '/home/me/client';
const SERVER = '/home/me/server (new)';
const NAMES = new Map([
  [CLIENT, 'client'],
  [SERVER, 'server (new)'],
]);

/** Which of some files of two folders a question is about, as `folder name:path`. */
function passing(query: Partial<ViewQuery>, names: ReadonlyMap<string, string> = NAMES): readonly string[] {
  const { filters, folderFilters } = filtersOf({ ...EMPTY_VIEW_QUERY, ...query }, ['**/out/**'], names);
  const paths = ['src/a.ts', 'lib/src/b.ts', 'lib/c.ts', 'dist/d.js', 'e.md', 'out/f.js'];
  return [...names].flatMap(([folder, name]) => {
    if (folderFilters?.has(folder) === false) return [];
    const matches = pathMatcher(folderFilters?.get(folder) ?? filters);
    return paths.filter((path) => matches(path)).map((path) => `${name.split(' ')[0] ?? ''}:${path}`);
  });
}

test.each([
  ['./client/src', ['client:src/a.ts']],
  ['.\\client\\src', ['client:src/a.ts']],
  ['./client/src/a.ts', ['client:src/a.ts']],
  ['./client/*.md', ['client:e.md']],
  ['./client/**/src', ['client:src/a.ts', 'client:lib/src/b.ts']],
  ['./client/src, ./server [(]new[)]/lib', ['client:src/a.ts', 'server:lib/src/b.ts', 'server:lib/c.ts']],
  ['./client/src, *.md', ['client:src/a.ts', 'client:e.md', 'server:e.md']],
  [
    './client, ./client/src',
    ['src/a.ts', 'lib/src/b.ts', 'lib/c.ts', 'dist/d.js', 'e.md'].map((path) => `client:${path}`),
  ],
  ['./lib', ['client:lib/src/b.ts', 'client:lib/c.ts', 'server:lib/src/b.ts', 'server:lib/c.ts']],
  ['./clientlonger', []],
])('with several folders %j in the box of files to include means %j', (include, files) => {
  expect(passing({ include })).toEqual(files);
});

test.each([
  [
    './client/lib',
    [
      'client:src/a.ts',
      'client:dist/d.js',
      'server:src/a.ts',
      'server:lib/src/b.ts',
      'server:lib/c.ts',
      'server:dist/d.js',
    ],
  ],
  ['./client, dist, ./server [(]new[)]/src', ['server:lib/src/b.ts', 'server:lib/c.ts']],
])('with several folders %j in the box of files to exclude leaves %j', (exclude, files) => {
  expect(passing({ exclude: `${exclude}, *.md` })).toEqual(files);
});

test('what is included and what is excluded may be said of different folders', () => {
  const query = { include: './client/src, lib', exclude: './server [(]new[)]/lib/src, ./client/lib' };
  expect(passing(query)).toEqual(['client:src/a.ts', 'server:lib/c.ts']);
  expect(passing({ include: './client/out' })).toEqual([]);
  expect(passing({ include: './client/out', useExcludeSettings: false })).toEqual(['client:out/f.js']);
});

test('only folders that something to include is meant for are searched', () => {
  const searched = (include: string) => filtersOf({ ...EMPTY_VIEW_QUERY, include }, [], NAMES).folderFilters?.keys();
  expect([...(searched('./client/src') ?? [])]).toEqual([CLIENT]);
  expect([...(searched('./client/src, *.md') ?? [])]).toEqual([CLIENT, SERVER]);
  expect(searched('*.md')).toBeUndefined();
});

test('with one folder its name means nothing special', () => {
  expect(passing({ include: './client' }, new Map([[CLIENT, 'client']]))).toEqual([]);
  expect(passing({ include: './src' }, new Map([[CLIENT, 'client']]))).toEqual(['client:src/a.ts']);
});

test('globs that name no folder can be left as they are written', () => {
  const typed = { ...NO_FILTERS, include: ['./client/src', 'lib'], exclude: ['./server [(]new[)]/lib/c.ts', '*.md'] };
  const { folderFilters } = alsoExcluding(addressFilters(typed, NAMES), ['out']);
  expect(folderFilters?.get(CLIENT)).toMatchObject({ include: ['src/**', 'lib'], exclude: ['*.md', 'out'] });
  expect(folderFilters?.get(SERVER)).toMatchObject({ include: ['lib'], exclude: ['lib/c.ts/**', '*.md', 'out'] });
  expect(addressFilters({ ...NO_FILTERS, include: ['client/src'] }, NAMES)).toEqual({
    filters: { ...NO_FILTERS, include: ['client/src'] },
    folderFilters: undefined,
  });
});
