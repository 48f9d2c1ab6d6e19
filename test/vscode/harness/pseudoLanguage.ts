import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REMOVE, isRemoved, removeAtExit } from './atExit.ts';

/** A language nobody reads: every text in brackets, so that what was never given to translators stands out. */
export const PSEUDO_LANGUAGE = 'eo';

type Texts = Readonly<Record<string, string>>;

/** A copy of installed extensions in which Tessera has texts in the pseudo language; to be removed when done with. */
export async function copyWithPseudoTexts(
  extensionsDir: string,
): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'tessera-translated-'));
  removeAtExit(dir);
  await cp(extensionsDir, dir, { recursive: true });
  // VS Code notes where each extension lies.
  const list = join(dir, 'extensions.json');
  await writeFile(list, (await readFile(list, 'utf8')).replaceAll(extensionsDir, dir));
  const name = (await readdir(dir)).find((candidate) => candidate.startsWith('tessera.tessera-'));
  if (name === undefined) throw new Error(`The packed extension is not installed in ${extensionsDir}.`);
  for (const [from, to] of [
    ['package.nls.json', `package.nls.${PSEUDO_LANGUAGE}.json`],
    ['l10n/bundle.l10n.json', `l10n/bundle.l10n.${PSEUDO_LANGUAGE}.json`],
  ] as const) {
    const texts = JSON.parse(await readFile(join(dir, name, from), 'utf8')) as Texts;
    const translated = Object.entries(texts).map(([key, text]) => [key, pseudo(text)]);
    await writeFile(join(dir, name, to), JSON.stringify(Object.fromEntries(translated)));
  }
  const remove = async () => {
    await rm(dir, REMOVE);
    isRemoved(dir);
  };
  return { dir, remove };
}

/** Line by line, and in links what they are called: VS Code makes a button of a link that has a line to itself. */
function pseudo(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const link = /^\[(.+)\]\((\S+)\)$/.exec(line);
      return link === null ? `⟦${line}⟧` : `[⟦${link[1] ?? ''}⟧](${link[2] ?? ''})`;
    })
    .join('\n');
}

/** What of a text is in no brackets, which may be nested, apart from numbers and signs; empty when all was translated. */
export function untranslated(text: string): string {
  let rest = text;
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replace(/⟦[^⟦⟧]*⟧/g, '');
  }
  return /\p{L}/u.test(rest) ? rest.trim() : '';
}
