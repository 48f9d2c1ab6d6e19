import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Each file breaks one rule; were a rule written so that it never matches, its line here would fail. */
const SEEDED = [
  ['base-imports-only-what-it-may', 'src/base/seeded.ts', "import '../protocol/seeded.ts';"],
  ['protocol-imports-only-what-it-may', 'src/protocol/seeded.ts', "export { readFileSync } from 'node:fs';"],
  ['embedding-imports-only-what-it-may', 'src/embedding/seeded.ts', "import '../server/seeded.ts';"],
  ['indexing-imports-only-what-it-may', 'src/indexing/seeded.ts', "import '@lancedb/lancedb';"],
  [
    'search-imports-only-what-it-may',
    'src/search/seeded.ts',
    "import type { Uri } from 'vscode'; export type X = Uri;",
  ],
  ['process-imports-only-what-it-may', 'src/process/seeded.ts', "import '../embedding/seeded.ts';"],
  ['embedder-imports-only-what-it-may', 'src/embedder/seeded.ts', "import '@lancedb/lancedb';"],
  [
    'server-imports-only-what-it-may',
    'src/server/seeded.ts',
    "import type { Uri } from 'vscode'; export type X = Uri;",
  ],
  ['host-imports-only-what-it-may', 'src/host/seeded.ts', "import 'onnxruntime-node';"],
  ['webview-imports-only-what-it-may', 'src/webview/seeded.ts', "import '../base/seeded.ts';"],
  ['nothing-imports-the-edges', 'src/server/fronts.ts', "import '../cli/seeded.ts';"],
] as const;

describe('import rules', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tessera-layers-'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const name of ['tsconfig.json', 'tsconfig.pure.json', '.dependency-cruiser.cjs', 'package.json'])
      await copyFile(join(root, name), join(folder, name));
    for (const [, path, text] of [...SEEDED, ['', 'src/cli/seeded.ts', 'export {};']] as const) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), `${text}\n`);
    }
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('a seeded violation of each rule is reported', async () => {
    const report = await outputOf('depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']);
    const { summary } = JSON.parse(report) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    const reported = summary.violations.map(({ from, rule }) => `${rule.name} in ${from}`);
    for (const [rule, path] of SEEDED) expect(reported).toContain(`${rule} in ${path}`);
  });

  test('an import of a Node module does not type-check in a pure layer', async () => {
    // Alone: the other seeds import packages whose own types bring Node's in.
    for (const [, path] of SEEDED) if (!path.startsWith('src/protocol/')) await rm(join(folder, path));
    const report = await outputOf('tsc', ['-p', 'tsconfig.pure.json']);
    expect(report).toContain('src/protocol/seeded.ts(1,');
  });

  /** Standard output of a tool, whatever its exit status. */
  async function outputOf(tool: string, args: readonly string[]): Promise<string> {
    return run(join(root, 'node_modules/.bin', tool), args, { cwd: folder, maxBuffer: 1 << 26 }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  }
});
