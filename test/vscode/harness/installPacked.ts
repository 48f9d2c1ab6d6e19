import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { REMOVE, isRemoved, removeAtExit } from './atExit.ts';
import { installExtension } from './vscodeServer.ts';

const PACKED_EXTENSION = join(import.meta.dirname, '../../../out/tessera.vsix');

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder in which VS Code has installed the packed extension, shared by all tests of a run. */
    extensionsDir: string;
  }
}

let home: string | undefined;

/** Installs the packed extension once, by VS Code's own command line; every test starts VS Code with what came of it. */
export async function setup(project: TestProject): Promise<void> {
  home = await mkdtemp(join(tmpdir(), 'tessera-installed-'));
  removeAtExit(home);
  const extensionsDir = join(home, 'extensions');
  await installExtension(PACKED_EXTENSION, extensionsDir);
  project.provide('extensionsDir', extensionsDir);
}

export async function teardown(): Promise<void> {
  if (home === undefined) return;
  await rm(home, REMOVE);
  isRemoved(home);
}
