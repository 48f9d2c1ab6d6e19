import type { FileEntry } from './chunkIndex.ts';

/** `retry.test`, `test_retry`, `RetryTests`: what is left is what they test. Applied to names without case and separators. */
const TEST_PREFIX = /^(?:test|spec)/;
const TEST_SUFFIX = /(?:tests?|specs?|testcase|unittest|it)$/;
/** A shorter name is that of too many files. */
const MIN_LETTERS = 3;

interface Matched {
  readonly entry: FileEntry;
  readonly features: Readonly<Record<'text' | 'textMore' | 'vector' | 'definition', number>>;
}

/**
 * How well the tests of each file match, about 0 to 1, so that the code under test has a part in what its tests say: they often use
 * the words that the code itself avoids.
 */
export function testStrength(files: readonly Matched[]): (file: FileEntry) => number {
  const strengths = new Map<string, number>();
  for (const { entry, features } of files) {
    if (!entry.traits.has('test')) continue;
    const subject = entry.stem.collapsed.replace(TEST_PREFIX, '').replace(TEST_SUFFIX, '');
    if (subject.length < MIN_LETTERS) continue;
    const { text, textMore, vector, definition } = features;
    // By the weights of the parts when this was fitted.
    const strength = 0.3 * text + 0.25 * textMore + 0.45 * vector + 0.2 * definition;
    if (strength > (strengths.get(subject) ?? 0)) strengths.set(subject, strength);
  }
  return ({ traits, stem }) => (traits.has('test') ? 0 : (strengths.get(stem.collapsed) ?? 0));
}
