import { TesseraError } from '../../base/errors.ts';
import type { FileEntry, IndexSegment, SegmentedIndex } from '../../search/chunkIndex.ts';
import type { SearchedFolder } from '../folderSearch.ts';
import type { FileRecord } from '../store/chunkStore.ts';
import type { FileFilter } from './fileFilters.ts';

/** Half-life of the recency signal. */
const RECENT_MS = 3 * 24 * 3600 * 1000;

/** One folder's index in memory, and what its table says of the files. */
export interface LoadedFolder {
  readonly place: SearchedFolder;
  /** Those of the index, then those of unsaved texts. */
  readonly segments: readonly IndexSegment[];
  readonly chunkCount: number;
  /** Paths whose unsaved text is searched in place of what is stored. */
  readonly overlaid: ReadonlySet<string>;
  /** Texts of unsaved chunks by id. */
  readonly unsavedTexts: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, FileRecord>;
}

/** All folders as one index: scores of their chunks are then comparable. */
export function combined(loaded: readonly LoadedFolder[]): SegmentedIndex {
  return {
    segments: loaded.flatMap(({ segments }) => segments),
    chunkCount: loaded.reduce((sum, { chunkCount }) => sum + chunkCount, 0),
  };
}

/** Whether a file passes its own folder's filter. */
export function acceptedInFolder(
  loaded: readonly Pick<LoadedFolder, 'place' | 'segments'>[],
  filterOf: (folder: string) => FileFilter,
): (file: FileEntry, segment: IndexSegment) => boolean {
  const filters = new Map<IndexSegment, FileFilter>();
  for (const { place, segments } of loaded) {
    const filter = filterOf(place.folder);
    for (const segment of segments) filters.set(segment, filter);
  }
  return (file, segment) => filters.get(segment)?.(file) === true;
}

/** The filter, and of a file with an unsaved text only that text. */
export function notReplaced(
  loaded: readonly LoadedFolder[],
  accepts: (file: FileEntry, segment: IndexSegment) => boolean,
): (file: FileEntry, segment: IndexSegment) => boolean {
  if (loaded.every(({ overlaid }) => overlaid.size === 0)) return accepts;
  const replaced = new Map<IndexSegment, ReadonlySet<string>>();
  for (const { segments, overlaid, unsavedTexts } of loaded) {
    for (const segment of segments) {
      const isUnsaved = unsavedTexts.has(segment.chunks[0]?.id ?? '');
      if (!isUnsaved) replaced.set(segment, overlaid);
    }
  }
  return (file, segment) => replaced.get(segment)?.has(file.path) !== true && accepts(file, segment);
}

export function unsavedText(loaded: readonly LoadedFolder[], id: string): string | undefined {
  for (const { unsavedTexts } of loaded) {
    const text = unsavedTexts.get(id);
    if (text !== undefined) return text;
  }
  return undefined;
}

export function ownersOf(loaded: readonly LoadedFolder[]): (segment: IndexSegment) => SearchedFolder {
  const owners = new Map(loaded.flatMap(({ place, segments }) => segments.map((segment) => [segment, place] as const)));
  return (segment) => {
    const owner = owners.get(segment);
    if (owner === undefined) throw new TesseraError('internal', 'A hit belongs to no searched folder.');
    return owner;
  };
}

/**
 * How lately a file was changed against the newest one: 1 for that, half of it three days before; less the more files are as new, so that it
 * says nothing of a folder that has just been cloned.
 */
export function recencyOf(
  loaded: readonly Pick<LoadedFolder, 'files' | 'segments'>[],
): (path: string, segment: IndexSegment) => number {
  const folderOf = new Map<IndexSegment, (path: string) => number>();
  for (const { files, segments } of loaded) {
    const ofFile = recencyIn(files);
    for (const segment of segments) folderOf.set(segment, ofFile);
  }
  return (path, segment) => folderOf.get(segment)?.(path) ?? 0;
}

function recencyIn(files: ReadonlyMap<string, FileRecord>): (path: string) => number {
  let newest = 0;
  for (const { mtimeMs } of files.values()) newest = Math.max(newest, mtimeMs);
  let late = 0;
  for (const { mtimeMs } of files.values()) if (newest - mtimeMs < RECENT_MS) late++;
  const telling = 1 - late / Math.max(1, files.size);
  return (path) => {
    const file = files.get(path);
    return file === undefined ? 0 : telling * 2 ** ((file.mtimeMs - newest) / RECENT_MS);
  };
}
