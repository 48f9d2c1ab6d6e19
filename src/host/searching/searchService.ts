import * as vscode from 'vscode';
import type { CancellationSignal } from '../../base/cancellation.ts';
import { TesseraError } from '../../base/errors.ts';
import type { SearchFilters } from '../../protocol/hit.ts';
import type { FolderHit, OverlayText, SearchResult } from '../../protocol/server.ts';
import type { FolderIndex } from '../folders/folderIndex.ts';
import type { IndexServer } from '../folders/indexServer.ts';
import { openPathsIn, type WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { innermostFolder } from './innermostFolder.ts';
import { readHiddenGlobs } from '../settings/indexSettings.ts';

/** Unsaved texts sent with a search: more than a person edits at once, and little to send. */
const MAX_OVERLAYS = 20;
const MAX_OVERLAY_CHARS = 500_000;

export interface SearchRequest {
  readonly query: string;
  readonly filters: SearchFilters;
  readonly limit: number;
  readonly explain: boolean;
  /** Filters by the path of each folder to search; undefined: `filters`, for all of the window. */
  readonly folderFilters?: ReadonlyMap<string, SearchFilters> | undefined;
}

export interface SimilarRequest {
  readonly uri: vscode.Uri;
  /** From 1. */
  readonly line: number;
  /** The selected text; null takes the chunk at the line. */
  readonly text: string | null;
  readonly filters: SearchFilters;
  readonly limit: number;
}

export interface SearchAnswer extends SearchResult {
  /** Folders that could not take part, with the reason. */
  readonly failures: readonly { readonly folder: string; readonly error: unknown }[];
}

/** Asks all folders of the window together. Knows nothing of how answers are shown. */
export class SearchService {
  readonly #workspace: WorkspaceIndex;
  readonly #server: Pick<IndexServer, 'request'>;

  constructor(workspace: WorkspaceIndex, server: Pick<IndexServer, 'request'>) {
    this.#workspace = workspace;
    this.#server = server;
  }

  /** @throws TesseraError `not-indexed` when no folder may be searched, or the first folder's error when none could be opened. */
  async search({ folderFilters, ...request }: SearchRequest, signal?: CancellationSignal): Promise<SearchAnswer> {
    const { opened, failures } = await this.#openAll(folderFilters);
    const folders = opened.map((index) => index.folder);
    const noteLack = this.#workspace.noteSearch();
    const result = await this.#server.request(
      'search',
      {
        ...request,
        passages: true,
        folders,
        ...(folderFilters && { folderFilters: Object.fromEntries(folderFilters) }),
        openPaths: folders.flatMap(openPathsIn),
        overlays: this.#overlays(folders),
      },
      signal,
    );
    noteLack(result.degraded);
    const [nothing] = opened;
    // No index that is being made and may have it soon: there is none. What failed to open says so itself.
    const isWanting = result.hits.length === 0 && !result.complete && failures.length === 0;
    if (nothing !== undefined && isWanting && opened.every(isEmpty)) {
      throw new TesseraError('not-indexed', 'Nothing is indexed.', { details: { folder: nothing.folder } });
    }
    return { ...result, failures };
  }

  /** Whether a file is in a folder that may have an index. */
  isInFolder(uri: vscode.Uri): boolean {
    return this.#workspace.find(uri) !== undefined;
  }

  /** Code like that at a place. The place itself is no hit. */
  async similar(request: SimilarRequest, signal?: CancellationSignal): Promise<SearchAnswer> {
    const file = this.#workspace.find(request.uri);
    if (file === undefined) {
      throw new TesseraError('not-indexed', 'The file is in no folder of this window.', {
        details: { path: request.uri.fsPath },
      });
    }
    const { line, text, filters, limit } = request;
    const params = { path: file.path, line, text, filters, limit, explain: true, passages: true };
    const result = await file.index.similar(params, signal);
    return { ...result, failures: [] };
  }

  uriOf(hit: FolderHit): vscode.Uri {
    return this.#workspace.uriOf(hit.folder, hit.path);
  }

  /** Globs hidden from hits by settings, over all folders. */
  hiddenGlobs(): readonly string[] {
    const globs = (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri }) => readHiddenGlobs(uri));
    return [...new Set(globs)];
  }

  async #openAll(
    wanted: SearchRequest['folderFilters'],
  ): Promise<{ opened: FolderIndex[]; failures: SearchAnswer['failures'] }> {
    const indexes = this.#workspace.searchable.filter(({ folder }) => wanted?.has(folder) ?? true);
    if (indexes.length === 0) throw new TesseraError('not-indexed', 'No folder of this window may be searched.');
    const outcomes = await Promise.allSettled(indexes.map((index) => index.open()));
    const opened = indexes.filter((_, at) => outcomes[at]?.status === 'fulfilled');
    const failures = outcomes.flatMap((outcome, at) => {
      const index = indexes[at];
      return outcome.status === 'rejected' && index !== undefined
        ? [{ folder: index.folder, error: outcome.reason as unknown }]
        : [];
    });
    const first = failures[0];
    if (opened.length === 0 && first !== undefined) throw first.error;
    return { opened, failures };
  }

  #overlays(folders: readonly string[]): readonly OverlayText[] {
    return vscode.workspace.textDocuments
      .filter((document) => document.isDirty && document.uri.scheme === 'file')
      .flatMap((document) => {
        const place = innermostFolder(folders, document.uri.fsPath);
        const text = document.getText();
        return place === undefined || text.length > MAX_OVERLAY_CHARS ? [] : [{ ...place, text }];
      })
      .slice(0, MAX_OVERLAYS);
  }
}

function isEmpty({ state }: FolderIndex): boolean {
  return state.kind === 'idle' && state.files === 0;
}
