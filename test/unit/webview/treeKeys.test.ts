import { expect, test } from 'vitest';
import { type KeyedRow, type KeyPress, treeAction } from '../../../src/webview/treeKeys.ts';

const row = (kind: KeyedRow['kind'], isOpen = false, isFirst = false): KeyedRow => ({ kind, isOpen, isFirst });
const press = (keys: string): KeyPress => {
  const parts = keys.split('+');
  const key = parts.at(-1) ?? '';
  const has = (name: string) => parts.includes(name);
  const code = /^[a-z]$/.test(key) ? `Key${key.toUpperCase()}` : key;
  return { key, code, ctrlKey: has('Ctrl'), metaKey: has('Cmd'), altKey: has('Alt'), shiftKey: has('Shift') };
};
const move = (to: string) => ({ kind: 'move', to });

test.each([
  ['ArrowDown', row('hit'), move('next')],
  ['ArrowUp', row('hit'), move('previous')],
  ['ArrowUp', row('file', true, true), { kind: 'leave' }],
  ['Ctrl+ArrowUp', row('hit'), { kind: 'leave' }],
  ['Escape', row('hit'), { kind: 'leave' }],
  ['Home', row('hit'), move('first')],
  ['End', row('hit'), move('last')],
  ['PageDown', row('more'), move('pageDown')],
  ['ArrowRight', row('file', false), { kind: 'toggle' }],
  ['ArrowRight', row('file', true), move('next')],
  ['ArrowRight', row('hit', false), { kind: 'toggle' }],
  ['ArrowRight', row('hit', true), undefined],
  ['ArrowLeft', row('hit', true), { kind: 'toggle' }],
  ['ArrowLeft', row('hit', false), move('parent')],
  ['ArrowLeft', row('file', true), { kind: 'toggle' }],
  ['ArrowLeft', row('file', false), undefined],
  ['Enter', row('hit'), { kind: 'open', mode: 'focus' }],
  ['Ctrl+Enter', row('hit'), { kind: 'open', mode: 'side' }],
  ['Cmd+Enter', row('hit'), { kind: 'open', mode: 'side' }],
  ['Enter', row('file'), { kind: 'toggle' }],
  ['Enter', row('more'), { kind: 'loadMore' }],
  [' ', row('hit'), { kind: 'open', mode: 'preview' }],
  ['Delete', row('file'), { kind: 'dismiss' }],
  ['Delete', row('more'), undefined],
  ['Cmd+Backspace', row('hit'), { kind: 'dismiss' }],
  ['Backspace', row('hit'), undefined],
  ['Ctrl+c', row('hit'), { kind: 'copy', what: 'text' }],
  ['Ctrl+Alt+c', row('file'), { kind: 'copy', what: 'path' }],
  ['Cmd+Shift+Alt+c', row('hit'), { kind: 'copy', what: 'relativePath' }],
  ['c', row('hit'), undefined],
  ['F4', row('hit'), undefined],
  ['Tab', row('hit'), undefined],
] as const)('%s on %o', (keys, on, action) => {
  expect(treeAction(press(keys), on)).toEqual(action);
});
