import { expect, it } from 'vitest';
import { NO_FILTERS } from '../../../src/protocol/hit.ts';
import type { FileEntry } from '../../../src/search/chunkIndex.ts';
import { FileFilters, fileFilter } from '../../../src/server/search/fileFilters.ts';

/** A file that counts how often its path is looked at. */
function countedFile(path: string) {
  const looks = { count: 0 };
  const file = {
    scope: 'code',
    language: 'typescript',
    get path() {
      looks.count += 1;
      return path;
    },
  } as FileEntry;
  return { file, looks };
}

const SOURCES = { ...NO_FILTERS, exclude: ['**/dist', '*.log'] };

it('a filter tests scope, language and globs', () => {
  const { file } = countedFile('src/a.ts');
  expect(fileFilter(SOURCES)(file)).toBe(true);
  expect(fileFilter({ ...SOURCES, include: ['test'] })(file)).toBe(false);
  expect(fileFilter({ ...SOURCES, scope: 'docs' })(file)).toBe(false);
  expect(fileFilter({ ...SOURCES, languages: ['python'] })(file)).toBe(false);
  expect(fileFilter(SOURCES)(countedFile('dist/a.ts').file)).toBe(false);
});

it('a file is tested once for filters that stay the same from search to search', () => {
  const filters = new FileFilters();
  const { file, looks } = countedFile('dist/a.ts');
  for (let search = 0; search < 3; search++) expect(filters.of({ ...SOURCES })(file)).toBe(false);
  expect(looks.count).toBe(1);
});

it('other filters are tested on their own, and few are kept', () => {
  const filters = new FileFilters();
  const { file, looks } = countedFile('src/a.ts');
  expect(filters.of(SOURCES)(file)).toBe(true);
  for (let edit = 0; edit < 8; edit++) filters.of({ ...NO_FILTERS, include: [`folder${edit}`] });
  expect(filters.of({ ...NO_FILTERS, include: ['test'] })(file)).toBe(false);
  expect(filters.of(SOURCES)(file)).toBe(true);
  expect(looks.count).toBe(3);
});
