import { expect, test } from 'vitest';
import { SearchTrouble } from '../../../src/host/folders/searchTrouble.ts';

test('what a search lacked stays until one is whole', () => {
  const trouble = new SearchTrouble();
  expect(trouble.begin()('no vectors')).toBe(true);
  expect(trouble.begin()('no vectors')).toBe(false);
  expect(trouble.present).toBe('no vectors');
  expect(trouble.begin()(null)).toBe(true);
  expect(trouble.present).toBe(null);
});

test('a search that began before the index was made anew says nothing of the new one', () => {
  const trouble = new SearchTrouble();
  const first = trouble.begin();
  const second = trouble.begin();
  first('made by another model');
  trouble.forget();
  expect(trouble.present).toBe(null);
  expect(second('made by another model')).toBe(false);
  expect(trouble.present).toBe(null);
});
