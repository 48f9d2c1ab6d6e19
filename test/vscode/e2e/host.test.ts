import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { runHostSuites } from '../harness/hostSuites.ts';

// Run once while the tests are collected, so that each test inside VS Code shows up as a test of its own.
const results = await runHostSuites(inject('extensionsDir'), join(import.meta.dirname, '../../fixtures/workspace'));

test('the suites ran inside the extension host', () => {
  expect(results.length).toBeGreaterThan(0);
});

for (const { title, error, note } of results) {
  test(title, () => {
    if (note !== null) console.log(`${title}: ${note}`);
    if (error !== null) throw new Error(error);
  });
}
