import { l10n } from 'vscode';
import { assertNever } from '../../base/errors.ts';
import type { Notice, ViewAction } from '../../protocol/view.ts';
import type { Overview } from '../folders/overview.ts';
import { actionLabel, explainError } from '../messages.ts';
import { chunkWords, durationWords, fileWords, numberWords } from '../words.ts';

type Tone = Notice['tone'];

/** A notice with the labels of its actions filled in. */
export function notice(
  tone: Tone,
  icon: string,
  title: string,
  detail: string,
  actions: readonly ViewAction[],
  progress: number | null = null,
): Notice {
  return {
    tone,
    icon,
    title,
    detail,
    progress,
    actions: actions.map((action) => ({ action, label: actionLabel(action) })),
  };
}

/** What the view says above the hits about the index; null when all is as it should be. */
export function bannerOf(overview: Overview): Notice | null {
  switch (overview.kind) {
    case 'no-folder':
    case 'idle':
    case 'starting':
      return null;
    case 'off':
      return notice('info', 'circle-slash', l10n.t('Indexing is switched off for this folder.'), '', ['openSettings']);
    case 'restricted':
      // Without an index the whole view says so.
      if (overview.chunks === 0) return null;
      return notice(
        'info',
        'workspace-untrusted',
        l10n.t('Restricted Mode'),
        l10n.t('Only what is already indexed can be searched.'),
        ['manageTrust'],
      );
    case 'indexing':
      return notice(
        'progress',
        'sync',
        indexingTitle(overview),
        indexingDetail(overview),
        ['pause'],
        progressOf(overview),
      );
    case 'paused':
      return notice(
        'info',
        'debug-pause',
        overview.reason === 'battery' ? l10n.t('Indexing waits while on battery') : l10n.t('Indexing is paused'),
        waitingWords(overview.pendingFiles),
        ['resume'],
      );
    case 'waiting':
      return notice(
        'info',
        'clock',
        l10n.t('Another window or terminal is indexing'),
        l10n.t('Search works here; indexing goes on when the other one is done.'),
        ['showStatus'],
      );
    case 'degraded': {
      if (overview.isOfSearch) return null;
      if (overview.error !== undefined) return failureNotice(overview.error);
      return notice('warning', 'warning', l10n.t('Search is limited'), overview.reason, ['restart', 'showLog']);
    }
    case 'failed':
      return failureNotice(overview.error);
    default:
      return assertNever(overview);
  }
}

/**
 * What fills the view before anything was asked.
 * @param isAutomatic whether folders are indexed without being asked for
 */
export function welcomeOf(overview: Overview, isAutomatic: boolean): Notice {
  switch (overview.kind) {
    case 'starting':
      return notice('progress', 'loading', l10n.t('Starting…'), '', []);
    case 'idle':
      return overview.chunks === 0
        ? notice(
            'info',
            'database',
            l10n.t('Nothing is indexed yet'),
            isAutomatic
              ? l10n.t('Files you save here follow by themselves; index the folder for those it has already.')
              : l10n.t('Index this folder once; files you save afterwards follow by themselves.'),
            isAutomatic ? ['indexNow', 'showStatus'] : ['indexNow'],
          )
        : notice(
            'info',
            'search',
            l10n.t('Ask for what the code does'),
            [
              l10n.t('Try “where are failed requests retried” or a name you half remember.'),
              l10n.t('Indexed on this machine: {0}.', fileWords(overview.files)),
            ].join(' '),
            ['openWalkthrough'],
          );
    case 'indexing':
      return notice(
        'info',
        'search',
        l10n.t('You can search already'),
        l10n.t('Open and recently changed files come first; the rest follows while you work.'),
        [],
      );
    case 'restricted':
      return overview.chunks === 0
        ? notice(
            'info',
            'workspace-untrusted',
            l10n.t('This folder is not trusted'),
            l10n.t('Tessera indexes trusted folders only. Nothing of this one is indexed yet.'),
            ['manageTrust'],
          )
        : notice('info', 'search', l10n.t('Ask for what the code does'), '', []);
    case 'no-folder':
    case 'off':
    case 'paused':
    case 'waiting':
    case 'degraded':
    case 'failed':
      return notice('info', 'search', l10n.t('Ask for what the code does'), '', ['openWalkthrough']);
    default:
      return assertNever(overview);
  }
}

export function failureNotice(error: unknown): Notice {
  const { message, actions } = explainError(error);
  // What happened first, what to do about it after it.
  const [, title = message, detail = ''] = /^(.+?[.。])\s+(.+)$/s.exec(message) ?? [];
  return notice('error', 'error', title, detail, actions);
}

/** Said when a person gave up waiting; hits from before stay. */
export function cancelledNotice(): Notice {
  return notice('info', 'circle-slash', l10n.t('Search was cancelled'), '', ['refresh']);
}

/** In place of hits when there are none. */
export function nothingFound(hasFilters: boolean, isComplete: boolean): Notice {
  const detail = hasFilters
    ? l10n.t('The filters may leave out what you are looking for.')
    : isComplete
      ? l10n.t('Try other words, or ask for what the code does rather than what it is called.')
      : l10n.t('Indexing is not finished; it may not have come to the place yet.');
  return notice('info', 'search-stop', l10n.t('Nothing found'), detail, hasFilters ? ['clearFilters'] : []);
}

/** Said with hits that come from an index still being made. */
export function partialNotice(): Notice {
  return notice(
    'info',
    'info',
    l10n.t('These hits are from a part of the folder: not all of it was indexed when you asked.'),
    '',
    ['refresh'],
  );
}

/** Said with hits that do not hold what was asked for in quotes, since nothing does. */
export function withoutPhrasesNotice(): Notice {
  return notice(
    'info',
    'info',
    l10n.t('Nothing holds the quoted text; these are the nearest hits without it.'),
    '',
    [],
  );
}

export function degradedSearchNotice(reason: string): Notice {
  return notice('warning', 'warning', l10n.t('Only a part of the search ran'), reason, ['refresh', 'showStatus']);
}

/** Of one folder or of all of them together. */
type Indexing = Omit<Extract<Overview, { kind: 'indexing' }>, 'kind'>;

export function indexingTitle({ phase, filesDone, filesTotal }: Indexing): string {
  switch (phase) {
    case 'scanning':
      return l10n.t('Looking through files…');
    case 'indexing':
      return l10n.t('Indexing {0} of {1}', numberWords(filesDone), fileWords(filesTotal));
    case 'maintaining':
      return l10n.t('Tidying the index…');
    default:
      return assertNever(phase);
  }
}

/** How much a pause keeps waiting; empty when nothing is. */
export function waitingWords(pendingFiles: number): string {
  if (pendingFiles === 0) return '';
  return pendingFiles === 1
    ? l10n.t('1 file is waiting.')
    : l10n.t('{0} files are waiting.', numberWords(pendingFiles));
}

/** Rate and time left, as far as they are known. */
export function indexingDetail({ phase, chunksPerSecond, secondsLeft }: Indexing): string {
  if (phase !== 'indexing') return '';
  return [
    ...(secondsLeft === null ? [] : [l10n.t('{0} left', durationWords(secondsLeft))]),
    ...(chunksPerSecond < 1 ? [] : [l10n.t('{0}/s', chunkWords(Math.round(chunksPerSecond)))]),
  ].join(' · ');
}

export function progressOf({ phase, filesDone, filesTotal }: Indexing): number | null {
  return phase === 'indexing' && filesTotal > 0 ? filesDone / filesTotal : null;
}
