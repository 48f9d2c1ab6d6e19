import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What decides where a user's caches are. */
export interface UserPlaces {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Where indexes are kept unless a person says otherwise: the platform's folder for caches, since an index can always be made again.
 * `$XDG_CACHE_HOME/tessera` or `~/.cache/tessera`; `~/Library/Caches/tessera`; `%LOCALAPPDATA%\tessera`.
 */
export function defaultIndexDir(
  { platform, home, env }: UserPlaces = { platform: process.platform, home: os.homedir(), env: process.env },
): string {
  if (platform === 'win32')
    return path.win32.join(env['LOCALAPPDATA'] ?? path.win32.join(home, 'AppData', 'Local'), 'tessera');
  if (platform === 'darwin') return path.posix.join(home, 'Library', 'Caches', 'tessera');
  const caches = env['XDG_CACHE_HOME'];
  // The specification says to ignore a relative path.
  const base = caches !== undefined && path.posix.isAbsolute(caches) ? caches : path.posix.join(home, '.cache');
  return path.posix.join(base, 'tessera');
}

/** The folder of one indexed folder: its name, for people, and a hash of where it really is. */
export function folderIndexDir(indexDir: string, folder: string): string {
  const real = realPathOf(folder);
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 16);
  const name = path
    .basename(real)
    .replaceAll(/[^\w.-]+/g, '_')
    .slice(0, 40);
  return path.join(indexDir, 'folders', `${name || 'root'}-${hash}`);
}

/** What is kept beside the table of this name, of the index that searches make of it in memory. */
export function searchImagesDir(folderDir: string, table: string): string {
  return path.join(folderDir, `${table}${SEARCH_IMAGES}`);
}

/** The table such a folder belongs to. */
export function tableOfSearchImages(dir: string): string {
  return `${dir.slice(0, -SEARCH_IMAGES.length)}.lance`;
}

/** Ending of those folders. */
export const SEARCH_IMAGES = '.search';

/** Embeddings by content, for all folders. */
export function embeddingCacheDir(indexDir: string): string {
  return path.join(indexDir, 'embeddings');
}

export function tunerStateFile(indexDir: string): string {
  return path.join(indexDir, 'tuner.json');
}

/** What models were when they were last loaded. */
export function rememberedModelsFile(indexDir: string): string {
  return path.join(indexDir, 'models.json');
}

/** The same index however the folder is spelled; a folder that is gone is spelled as given. */
function realPathOf(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return path.resolve(folder);
  }
}
