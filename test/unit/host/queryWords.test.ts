import { expect, test } from 'vitest';
import { marksIn, queryStems } from '../../../src/host/searching/queryWords.ts';

const marked = (query: string, line: string) =>
  marksIn(line, queryStems(query)).map(([start, end]) => line.slice(start, end));

test.each([
  ['where are retries handled', 'function handleRetry(error) {', ['handleRetry']],
  ['parse the config file', 'export function parseConfig(path) {', ['parseConfig']],
  ['parseConfig', 'const config = parse_config(text);', ['config', 'parse_config']],
  ['run tests', 'the testimony of a run', ['run']],
  ['HTTPServer', 'new HTTPServer()', ['HTTPServer']],
  ['lang:ts -path:test uploads', 'path.upload(test)', ['upload']],
  ['where is it', 'where is it', []],
  ['größe', 'const Größe = 1;', ['Größe']],
])('for %j the line %j has the marks %j', (query, line, marks) => {
  expect(marked(query, line)).toEqual(marks);
});

test('marks are sorted and do not overlap', () => {
  const marks = marksIn('parseConfig(parse, configFile, config)', queryStems('parse config file parseConfig'));
  for (const [index, [start]] of marks.entries()) {
    if (index > 0) expect(start).toBeGreaterThanOrEqual(marks[index - 1]![1]);
  }
  expect(marks.length).toBeGreaterThan(2);
});
