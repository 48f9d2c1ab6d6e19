import type { Scope } from '../protocol/scope.ts';
import { LANGUAGES } from './languageTable.ts';
import type { LanguageEntry } from './languageTables/languageEntry.ts';

/** What a file is written in, and which of the two scopes it belongs to. */
export interface Language {
  /** VS Code's language id where there is one, else a lower-case name. */
  readonly id: string;
  readonly scope: Scope;
}

/**
 * The language of a file by its name, else by its first line (`#!`, `<?php`, `<?xml`, a modeline), else `plaintext`.
 * A name that says nothing counts as code: what has an ending nobody knows is data or a rare language far more often than prose.
 */
export function languageOf(path: string, firstLine = ''): Language {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return languageOfName(name) ?? languageOfFirstLine(firstLine) ?? UNKNOWN;
}

/** As `languageOf`, with the text at hand: a C header may be one of C++ or Objective-C, and `.m` is MATLAB's ending too. */
export function languageOfDocument(path: string, text: string): Language {
  const byPath = languageOf(path, /^[^\r\n]{0,300}/.exec(text)?.[0]);
  const id = AMBIGUOUS.find((entry) => path.toLowerCase().endsWith(entry.ending) && entry.sign.test(text))?.id;
  return (id === undefined ? undefined : byId.get(id)) ?? byPath;
}

/**
 * The language ids a person means by a word of theirs: an id, an extension (with or without its dot) or a common name.
 * `ts` means TypeScript with and without JSX. `undefined` when no language is called so.
 */
export function resolveLanguage(alias: string): readonly string[] | undefined {
  const key = alias.trim().toLowerCase().replace(/^\./, '');
  return FAMILIES.get(key) ?? idsByAlias.get(key);
}

/** Every language id a file can get. */
export function languageIds(): readonly string[] {
  return LANGUAGES.map((language) => language.id);
}

const UNKNOWN: Language = { id: 'plaintext', scope: 'code' };

/** Words that mean more than one id. */
const FAMILIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['ts', ['typescript', 'typescriptreact']],
  ['typescript', ['typescript', 'typescriptreact']],
  ['js', ['javascript', 'javascriptreact']],
  ['javascript', ['javascript', 'javascriptreact']],
  ['json', ['json', 'jsonc', 'jsonl']],
  ['shell', ['shellscript', 'fish']],
  ['h', ['c', 'cpp']],
]);

/** Endings several languages share, with what gives one of them away; the first that fits. */
const AMBIGUOUS: readonly { readonly ending: string; readonly id: string; readonly sign: RegExp }[] = [
  { ending: '.h', id: 'objective-c', sign: /^[ \t]*(?:@(?:interface|protocol|class)\b|#import\b)/m },
  {
    ending: '.h',
    id: 'cpp',
    sign: /^[ \t]*(?:(?:inline )?namespace(?:\s+[\w:]+)?\s*\{|template\s*<|class\s+\w[^;{}()]*\{|(?:public|private|protected)\s*:|using\s+[\w:]+(?:\s+[\w:]+)?\s*[;=])/m,
  },
  { ending: '.m', id: 'objective-c', sign: /^[ \t]*(?:@\w+|#import\b|#include\b)/m },
  { ending: '.m', id: 'matlab', sign: /^[ \t]*(?:function\b|classdef\b|%)/m },
];

const byName = new Map<string, Language>();
const byExtension = new Map<string, Language>();
const byPrefix = new Map<string, Language>();
const byInterpreter = new Map<string, Language>();
const byId = new Map<string, Language>();
const idsByAlias = new Map<string, readonly string[]>();

function addAll(table: Map<string, Language>, keys: readonly string[] | undefined, entry: LanguageEntry): void {
  for (const key of keys ?? []) {
    if (!table.has(key.toLowerCase())) table.set(key.toLowerCase(), entry);
  }
}

for (const entry of LANGUAGES) {
  byId.set(entry.id, entry);
  addAll(byName, entry.names, entry);
  addAll(byExtension, entry.extensions, entry);
  addAll(byPrefix, entry.prefixes, entry);
  addAll(byInterpreter, entry.interpreters, entry);
}
// An id beats an alias, an alias beats an ending: `m4` is not what somebody means by `m`.
for (const words of [
  (entry: LanguageEntry) => [entry.id],
  (entry: LanguageEntry) => entry.aliases ?? [],
  (entry: LanguageEntry) => entry.extensions ?? [],
]) {
  for (const entry of LANGUAGES) {
    for (const word of words(entry)) if (!idsByAlias.has(word)) idsByAlias.set(word, [entry.id]);
  }
}

function languageOfName(name: string): Language | undefined {
  const exact = byName.get(name);
  if (exact !== undefined) return exact;
  // `a.d.ts` is tried as `d.ts`, then as `ts`; a leading dot starts no ending (`.profile`).
  for (let dot = name.indexOf('.', 1); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const found = byExtension.get(name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  const prefix = /^([a-z]+)[._-]/.exec(name)?.[1];
  return prefix === undefined ? undefined : byPrefix.get(prefix);
}

function languageOfFirstLine(line: string): Language | undefined {
  const interpreter = interpreterOf(line);
  if (interpreter !== undefined) return byInterpreter.get(interpreter);
  if (/^\s*<\?php\b/.test(line)) return byId.get('php');
  if (/^\s*<\?xml\b/.test(line)) return byId.get('xml');
  if (/^\s*<(?:!doctype\s+html|html)\b/i.test(line)) return byId.get('html');
  if (/^#compdef\b|^#autoload\b/.test(line)) return byId.get('shellscript');
  if (/^%YAML\b|^---\s*$/.test(line)) return byId.get('yaml');
  if (/^(?:diff --git |Index: |--- a\/)/.test(line)) return byId.get('diff');
  const mode = modelineOf(line);
  return mode === undefined ? undefined : languageOfMode(mode);
}

/** `python` of `#!/usr/bin/env -S PYTHONPATH=. python3.12 -u`. */
function interpreterOf(line: string): string | undefined {
  const words = /^#!\s*(.+)$/.exec(line)?.[1]?.trim().split(/\s+/);
  if (words === undefined) return undefined;
  let program = baseName(words[0] ?? '');
  if (program === 'env') {
    program = baseName(words.slice(1).find((word) => !word.startsWith('-') && !word.includes('=')) ?? '');
  }
  return program
    .toLowerCase()
    .replace(/\.exe$/, '')
    .replace(/[\d.]+$/, '')
    .replace(/-$/, '');
}

/** `ruby` of `# -*- mode: ruby -*-` or `# vim: set ft=ruby:`. */
function modelineOf(line: string): string | undefined {
  const emacs = /-\*-\s*(?:.*?\bmode:\s*)?([\w+#-]+)\s*(?:;.*)?-\*-/i.exec(line)?.[1];
  const vim = /\b(?:vi|vim|ex):.*?\b(?:ft|filetype|syntax)=([\w+#-]+)/i.exec(line)?.[1];
  return (emacs ?? vim)?.toLowerCase();
}

function languageOfMode(mode: string): Language | undefined {
  const id = idsByAlias.get(mode)?.[0] ?? idsByAlias.get(mode.replace(/-mode$/, ''))?.[0];
  return id === undefined ? undefined : byId.get(id);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
