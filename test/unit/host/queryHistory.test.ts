import { expect, test } from 'vitest';
import { type HistoryStore, QueryHistory } from '../../../src/host/searching/queryHistory.ts';

function history(...queries: readonly string[]) {
  const values = new Map<string, readonly string[]>();
  const store: HistoryStore = {
    get: (key, fallback) => values.get(key) ?? fallback,
    update: (key, value) => Promise.resolve(void values.set(key, value)),
  };
  const made = new QueryHistory(store);
  return queries.reduce(async (before, query) => ((await before).add(query), before), Promise.resolve(made));
}

test('a query asked again moves to the end instead of standing twice', async () => {
  expect((await history('a', 'b', 'c', ' a ')).entries).toEqual(['b', 'c', 'a']);
});

test('nothing typed is nothing to remember', async () => {
  expect((await history('a', '  ')).entries).toEqual(['a']);
});

test('the oldest entries leave', async () => {
  const { entries } = await history(...Array.from({ length: 80 }, (_, at) => `query ${at}`));
  expect(entries).toHaveLength(50);
  expect(entries[0]).toBe('query 30');
});

test('a query that stands last already changes nothing', async () => {
  const made = await history('a', 'b');
  const changes: unknown[] = [];
  made.onChange((entries) => changes.push(entries));
  await made.add('b');
  await made.add('a');
  expect(changes).toEqual([['b', 'a']]);
});
