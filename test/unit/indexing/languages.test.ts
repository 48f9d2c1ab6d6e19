import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../../../src/indexing/languageTable.ts';
import { languageIds, languageOf, languageOfDocument, resolveLanguage } from '../../../src/indexing/languages.ts';

const idOf = (path: string, firstLine?: string) => languageOf(path, firstLine).id;

describe('languageOf', () => {
  it.each([
    ['src/a.ts', 'typescript'],
    ['src/a.d.ts', 'typescript'],
    ['src/A.TSX', 'typescriptreact'],
    ['a.mjs', 'javascript'],
    ['a.py', 'python'],
    ['a.h', 'c'],
    ['a.hpp', 'cpp'],
    ['a.cs', 'csharp'],
    ['a.kt', 'kotlin'],
    ['a.sh', 'shellscript'],
    ['a.zig', 'zig'],
    ['a.hs', 'haskell'],
    ['a.blade.php', 'blade'],
    ['a.json', 'json'],
    ['tsconfig.json', 'jsonc'],
    ['a.yml', 'yaml'],
    ['a.sql', 'sql'],
    ['go.mod', 'go.mod'],
    ['Dockerfile', 'dockerfile'],
    ['deploy/Dockerfile.dev', 'dockerfile'],
    ['api.dockerfile', 'dockerfile'],
    ['Containerfile', 'dockerfile'],
    ['Makefile', 'makefile'],
    ['GNUmakefile', 'makefile'],
    ['Jenkinsfile', 'groovy'],
    ['CMakeLists.txt', 'cmake'],
    ['Gemfile', 'ruby'],
    ['Rakefile', 'ruby'],
    ['justfile', 'just'],
    ['pkg/BUILD', 'python'],
    ['pkg/BUILD.bazel', 'python'],
    ['.bashrc', 'shellscript'],
    ['requirements.txt', 'pip-requirements'],
    ['.gitignore', 'ignore'],
  ])('recognises %s as %s, code', (path, id) => {
    expect(languageOf(path)).toMatchObject({ id, scope: 'code' });
  });

  it.each([
    ['README.md', 'markdown'],
    ['docs/a.mdx', 'markdown'],
    ['a.rst', 'restructuredtext'],
    ['a.adoc', 'asciidoc'],
    ['notes.org', 'org'],
    ['paper.tex', 'latex'],
    ['notes.txt', 'plaintext'],
    ['LICENSE', 'plaintext'],
    ['README', 'plaintext'],
    ['LICENSE-MIT', 'plaintext'],
    ['README.weird', 'plaintext'],
  ])('recognises %s as %s, docs', (path, id) => {
    expect(languageOf(path)).toMatchObject({ id, scope: 'docs' });
  });

  it.each([
    ['#!/bin/bash', 'shellscript'],
    ['#!/usr/bin/env python3.12', 'python'],
    ['#!/usr/bin/env -S A=1 node --flag', 'javascript'],
    ['#! /usr/bin/perl -w', 'perl'],
    ['#!/usr/bin/env -S deno run', 'typescript'],
    ['<?php', 'php'],
    ['<?xml version="1.0"?>', 'xml'],
    ['<!DOCTYPE html>', 'html'],
    ['# -*- mode: ruby -*-', 'ruby'],
    ['# -*- python -*-', 'python'],
    ['# vim: set ft=yaml :', 'yaml'],
    ['%YAML 1.2', 'yaml'],
    ['diff --git a/x b/x', 'diff'],
  ])('recognises a file without a telling name by %s', (line, id) => {
    expect(idOf('bin/tool', line)).toBe(id);
    expect(idOf('bin/tool.unknown', line)).toBe(id);
  });

  it('trusts the name more than the first line', () => {
    expect(idOf('a.py', '#!/bin/sh')).toBe('python');
  });

  it('takes what it does not know for code in plain text', () => {
    expect(languageOf('data.unknown', 'something')).toEqual({ id: 'plaintext', scope: 'code' });
    expect(languageOf('tool', '#!/opt/own/interpreter')).toEqual({ id: 'plaintext', scope: 'code' });
    expect(languageOf('tool')).toEqual({ id: 'plaintext', scope: 'code' });
  });
});

describe('languageOfDocument', () => {
  it.each([
    ['a.h', '#pragma once\n#ifdef __cplusplus\nextern "C" {\n#endif\nstruct point { int x; };\nint f(void);\n', 'c'],
    ['a.h', '#pragma once\nnamespace geo {\nint f();\n}\n', 'cpp'],
    ['a.h', 'class Shape : public Base {\n public:\n  virtual void draw();\n};\n', 'cpp'],
    ['a.h', 'template <typename T>\nT max(T a, T b);\n', 'cpp'],
    ['a.h', '/* the class of numbers; a namespace of names */\nint f(void);\n', 'c'],
    ['a.h', '#import <Foundation/Foundation.h>\n@interface A : NSObject\n@end\n', 'objective-c'],
    ['a.m', 'function y = f(x)\n  y = x + 1;\nend\n', 'matlab'],
    ['a.m', '#import "a.h"\n@implementation A\n@end\n', 'objective-c'],
    ['run', '#!/bin/sh\necho 1\n', 'shellscript'],
  ])('looks into %s: %j is %s', (path, text, id) => {
    expect(languageOfDocument(path, text).id).toBe(id);
  });
});

describe('resolveLanguage', () => {
  it('knows ids, endings and common names, in any case', () => {
    expect(resolveLanguage('ts')).toEqual(['typescript', 'typescriptreact']);
    expect(resolveLanguage('TypeScript')).toEqual(['typescript', 'typescriptreact']);
    expect(resolveLanguage('tsx')).toEqual(['typescriptreact']);
    expect(resolveLanguage('c++')).toEqual(['cpp']);
    expect(resolveLanguage('c#')).toEqual(['csharp']);
    expect(resolveLanguage('.py')).toEqual(['python']);
    expect(resolveLanguage('golang')).toEqual(['go']);
    expect(resolveLanguage('bash')).toEqual(['shellscript']);
    expect(resolveLanguage('md')).toEqual(['markdown']);
    expect(resolveLanguage('docker')).toEqual(['dockerfile']);
    expect(resolveLanguage('klingon')).toBeUndefined();
  });

  it('resolves every id to itself at least', () => {
    for (const id of languageIds()) expect(resolveLanguage(id), id).toContain(id);
  });
});

describe('the table of languages', () => {
  it('lists no language, name or ending twice', () => {
    const twice = (words: readonly string[]) => words.filter((word, index) => words.indexOf(word) !== index);
    expect(twice(languageIds())).toEqual([]);
    expect(twice(LANGUAGES.flatMap((entry) => entry.names ?? []).map((name) => name.toLowerCase()))).toEqual([]);
    expect(twice(LANGUAGES.flatMap((entry) => entry.extensions ?? []))).toEqual([]);
    expect(twice(LANGUAGES.flatMap((entry) => entry.aliases ?? []))).toEqual([]);
  });
});
