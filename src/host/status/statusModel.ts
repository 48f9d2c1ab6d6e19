import { l10n } from 'vscode';
import { assertNever } from '../../base/errors.ts';
import type { FolderStatus } from '../../protocol/server.ts';
import type { StatusCard, StatusFolder, StatusTone } from '../../protocol/statusView.ts';
import type { ViewAction } from '../../protocol/view.ts';
import { actionLabel, explainError } from '../messages.ts';
import { indexingDetail, indexingTitle, progressOf, waitingWords } from '../view/notices.ts';
import { byteWords, lineWords, numberWords } from '../words.ts';
import { statusSections } from './statusSections.ts';

/**
 * One folder's part of the status page.
 * @param searchTrouble what the last search lacked; null when it was whole
 */
export function statusFolder(name: string, status: FolderStatus, searchTrouble: string | null): StatusFolder {
  const isLimited = status.state.kind === 'idle' && searchTrouble !== null;
  const { tone, state, detail, progress, actions } = isLimited ? limited(searchTrouble) : stateWords(status);
  return {
    name,
    path: status.folder,
    tone,
    state,
    detail,
    progress,
    actions: actions.map((action) => ({ action, label: actionLabel(action) })),
    cards: cards(status),
    sections: statusSections(status),
  };
}

/** A folder whose status could not be had. */
export function unavailableFolder(name: string, path: string, error: unknown): StatusFolder {
  const { message, actions } = explainError(error);
  return {
    name,
    path,
    tone: 'error',
    state: l10n.t('Not available'),
    detail: message,
    progress: null,
    actions: actions.map((action) => ({ action, label: actionLabel(action) })),
    cards: [],
    sections: [],
  };
}

interface StateWords {
  readonly tone: StatusTone;
  readonly state: string;
  readonly detail: string;
  readonly progress: number | null;
  readonly actions: readonly ViewAction[];
}

function stateWords({ state }: FolderStatus): StateWords {
  switch (state.kind) {
    case 'closed':
      return { tone: 'quiet', state: l10n.t('Not opened'), detail: '', progress: null, actions: ['indexNow'] };
    case 'idle':
      return state.files === 0
        ? { tone: 'quiet', state: l10n.t('Nothing is indexed yet'), detail: '', progress: null, actions: ['indexNow'] }
        : {
            tone: 'good',
            state: l10n.t('Up to date'),
            detail: '',
            progress: null,
            actions: ['indexNow', 'pause', 'showLog'],
          };
    case 'indexing':
      return {
        tone: 'busy',
        state: indexingTitle(state.progress),
        detail: indexingDetail(state.progress),
        progress: progressOf(state.progress),
        actions: ['pause', 'showLog'],
      };
    case 'paused':
      return {
        tone: 'quiet',
        state: state.reason === 'battery' ? l10n.t('Waiting while on battery') : l10n.t('Paused'),
        detail: waitingWords(state.pendingFiles),
        progress: null,
        actions: ['resume', 'showLog'],
      };
    case 'waiting':
      return {
        tone: 'quiet',
        state: l10n.t('Another window or terminal is indexing'),
        detail: l10n.t('Search works here; indexing goes on when the other one is done.'),
        progress: null,
        actions: ['showLog'],
      };
    case 'degraded':
      return limited(state.reason);
    default:
      return assertNever(state);
  }
}

function limited(reason: string): StateWords {
  return {
    tone: 'warning',
    state: l10n.t('Search is limited'),
    detail: reason,
    progress: null,
    actions: ['restart', 'showLog'],
  };
}

function cards(status: FolderStatus): readonly StatusCard[] {
  const considered = status.files + status.skipped.length;
  return [
    {
      label: l10n.t('Files'),
      value: numberWords(status.files),
      detail: considered === 0 ? '' : l10n.t('of {0} considered', numberWords(considered)),
    },
    {
      label: l10n.t('Chunks'),
      value: numberWords(status.chunks),
      detail: lineWords(status.linesIndexed),
    },
    {
      label: l10n.t('Skipped'),
      value: numberWords(status.skipped.length),
      detail: status.skipped.length === 0 ? '' : l10n.t('listed below'),
    },
    { label: l10n.t('On disk'), value: byteWords(status.bytesOnDisk), detail: '' },
  ];
}
