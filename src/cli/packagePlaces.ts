import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Root of the installed package: the nearest folder upwards with a package.json, from the bundle in dist/ as from the source. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return import.meta.dirname;
    folder = parent;
  }
  return folder;
}

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}

/** The folder `build` copied the grammars to; undefined when run from source. */
export function grammarFolder(): string | undefined {
  const folder = path.join(import.meta.dirname, 'grammars');
  return existsSync(folder) ? folder : undefined;
}
