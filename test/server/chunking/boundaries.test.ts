import { afterAll, describe, expect, it } from 'vitest';
import { createChunker } from '../../../src/server/chunking/createChunker.ts';
import type { ChunkLimits } from '../../../src/indexing/document.ts';

const SMALL: ChunkLimits = { targetTokens: 40, maxTokens: 60, overlapLines: 0 };
const chunker = createChunker({ limits: SMALL });
afterAll(() => chunker.dispose());

/** Chunks in a few words each: `first-last kind scope.name [definitions]`. */
async function cut(language: string, lines: readonly string[]): Promise<string[]> {
  const text = `${lines.join('\n')}\n`;
  const chunks = await chunker.chunk({ path: 'src/file', language, scope: 'code', text });
  return chunks.map((chunk) => {
    const name = [...chunk.enclosing, chunk.symbol].join('.');
    return `${chunk.startLine}-${chunk.endLine} ${chunk.symbolKind} ${name} [${chunk.definitions.join(' ')}]`;
  });
}

/** A line of ten tokens. */
const step = (n: number): string => `step(one, two, three, ${n});`;

describe('chunks', () => {
  it('hold small neighbours together, and a small file whole', async () => {
    expect(await cut('javascript', ['function a() {}', 'function b() {}', '', 'class C {', '  d() {}', '}'])).toEqual([
      '1-6 class C [a b C d]',
    ]);
  });

  it('begin with a definition, its comments and decorators included', async () => {
    const lines = [
      'export function first() {',
      ...[1, 2, 3].map((n) => `  ${step(n)}`),
      '}',
      '',
      '/** What second does. */',
      '@decorated()',
      'export class Second {',
      '  /** What run does. */',
      '  run() {',
      ...[1, 2].map((n) => `    ${step(n)}`),
      '  }',
      '}',
    ];
    expect(await cut('typescript', lines)).toEqual(['1-6 function first [first]', '7-15 class Second [Second run]']);
  });

  it('of a large class are its methods, named after them inside the class', async () => {
    const method = (name: string): string[] => [
      '',
      `  # about ${name}`,
      '  @wrapped',
      `  def ${name}(self):`,
      ...[1, 2, 3].map((n) => `    ${step(n)}`),
    ];
    expect(await cut('python', ['class Box(Base):', ...method('open'), ...method('close'), ...method('turn')])).toEqual(
      ['1-9 class Box [Box open]', '10-16 method Box.close [close]', '17-22 method Box.turn [turn]'],
    );
  });

  it('of a large function end between statements and keep its name', async () => {
    const block = (n: number): string[] => [`  if (ready${n}) {`, `    ${step(n)}`, `    ${step(n)}`, '  }'];
    expect(
      await cut('go', ['func (s *Server) Run() {', ...block(1), ...block(2), ...block(3), ...block(4), '}']),
    ).toEqual(['1-5 method Server.Run [Run]', '6-13 method Server.Run []', '14-18 method Server.Run []']);
  });

  it('never begin with what closes the one before', async () => {
    const lines = Array.from({ length: 12 }, (_, n) => [
      `fn f${n}() {`,
      `    ${step(n)}`,
      `    ${step(n)}`,
      '}',
    ]).flat();
    const text = lines.join('\n');
    const chunks = await chunker.chunk({ path: 'a.rs', language: 'rust', scope: 'code', text });
    for (const chunk of chunks) expect(chunk.text).toMatch(/^fn f\d+/);
  });

  it('of code with a syntax error are still cut along its definitions', async () => {
    const lines = [
      'int broken(void) {',
      '  return ??? ;',
      '}',
      '',
      'int fine(void) {',
      ...[1, 2, 3, 4].map((n) => `  ${step(n)}`),
      '}',
    ];
    const definitions = (await cut('c', lines)).join(' ');
    expect(definitions).toContain('fine');
  });

  it('of a language without grammar follow blank lines and indentation', async () => {
    const section = (name: string): string[] => [`${name}:`, ...[1, 2, 3].map((n) => `  key${n}: a, b, c, d, e`), ''];
    const chunks = await chunker.chunk({
      path: 'a.yml',
      language: 'yaml',
      scope: 'code',
      text: ['one', 'two', 'three'].flatMap(section).join('\n'),
    });
    expect(chunks.map((chunk) => `${chunk.startLine}-${chunk.endLine}`)).toEqual(['1-5', '6-10', '11-14']);
  });
});
