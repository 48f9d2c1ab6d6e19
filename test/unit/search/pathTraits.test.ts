import { describe, expect, test } from 'vitest';
import { asksFor, pathTraits } from '../../../src/search/pathTraits.ts';

const traits = (path: string) => [...pathTraits(path)].sort();

describe('what a path says', () => {
  test.each([
    'tests/unit/app.py',
    'src/app.test.ts',
    'pkg/server_test.go',
    'spec/models/user_spec.rb',
    'src/__tests__/a.js',
    'core/src/test/java/FooTest.java',
    'core/commonTest/Foo.kt',
    'Src/Newtonsoft.Json.Tests/A.cs',
    'test_app.py',
  ])('%s is a test', (path) => expect(traits(path)).toContain('test'));

  test.each(['src/flask/testing.py', 'src/latest.ts', 'src/contest/rules.py', 'lib/attestation.rs', 'src/protest.ts'])(
    '%s is none',
    (path) => expect(traits(path)).not.toContain('test'),
  );

  test('other kinds', () => {
    expect(traits('examples/tutorial/app.py')).toEqual(['example']);
    expect(traits('vendor/lib/x.c')).toEqual(['generated']);
    expect(traits('docs/api.md')).toEqual(['docs']);
    expect(traits('src/pip/_vendor/urllib3/retry.py')).toEqual(['generated']);
    expect(traits('core/api/core.klib.api')).toEqual(['generated']);
    expect(traits('RELEASE-NOTES')).toEqual(['docs']);
    expect(traits('src/notice.ts')).toEqual([]);
    expect(traits('types/index.d.ts')).toEqual(['stub']);
    expect(traits('.github/workflows/ci.yml')).toEqual(['data']);
    expect(traits('src/server.ts')).toEqual([]);
  });

  test('a question may ask for them', () => {
    expect(asksFor('test', 'unit tests of the parser')).toBe(true);
    expect(asksFor('test', 'where is the latest version kept')).toBe(false);
    expect(asksFor('docs', 'documentation of the flags')).toBe(true);
  });
});
