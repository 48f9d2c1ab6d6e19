import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** Something that is inside the VSIX and that others have written. */
export interface Notice {
  readonly title: string;
  /** SPDX expression. */
  readonly license: string;
  /** Its licence and notices; empty when it came without. */
  readonly text: string;
  /** Who holds the rights where the text does not say. */
  readonly holder?: string;
}

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?!.*header)(?:[-_.].*)?$/i;

/** All of these ask for no more than that their text comes along. */
const PERMISSIVE = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'CC-BY-4.0', 'Unlicense'];

/** Packages published without a licence file. */
const HOLDERS: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'Microsoft Corporation',
  'onnxruntime-common': 'Microsoft Corporation',
};

/** Grammars inside `tree-sitter-wasms`, which is a collection of those of other projects. */
export const COLLECTED_GRAMMARS: readonly Notice[] = [
  ['c', 'tree-sitter/tree-sitter-c', 'MIT', 'Max Brunsfeld'],
  ['dart', 'UserNobody14/tree-sitter-dart', 'MIT', 'the authors of tree-sitter-dart'],
  ['elixir', 'elixir-lang/tree-sitter-elixir', 'Apache-2.0', 'the authors of tree-sitter-elixir'],
  ['kotlin', 'fwcd/tree-sitter-kotlin', 'MIT', 'Max Brunsfeld and fwcd'],
  ['ocaml', 'tree-sitter/tree-sitter-ocaml', 'MIT', 'the authors of tree-sitter-ocaml'],
  ['solidity', 'JoranHonig/tree-sitter-solidity', 'MIT', 'Joran Honig'],
  ['swift', 'alex-pinkus/tree-sitter-swift', 'MIT', 'the authors of tree-sitter-swift'],
  ['zig', 'tree-sitter-grammars/tree-sitter-zig', 'MIT', 'Amaan Qureshi'],
].map(([language, project, license, holder]) => ({
  title: `grammar of ${language} (https://github.com/${project})`,
  license: license ?? '',
  text: '',
  holder: holder ?? '',
}));

/** Folder of the package a file of `node_modules` belongs to; undefined for a file of our own. */
export function packageFolderOf(file: string): string | undefined {
  const parts = file.split(sep);
  const at = parts.lastIndexOf('node_modules');
  if (at === -1) return undefined;
  return parts.slice(0, at + (parts[at + 1]?.startsWith('@') === true ? 3 : 2)).join(sep);
}

/** What an installed package says of itself. */
export async function noticeOf(folder: string): Promise<Notice> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const name = String(manifest['name']);
  const files = (await readdir(folder)).filter((file) => LICENSE_FILE.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return {
    title: `${name} ${String(manifest['version'])}`,
    license: typeof manifest['license'] === 'string' ? manifest['license'] : 'none named',
    text: texts.map((text) => text.trim()).join('\n\n'),
    holder: HOLDERS[name] ?? `the authors of ${name}`,
  };
}

/**
 * The text of THIRD_PARTY_NOTICES.txt. What has the same text stands together.
 *
 * @param apacheText of the Apache License 2.0, for what was published without it
 * @throws Error naming what may not be packed, because its licence is not among those that allow it
 */
export function thirdPartyNotices(notices: readonly Notice[], apacheText: string): string {
  const refused = notices.filter(({ license }) => !PERMISSIVE.includes(license));
  if (refused.length > 0) {
    const names = refused.map(({ title, license }) => `${title} (${license})`).join(', ');
    throw new Error(`These may not be packed, for their licence is not among those that allow it: ${names}.`);
  }
  const byText = new Map<string, string[]>();
  for (const notice of notices.toSorted((a, b) => (a.title < b.title ? -1 : 1))) {
    const text = notice.text === '' ? standardText(notice, apacheText) : notice.text;
    byText.set(text, [...(byText.get(text) ?? []), `${notice.title}: ${notice.license}`]);
  }
  const sections = [...byText].map(([text, titles]) => `${titles.join('\n')}\n\n${text}\n`);
  const introduction = 'Tessera contains the following, under the licences given with each.\n';
  return [introduction, ...sections].join(`\n${'='.repeat(80)}\n\n`);
}

function standardText({ title, license, holder }: Notice, apacheText: string): string {
  if (license === 'Apache-2.0') return apacheText.trim();
  if (license === 'MIT') return `Copyright (c) ${holder ?? title}\n\n${MIT}`;
  throw new Error(`${title} comes without the text of its licence (${license}).`);
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;
