import type { TesseraError } from '../../base/errors.ts';
import type { ProcessState } from '../../process/processSupervisor.ts';
import type { FolderState } from '../../protocol/server.ts';
import type { FolderPermission, PauseReason } from './folderIndex.ts';

/** One folder, as far as the overview needs it. */
export interface FolderSummary {
  readonly state: FolderState;
  readonly permission: FolderPermission;
  readonly pausedBy: PauseReason | null;
  readonly lastError: TesseraError | undefined;
}

/** All folders and the server in one state: what the status bar and the view's banner show. */
export type Overview =
  | { readonly kind: 'no-folder' }
  | { readonly kind: 'off' }
  | { readonly kind: 'starting' }
  /** Search works on what is there; nothing is indexed in an untrusted workspace. */
  | { readonly kind: 'restricted'; readonly files: number; readonly chunks: number }
  | { readonly kind: 'idle'; readonly files: number; readonly chunks: number }
  | {
      readonly kind: 'indexing';
      readonly phase: 'scanning' | 'indexing' | 'maintaining';
      readonly filesDone: number;
      readonly filesTotal: number;
      readonly chunksPerSecond: number;
      /** Null while unknown. */
      readonly secondsLeft: number | null;
    }
  | { readonly kind: 'paused'; readonly pendingFiles: number; readonly reason: PauseReason }
  /** Another window or a terminal writes an index; search works on what is there. */
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'degraded';
      readonly reason: string;
      readonly error: TesseraError | undefined;
      /** Seen by the last search, which says so itself, rather than by the index. */
      readonly isOfSearch: boolean;
    }
  | { readonly kind: 'failed'; readonly error: TesseraError };

/**
 * The state most worth a person's attention wins: failed, degraded, indexing, paused, waiting, then idle.
 * @param searchTrouble what the last search lacked; null when it was whole
 */
export function overviewOf(
  server: ProcessState,
  folders: readonly FolderSummary[],
  searchTrouble: string | null = null,
): Overview {
  if (folders.length === 0) return { kind: 'no-folder' };
  const active = folders.filter((folder) => folder.permission !== 'none');
  if (active.length === 0) return { kind: 'off' };
  if (server.kind === 'failed') return { kind: 'failed', error: server.error };
  const failed = active.find((folder) => folder.lastError !== undefined)?.lastError;
  if (failed !== undefined) return { kind: 'degraded', reason: failed.message, error: failed, isOfSearch: false };
  const states = active.map((folder) => folder.state);
  const degraded = states.find((state) => state.kind === 'degraded');
  if (degraded !== undefined) return { kind: 'degraded', reason: degraded.reason, error: undefined, isOfSearch: false };
  const running = states.flatMap((state) => (state.kind === 'indexing' ? [state.progress] : []));
  if (running.length > 0) {
    const secondsLeft = running.map((progress) => progress.secondsLeft);
    return {
      kind: 'indexing',
      phase: running.find((progress) => progress.phase === 'indexing')?.phase ?? running[0]?.phase ?? 'scanning',
      filesDone: sum(running.map((progress) => progress.filesDone)),
      filesTotal: sum(running.map((progress) => progress.filesTotal)),
      chunksPerSecond: sum(running.map((progress) => progress.chunksPerSecond)),
      secondsLeft: secondsLeft.includes(null) ? null : Math.max(...secondsLeft.map((seconds) => seconds ?? 0)),
    };
  }
  const reasons = active.flatMap((folder) => folder.pausedBy ?? []);
  if (reasons.length > 0) {
    const pendingFiles = sum(states.map((state) => (state.kind === 'paused' ? state.pendingFiles : 0)));
    return { kind: 'paused', pendingFiles, reason: reasons.includes('asked') ? 'asked' : 'battery' };
  }
  if (states.some((state) => state.kind === 'waiting')) return { kind: 'waiting' };
  const idle = states.flatMap((state) => (state.kind === 'idle' ? [state] : []));
  if (idle.length === 0)
    return server.kind === 'stopped' && isUntrusted(active) ? restricted([]) : { kind: 'starting' };
  if (isUntrusted(active)) return restricted(idle);
  if (searchTrouble !== null) {
    return { kind: 'degraded', reason: searchTrouble, error: undefined, isOfSearch: true };
  }
  return { kind: 'idle', ...totals(idle) };
}

type Idle = Extract<FolderState, { kind: 'idle' }>;

function isUntrusted(folders: readonly FolderSummary[]): boolean {
  return folders.every((folder) => folder.permission === 'search');
}

function restricted(idle: readonly Idle[]): Overview {
  return { kind: 'restricted', ...totals(idle) };
}

function totals(idle: readonly Idle[]): { files: number; chunks: number } {
  return { files: sum(idle.map((state) => state.files)), chunks: sum(idle.map((state) => state.chunks)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
