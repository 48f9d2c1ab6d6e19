import { describe, expect, test } from 'vitest';
import { file, indexOf, pathsOf, search } from './searchFixtures.ts';

const filler = Array.from({ length: 20 }, (_, number) =>
  file(`src/other${number}.ts`, `const unrelated${number} = compute(${number});`),
);

describe('ranking', () => {
  test('puts the definition of a named symbol above its uses', () => {
    const use = 'parseConfig(a); parseConfig(b); parseConfig(c);';
    const index = indexOf(
      ...filler,
      file('src/a.ts', use),
      file('src/b.ts', {
        text: 'export function parseConfig(text) {}',
        symbol: 'parseConfig',
        definitions: ['parseConfig'],
      }),
      file('src/c.ts', use),
    );
    for (const query of ['parseConfig', 'parse_config', 'where is parse config done'])
      expect(pathsOf(search(index, query))[0]).toBe('src/b.ts');
  });

  test('prefers the file that is called like the query', () => {
    const text = 'the session is stored in a cookie';
    const index = indexOf(
      ...filler,
      file('src/cookie.ts', 'x'),
      file('src/sessions.ts', text),
      file('src/misc.ts', text),
    );
    expect(pathsOf(search(index, 'session storage'))[0]).toBe('src/sessions.ts');
  });

  test('puts tests lower unless the query asks for them', () => {
    const text = 'retry the request with a backoff';
    const index = indexOf(...filler, file('test/retry.test.ts', text, text), file('src/client.ts', text));
    expect(pathsOf(search(index, 'retry with backoff'))[0]).toBe('src/client.ts');
    expect(pathsOf(search(index, 'tests of retry with backoff'))[0]).toBe('test/retry.test.ts');
  });

  test('puts docs lower unless the query asks for them', () => {
    const text = 'retry the request with a backoff';
    const index = indexOf(...filler, file('docs/retry.md', text), file('src/client.ts', text));
    expect(pathsOf(search(index, 'retry with backoff'))[0]).toBe('src/client.ts');
    expect(pathsOf(search(index, 'documentation about retry with backoff'))[0]).toBe('docs/retry.md');
  });

  test.each(['test/index.js', 'docs/guide.md', 'examples/fixtures/deep/sample.json'])(
    'finds a word only one chunk holds, although it is in %s and everything else is closer in meaning',
    (path) => {
      const near = Array.from({ length: 20 }, (_, number) =>
        file(`src/near${number}.ts`, { text: `const near${number} = 1;`, vector: [1, 0.01 * number, 0, 0] }),
      );
      const index = indexOf(
        ...near,
        file(
          path,
          { text: 'something else', vector: [1, 0, 0, 0] },
          { text: 'the zorgleblat is here', vector: [0, 0, 0, 1] },
        ),
        file('test/other.test.ts', 'another test'),
      );
      const vectors = { code: Float32Array.of(1, 0, 0, 0), docs: null };
      for (const query of ['zorgleblat', 'where is zorgleblat', 'ZORGLEBLAT'])
        expect(search(index, query, { vectors })[0]).toMatchObject({ file: { path }, chunk: { startLine: 11 } });
    },
  );

  test('takes an identifier only tests hold for a question about tests', () => {
    const index = indexOf(
      ...filler,
      file('src/parse.ts', 'export function parse() {} // parse fixture server'),
      ...Array.from({ length: 5 }, (_, number) => file(`test/parse${number}.test.ts`, 'startFixtureServer()')),
    );
    expect(pathsOf(search(index, 'startFixtureServer', { limit: 5 }))).not.toContain('src/parse.ts');
  });

  test('prefers the file that holds more of the words, though in different places', () => {
    const index = indexOf(
      ...filler,
      file('src/a.ts', 'evict', 'quota', 'tenant'),
      file('src/b.ts', 'evict', 'evict', 'evict'),
      file('src/c.ts', 'quota', 'quota', 'quota'),
    );
    expect(pathsOf(search(index, 'evict a tenant over quota'))[0]).toBe('src/a.ts');
  });

  test('prefers files that hold a name the query spells out', () => {
    const index = indexOf(
      ...filler,
      file('src/a.ts', 'flush the queue when the tenant is over quota'),
      file('src/b.ts', 'flush the queue', 'tenant', 'maxQuota'),
    );
    const [best] = search(index, 'flush queue of tenant over maxQuota');
    expect(best?.file.path).toBe('src/b.ts');
    expect(best?.parts.map(({ part }) => part)).toContain('written');
  });

  test('takes what a query begins with for a part of the code', () => {
    const text = 'avoid an overflow of the stack';
    const index = indexOf(...filler, file('src/a/wheel.ts', text), file('src/timer/wheel.ts', text));
    for (const query of [
      'timer: avoid stack overflow',
      'fix(timers): avoid stack overflow',
      '[timer] avoid overflow',
    ]) {
      expect(pathsOf(search(index, query))[0]).toBe('src/timer/wheel.ts');
    }
  });

  test('does not let one file flood the list', () => {
    const text = 'parse the header of a message';
    const index = indexOf(...filler, file('src/a.ts', text, text, text, text), file('src/b.ts', text));
    expect(pathsOf(search(index, 'parse the header', { limit: 3 })).slice(0, 2)).toEqual(['src/a.ts', 'src/b.ts']);
  });

  test('finds by meaning what shares no word', () => {
    const index = indexOf(
      ...filler,
      file('src/auth.ts', { text: 'function login() {}', vector: [1, 0, 0, 0] }),
      file('src/draw.ts', { text: 'function paint() {}', vector: [0, 1, 0, 0] }),
    );
    const vectors = { code: Float32Array.of(0.9, 0.1, 0, 0), docs: null };
    expect(pathsOf(search(index, 'sign in', { vectors }))[0]).toBe('src/auth.ts');
  });

  test('goes to the place a stack trace names', () => {
    const index = indexOf(...filler, file('src/run.ts', 'first', 'second', 'third'));
    const [best] = search(index, 'Error: boom\n    at run (/home/me/project/src/run.ts:15:3)');
    expect(best?.chunk).toMatchObject({ startLine: 11, endLine: 20 });
  });

  test('explains every score by parts that add up to it', () => {
    const text = 'retry the request with a backoff';
    const index = indexOf(
      ...filler,
      file('src/retry.ts', text, { text, vector: [1, 0, 0, 0] }, 'retry'),
      file('test/retry.test.ts', text),
      file('docs/retry.md', text),
    );
    const vectors = { code: Float32Array.of(1, 0, 0, 0), docs: null };
    const hits = search(index, 'retry with backoff', { vectors, openPaths: ['src/retry.ts'] });
    expect(hits.length).toBeGreaterThan(3);
    for (const { score, parts } of hits) {
      expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score, 6);
      expect(parts.every(({ detail }) => detail.length > 0)).toBe(true);
    }
    expect(hits[0]?.parts.map(({ part }) => part)).toContain('open');
  });

  test('respects filters before it picks candidates', () => {
    const text = 'retry the request';
    const many = Array.from({ length: 400 }, (_, number) => file(`lib/a${number}.ts`, `${text} ${text}`));
    const index = indexOf(...many, file('src/one.ts', text));
    expect(pathsOf(search(index, 'retry', { acceptsFile: ({ path }) => path.startsWith('src/') }))).toEqual([
      'src/one.ts',
    ]);
  });

  test('gives the same order every time', () => {
    const index = indexOf(file('b.ts', 'same words'), file('a.ts', 'same words'), file('c.ts', 'same words'));
    expect(pathsOf(search(index, 'same words'))).toEqual(['a.ts', 'b.ts', 'c.ts']);
  });

  test('answers nothing from an empty index and to an empty query', () => {
    expect(search(indexOf(), 'anything')).toEqual([]);
    expect(search(indexOf(file('a.ts', 'x')), '')).toEqual([]);
  });
});
