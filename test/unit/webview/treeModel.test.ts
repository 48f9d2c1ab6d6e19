import { expect, test } from 'vitest';
import type { ViewFile, ViewHit } from '../../../src/protocol/view.ts';
import { MORE_ROW, TreeModel } from '../../../src/webview/treeModel.ts';

const hit = (id: string): ViewHit => ({
  id,
  startLine: 1,
  endLine: 1,
  bestLine: 1,
  symbol: '',
  scope: 'code',
  language: 'typescript',
  strength: 1,
  lines: [],
  reasons: [],
});
const file = (key: string, ...ids: readonly string[]): ViewFile => ({
  key,
  name: key,
  directory: '',
  language: 'typescript',
  hits: ids.map(hit),
  stale: false,
});

function tree(...files: readonly ViewFile[]) {
  const model = new TreeModel();
  model.replace(files, false);
  return model;
}
const two = () => tree(file('a', 'a1', 'a2'), file('b', 'b1'));

test('stepping goes through the hits of all files and around the ends', () => {
  const model = two();
  const steps = [1, 1, 1, 1, -1, -1] as const;
  expect(steps.map((by) => model.step(by)?.id)).toEqual(['a1', 'a2', 'b1', 'a1', 'b1', 'a2']);
});

test('stepping from a file’s row goes to its first hit, or to the one before the file', () => {
  const model = two();
  model.focused = 'b';
  expect(model.step(1)?.id).toBe('b1');
  model.focused = 'b';
  expect(model.step(-1)?.id).toBe('a2');
});

test('stepping into a closed file opens it', () => {
  const model = two();
  model.collapseAll();
  expect(model.isCollapsed('a')).toBe(true);
  model.step(1);
  expect([model.isCollapsed('a'), model.isCollapsed('b')]).toEqual([false, true]);
});

test('without hits there is nothing to step to', () => {
  expect(tree().step(1)).toBeUndefined();
});

test('a dismissed hit is gone and the next row has the focus', () => {
  const model = two();
  model.dismiss('a1', ['a', 'a1', 'a2', 'b', 'b1']);
  expect([model.hits.map(({ id }) => id), model.focused]).toEqual([['a2', 'b1'], 'a2']);
});

test('a dismissed file hands the focus to the next file', () => {
  const model = two();
  model.dismiss('a', ['a', 'a1', 'a2', 'b', 'b1']);
  expect([model.files.map(({ key }) => key), model.focused]).toEqual([['b'], 'b']);
});

test('the last row dismissed hands the focus back', () => {
  const model = two();
  model.dismiss('b1', ['a', 'a1', 'a2', 'b', 'b1']);
  expect([model.files.map(({ key }) => key), model.focused]).toEqual([['a'], 'b']);
});

test('collapse all closes all files, and opens them when they are closed', () => {
  const model = two();
  model.focused = 'a2';
  model.collapseAll();
  expect([model.isCollapsed('a'), model.isCollapsed('b'), model.focused]).toEqual([true, true, 'a']);
  model.collapseAll();
  expect([model.isCollapsed('a'), model.isCollapsed('b')]).toEqual([false, false]);
});

test('more hits give the focus to the first new one', () => {
  const model = two();
  model.focused = MORE_ROW;
  model.replace([file('a', 'a1', 'a2', 'a3'), file('b', 'b1'), file('c', 'c1')], true);
  expect(model.focused).toBe('a3');
});

test('what a person did survives a reload', () => {
  const model = two();
  model.toggleFile('a');
  model.toggleHit('b1');
  model.dismiss('a1', ['a', 'b']);
  const again = two();
  again.restore(JSON.parse(JSON.stringify(model.state)) as typeof model.state);
  expect(again.state).toEqual(model.state);
  expect(again.hits.map(({ id }) => id)).toEqual(['a2', 'b1']);
});
