import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ChildHandle, spawnChild } from '../../process/childProcess.ts';

/** The embedder's entry: the bundle beside this one, or its source when this file is run from the source tree. */
export function embedderEntry(): string {
  const bundled = fileURLToPath(new URL('./embedder.js', import.meta.url));
  if (existsSync(bundled)) return bundled;
  return fileURLToPath(new URL('../../embedder/main.ts', import.meta.url));
}

/** Starts the embedder below everything a person is waiting for. */
export function spawnEmbedder(entry = embedderEntry()): ChildHandle {
  return spawnChild({ modulePath: entry, lowPriority: true });
}
