import type { CancellationSignal } from '../base/cancellation.ts';
import type { OverlayText, SearchParams, SearchResult, SimilarParams } from '../protocol/server.ts';
import type { ChunkReader } from './store/chunkStore.ts';

/** A folder as a search sees it. */
export interface SearchedFolder {
  /** Absolute path, as in the request. */
  readonly folder: string;
  /** The index that serves now; taken once for each search, since a rebuild replaces it. */
  readonly reader: ChunkReader;
  /** Where parts of the index in memory may be kept for the next process; nobody else's. */
  readonly imagesDir: string;
}

/** A search, while it may still be asked which of the unsaved texts belong to the index. */
export interface FolderSearchParams extends Omit<SearchParams, 'overlays'> {
  readonly overlays?: readonly OverlayText[] | Promise<readonly OverlayText[]>;
}

/** Finds chunks in the indexes of some folders. The engine resolves folders, and makes one of these for its embedder. */
export interface FolderSearch {
  /** `folders` are those of the request, in its order, that have an index. Rejects with `cancelled`, `invalid-argument` or `store-failed`. */
  search(
    params: FolderSearchParams,
    folders: readonly SearchedFolder[],
    signal?: CancellationSignal,
  ): Promise<SearchResult>;
  /** Reads what searches of this folder will need, so that the first one does not wait for it. Rejects with `store-failed`. */
  prepare(folder: SearchedFolder): Promise<void>;
  /** Rejects with `not-found` when the file or line has no chunk and no text was given. */
  similar(params: SimilarParams, folder: SearchedFolder, signal?: CancellationSignal): Promise<SearchResult>;
  /** Waits for what searches have begun on the side, after which nothing reads the indexes. Never rejects. */
  settled(): Promise<void>;
}
