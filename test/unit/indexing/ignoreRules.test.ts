import { describe, expect, it } from 'vitest';
import { IgnoreRules } from '../../../src/indexing/ignoreRules.ts';

const rules = (text: string, ignoreCase = false) => new IgnoreRules(text, { ignoreCase });
const file = (text: string, path: string) => rules(text).rule(path, false);
const folder = (text: string, path: string) => rules(text).rule(path, true);

describe('IgnoreRules', () => {
  it('matches a plain name at any depth', () => {
    expect(file('todo', 'todo')).toBe('ignored');
    expect(file('todo', 'a/b/todo')).toBe('ignored');
    expect(file('todo', 'todo.md')).toBeUndefined();
  });

  it('anchors a pattern with a slash at the start or inside', () => {
    expect(file('/a', 'a')).toBe('ignored');
    expect(file('/a', 'x/a')).toBeUndefined();
    expect(file('x/a', 'x/a')).toBe('ignored');
    expect(file('x/a', 'y/x/a')).toBeUndefined();
  });

  it('takes a slash at the end for folders only', () => {
    expect(folder('out/', 'deep/out')).toBe('ignored');
    expect(file('out/', 'deep/out')).toBeUndefined();
  });

  it('lets the last match win, in either direction', () => {
    expect(file('*.log\n!keep.log', 'keep.log')).toBe('included');
    expect(file('!keep.log\n*.log', 'keep.log')).toBe('ignored');
    expect(file('keep.log\n!*.log\nkeep.log', 'keep.log')).toBe('ignored');
    expect(folder('a\n!a/', 'a')).toBe('included');
    expect(file('a\n!a/', 'a')).toBe('ignored');
  });

  it('reads comments, blank lines, quoted signs, line ends and a byte order mark as git does', () => {
    expect(file('# a\n\n   \na', 'a')).toBe('ignored');
    expect(file('\\#a', '#a')).toBe('ignored');
    expect(file('\\!a', '!a')).toBe('ignored');
    expect(file('a\r\nb\r\n', 'a')).toBe('ignored');
    expect(file('\ufeffa', 'a')).toBe('ignored');
    expect(file('a  ', 'a')).toBe('ignored');
    expect(file('a\\ ', 'a ')).toBe('ignored');
    expect(file('a\t', 'a')).toBeUndefined();
  });

  it('knows the wildcards', () => {
    expect(file('*.ts', 'src/a.ts')).toBe('ignored');
    expect(file('a?c', 'abc')).toBe('ignored');
    expect(file('src/*.ts', 'src/deep/a.ts')).toBeUndefined();
    expect(file('src/**/a.ts', 'src/a.ts')).toBe('ignored');
    expect(file('src/**/a.ts', 'src/x/y/a.ts')).toBe('ignored');
    expect(file('**/logs/*', 'x/logs/a')).toBe('ignored');
    expect(file('logs/**', 'logs/x/y')).toBe('ignored');
    expect(folder('logs/**', 'logs')).toBeUndefined();
    expect(file('[a-c]x', 'bx')).toBe('ignored');
    expect(file('[!a-c]x', 'bx')).toBeUndefined();
    expect(file('v[[:digit:]]', 'v7')).toBe('ignored');
  });

  it('compares bytes, as git does: a question mark is not an accented letter', () => {
    expect(file('caf?', 'café')).toBeUndefined();
    expect(file('caf??', 'café')).toBe('ignored');
    expect(file('café', 'café')).toBe('ignored');
  });

  it('leaves a broken pattern without effect', () => {
    for (const pattern of ['[a', 'a[[:nothing:]]', 'a\\', '/', '//', '!'])
      expect(file(pattern, 'a'), pattern).toBeUndefined();
  });

  it('compares without case where the file system does', () => {
    expect(rules('README', true).rule('docs/readme', false)).toBe('ignored');
    expect(rules('*.LOG', true).rule('a.log', false)).toBe('ignored');
    expect(rules('README').rule('readme', false)).toBeUndefined();
  });

  it('is not kept busy by patterns of many stars', () => {
    expect(file(`${'*a'.repeat(30)}b`, 'a'.repeat(255))).toBeUndefined();
    expect(file(`x/${'*a'.repeat(30)}b`, `x/${'a'.repeat(255)}`)).toBeUndefined();
    expect(file(`${'**/a/'.repeat(20)}b`, `${'a/'.repeat(60)}c`)).toBeUndefined();
  });
});
