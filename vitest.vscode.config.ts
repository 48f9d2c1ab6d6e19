import { defineConfig } from 'vitest/config';

/** Tests that drive the packed extension inside a real VS Code. One file at a time: a machine of two cores runs one VS Code well. */
export default defineConfig({
  test: {
    include: ['test/vscode/e2e/**/*.test.ts'],
    globalSetup: ['test/vscode/harness/installPacked.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    // What a person would wait for; VS Code on a loaded machine is not there within the default second.
    expect: { poll: { timeout: 60_000, interval: 50 } },
    reporters: ['default'],
  },
});
