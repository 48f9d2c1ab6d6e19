import { isBlankLine, lineText, type LineTable } from './lines.ts';

/** A heading and the lines it is written on (an underlined one takes two or three), counted from 0. */
export interface Heading {
  readonly first: number;
  readonly last: number;
  /** 1 for the outermost. */
  readonly level: number;
  readonly title: string;
}

/** Lines that belong together whatever they hold: a fenced block, a table, front matter. */
export interface Block {
  readonly first: number;
  readonly last: number;
}

/** What the lines of a text document are. */
export interface DocParts {
  readonly headings: readonly Heading[];
  readonly blocks: readonly Block[];
}

/** How one markup language writes headings and blocks. */
interface Flavor {
  /** The level and title a line is a heading of on its own. */
  readonly heading?: (line: string) => { level: number; title: string } | undefined;
  /** Whether a line of punctuation under (and over) a line makes it a heading: any punctuation, `=` and `-` only, or never. */
  readonly underlines: 'any' | 'double-and-single' | 'none';
  /** The end a line that opens a block asks for. */
  readonly opensBlock?: (line: string, lineNumber: number) => ((line: string) => boolean) | undefined;
  readonly isTableLine?: (line: string) => boolean;
}

const marks =
  (pattern: RegExp) =>
  (line: string): { level: number; title: string } | undefined => {
    const match = pattern.exec(line);
    const [, mark = '', title = ''] = match ?? [];
    return match === null ? undefined : { level: mark.length, title };
  };

const words =
  (pattern: RegExp, levels: readonly string[]) =>
  (line: string): { level: number; title: string } | undefined => {
    const match = pattern.exec(line);
    const [, word = '', title = ''] = match ?? [];
    return match === null ? undefined : { level: Math.max(1, levels.indexOf(word) + 1), title };
  };

/** A block that ends with a line like the one that began it. */
const closedByTheSame = (pattern: RegExp) => (line: string) => {
  const fence = pattern.exec(line)?.[1];
  return fence === undefined ? undefined : (later: string) => later.trim() === fence;
};

const markdown: Flavor = {
  heading: marks(/^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/),
  underlines: 'double-and-single',
  opensBlock(line, lineNumber) {
    const fence = /^\s*(?:[-*+>]\s+|\d+[.)]\s+)*(`{3,}|~{3,})(?!.*`)/.exec(line)?.[1];
    if (fence !== undefined) {
      const mark = fence.charAt(0);
      return (later) => {
        const end = later.trim();
        return end.length >= fence.length && end.split(mark).join('') === '';
      };
    }
    if (lineNumber > 0) return undefined;
    const matter = /^(---|\+\+\+)\s*$/.exec(line)?.[1];
    return matter === undefined ? undefined : (later) => later.trim() === matter;
  },
  isTableLine: (line) => /^\s*\|.*\|\s*$/.test(line),
};

const FLAVORS: Readonly<Record<string, Flavor>> = {
  markdown,
  djot: markdown,
  restructuredtext: { underlines: 'any', isTableLine: (line) => /^\s*(?:\+[-=+]+\+|\|.*\|)\s*$/.test(line) },
  asciidoc: {
    heading: marks(/^(={1,6}|#{1,6})\s+(.*?)(?:\s+=+)?\s*$/),
    underlines: 'none',
    opensBlock: closedByTheSame(/^(-{4,}|\.{4,}|={4,}|\*{4,}|\+{4,}|_{4,}|\/{4,}|\|={3,}|--|`{3,}.*)\s*$/),
  },
  org: {
    heading: marks(/^(\*+)\s+(.*?)(?:\s+:[\w:@]+:)?\s*$/),
    underlines: 'none',
    opensBlock(line) {
      const name = /^\s*#\+begin_(\w+)/i.exec(line)?.[1]?.toLowerCase();
      if (name !== undefined) return (later) => later.trim().toLowerCase() === `#+end_${name}`;
      return /^\s*:[A-Z]+:\s*$/.test(line) ? (later) => later.trim().toUpperCase() === ':END:' : undefined;
    },
    isTableLine: (line) => /^\s*\|/.test(line),
  },
  latex: {
    heading: words(/^\s*\\(part|chapter|section|subsection|subsubsection|paragraph)\*?(?:\[[^\]]*\])?\{(.*?)\}/, [
      'part',
      'chapter',
      'section',
      'subsection',
      'subsubsection',
      'paragraph',
    ]),
    underlines: 'none',
    opensBlock(line) {
      const name = /^\s*\\begin\{(verbatim|lstlisting|minted|tabular|table|figure|equation|align)(\*?)\}/.exec(line);
      return name === null ? undefined : (later) => later.includes(`\\end{${name[1] ?? ''}${name[2] ?? ''}}`);
    },
  },
  texinfo: {
    heading: words(/^@(chapter|section|subsection|subsubsection|unnumbered|appendix)\s+(.*)$/, [
      'chapter',
      'section',
      'subsection',
      'subsubsection',
    ]),
    underlines: 'none',
  },
  typst: { heading: marks(/^(=+)\s+(.*?)\s*$/), underlines: 'none', opensBlock: closedByTheSame(/^(`{3,}).*$/) },
  rdoc: { heading: marks(/^(=+)\s+(.*?)\s*$/), underlines: 'none' },
  mediawiki: { heading: marks(/^(={1,6})\s*([^=].*?)\s*=+\s*$/), underlines: 'none' },
  textile: {
    heading: (line) => {
      const [, level, title = ''] = /^h([1-6])\.\s+(.*)$/.exec(line) ?? [];
      return level === undefined ? undefined : { level: Number(level), title };
    },
    underlines: 'none',
  },
  roff: { heading: words(/^\.(S[HSh]|Ss)\s+"?(.*?)"?\s*$/, ['SH', 'SS', 'Sh', 'Ss']), underlines: 'none' },
};
const PLAIN: Flavor = { underlines: 'any' };

const UNDERLINE = /^([=\-~^"'`#*+:._])\1{2,}\s*$/;

/** Finds the headings and blocks of a text document. Languages without a markup of their own know underlined headings only. */
export function readDocParts(lines: LineTable, language: string): DocParts {
  const flavor = (Object.hasOwn(FLAVORS, language) ? FLAVORS[language] : undefined) ?? PLAIN;
  const headings: Heading[] = [];
  const blocks: Block[] = [];
  /** Styles of underlines in the order they were met: reST gives no fixed levels. */
  const styles: string[] = [];
  for (let line = 0; line < lines.count; line++) {
    const text = lineText(lines, line);
    const isEnd = flavor.opensBlock?.(text, line);
    const end = isEnd === undefined ? -1 : findLine(lines, line + 1, isEnd);
    if (end >= 0) {
      blocks.push({ first: line, last: end });
      line = end;
      continue;
    }
    const marked = flavor.heading?.(text);
    if (marked !== undefined) {
      headings.push({ first: line, last: line, level: marked.level, title: plainTitle(marked.title) });
      continue;
    }
    const underlined = underlinedHeading(lines, line, flavor, styles);
    if (underlined !== undefined) {
      headings.push(underlined);
      line = underlined.last;
    } else if (flavor.isTableLine?.(text) === true) {
      const first = line;
      while (line + 1 < lines.count && flavor.isTableLine(lineText(lines, line + 1))) line++;
      blocks.push({ first, last: line });
    }
  }
  return { headings, blocks };
}

function findLine(lines: LineTable, from: number, matches: (line: string) => boolean): number {
  for (let line = from; line < lines.count; line++) if (matches(lineText(lines, line))) return line;
  return -1;
}

function underlinedHeading(lines: LineTable, line: number, flavor: Flavor, styles: string[]): Heading | undefined {
  if (flavor.underlines === 'none' || isBlankLine(lines, line)) return undefined;
  const isAny = flavor.underlines === 'any';
  const over = isAny ? UNDERLINE.exec(lineText(lines, line))?.[1] : undefined;
  const titleLine = over === undefined ? line : line + 1;
  if (titleLine + 1 >= lines.count || isBlankLine(lines, titleLine)) return undefined;
  const title = lineText(lines, titleLine).trimEnd();
  const underline = lineText(lines, titleLine + 1);
  const mark = (isAny ? UNDERLINE : /^ {0,3}([=-])\1*\s*$/).exec(underline)?.[1];
  if (mark === undefined || (over !== undefined && over !== mark)) return undefined;
  if (
    isAny &&
    (underline.trimEnd().length < title.length || UNDERLINE.test(title) || /^\s/.test(title) === (over === undefined))
  )
    return undefined;
  // In Markdown the line above must be a paragraph of one line, or `---` is a rule and `- a` a list.
  if (!isAny && (/^\s*(?:[-*+>|]|\d+[.)]\s)/.test(title) || (line > 0 && !isBlankLine(lines, line - 1))))
    return undefined;
  const style = over === undefined ? mark : `${mark}${mark}`;
  if (isAny && !styles.includes(style)) styles.push(style);
  const level = isAny ? styles.indexOf(style) + 1 : mark === '=' ? 1 : 2;
  return { first: line, last: titleLine + 1, level, title: plainTitle(title) };
}

/** A heading's words without their markup. */
function plainTitle(title: string): string {
  return title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s*\{#[^}]*\}\s*$/, '')
    .replace(/[`*]|<[^>]+>/g, '')
    .trim()
    .slice(0, 160);
}
