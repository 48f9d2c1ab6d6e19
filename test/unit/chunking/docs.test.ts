import { describe, expect, it } from 'vitest';
import { chunkLines, tokenSums } from '../../../src/indexing/chunking/chunkLines.ts';
import { readDocument } from '../../../src/indexing/chunking/docStructure.ts';
import { readLines } from '../../../src/indexing/chunking/lines.ts';

/** Each chunk as `first-last path of headings`. */
function cut(language: string, text: string, targetTokens = 20, maxTokens = 40): string[] {
  const lines = readLines(text);
  const limits = { targetTokens, maxTokens, overlapLines: 0 };
  return chunkLines(lines, tokenSums(lines), readDocument(lines, language), limits).map(
    (chunk) => `${chunk.startLine}-${chunk.endLine} ${[...chunk.enclosing, chunk.symbol].join(' > ')}`,
  );
}

const prose = (count: number): string => Array.from({ length: count }, () => 'word').join(' ');

describe('docs', () => {
  it('cuts Markdown before its headings and names parts by the path of headings', () => {
    const text = `# Guide\n\n${prose(15)}\n\n## Install\n\n${prose(15)}\n\n### Linux\n\n${prose(16)}\n\n## Use\n\n${prose(15)}\n`;
    expect(cut('markdown', text)).toEqual([
      '1-4 Guide',
      '5-8 Guide > Install',
      '9-12 Guide > Install > Linux',
      '13-15 Guide > Use',
    ]);
  });

  it('keeps a fenced block whole where it fits, and no heading in it', () => {
    const code = ['```sh', '# not a heading', 'run one', '', 'run two', '```'].join('\n');
    const text = `# A\n\n${prose(14)}\n\n${code}\n\n${prose(18)}\n`;
    expect(cut('markdown', text)).toEqual(['1-11 A', '12-12 A']);
  });

  it('knows underlined headings, and rules and front matter that are none', () => {
    const text = `---\ntitle: x\n---\n\nTitle\n=====\n\n${prose(16)}\n\n---\n\nPart\n----\n\n${prose(18)}\n`;
    expect(cut('markdown', text)).toEqual(['1-11 Title', '12-15 Title > Part']);
  });

  it('reads the levels of reST headings from the order of their styles', () => {
    const text = `=====\nTitle\n=====\n\n${prose(16)}\n\nOne\n---\n\n${prose(16)}\n\nDeep\n~~~~\n\n${prose(16)}\n\nTwo\n---\n\n${prose(16)}\n`;
    expect(cut('restructuredtext', text)).toEqual([
      '1-6 Title',
      '7-11 Title > One',
      '12-16 Title > One > Deep',
      '17-20 Title > Two',
    ]);
  });

  it('reads AsciiDoc and Org headings outside their blocks', () => {
    const adoc = `= Title\n\n${prose(18)}\n\n== Part\n\n----\n== no\n----\n\n${prose(15)}\n`;
    expect(cut('asciidoc', adoc)).toEqual(['1-4 Title', '5-11 Title > Part']);
    const org = `* One\n\n${prose(18)}\n\n** Two :tag:\n\n#+BEGIN_SRC c\n* no\n#+END_SRC\n\n${prose(15)}\n`;
    expect(cut('org', org)).toEqual(['1-4 One', '5-11 One > Two']);
  });

  it('cuts text without headings between paragraphs', () => {
    const text = [prose(22), prose(22), prose(22)].join('\n\n') + '\n';
    expect(cut('plaintext', text)).toEqual(['1-2 ', '3-4 ', '5-5 ']);
  });
});
