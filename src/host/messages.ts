import * as vscode from 'vscode';
import { assertNever, type TesseraError, toTesseraError } from '../base/errors.ts';
import type { ViewAction } from '../protocol/view.ts';

export interface Explanation {
  /** What happened, to what, and what to do: one or two sentences. */
  readonly message: string;
  readonly actions: readonly ViewAction[];
}

/** The one place where a failure gets words. Everything else passes codes and details on. */
export function explainError(error: unknown): Explanation {
  const failure = toTesseraError(error);
  const { l10n } = vscode;
  switch (failure.code) {
    case 'cancelled':
      return { message: l10n.t('Cancelled.'), actions: [] };
    case 'invalid-argument':
      return { message: l10n.t('Tessera could not use what was asked: {0}', failure.message), actions: ['showLog'] };
    case 'not-found':
      return { message: l10n.t('Not found: {0}', subject(failure)), actions: [] };
    case 'not-indexed':
      return explainNotIndexed(failure);
    case 'folder-unreadable':
      return {
        message: l10n.t(
          'The folder {0} cannot be read. Check that it exists and that you may open it.',
          subject(failure),
        ),
        actions: ['refresh', 'showLog'],
      };
    case 'file-unreadable':
      return {
        message: l10n.t(
          'The file {0} cannot be read. Check that it exists and that you may open it.',
          subject(failure),
        ),
        actions: ['refresh', 'showLog'],
      };
    case 'model-missing':
      return {
        message: l10n.t(
          'No embedding model was found at {0}. Choose a folder that holds one, or empty the setting to use the bundled model.',
          subject(failure),
        ),
        actions: ['openSettings', 'showLog'],
      };
    case 'model-invalid':
      return {
        message: l10n.t('The embedding model at {0} is damaged or incomplete: {1}', subject(failure), failure.message),
        actions: ['openSettings', 'showLog'],
      };
    case 'model-unsupported':
      return {
        message: l10n.t(
          'The embedding model at {0} is of a kind Tessera cannot run: {1}',
          subject(failure),
          failure.message,
        ),
        actions: ['openSettings', 'showLog'],
      };
    case 'device-unavailable':
      return {
        message: l10n.t('The device asked for is not available: {0} Choose another one, or “auto”.', failure.message),
        actions: ['openSettings', 'showLog'],
      };
    case 'out-of-memory':
      return {
        message: l10n.t(
          'The embedder ran out of memory. Close other programs, or lower the memory ceiling, and try again.',
        ),
        actions: ['restart', 'openSettings'],
      };
    case 'embedder-failed':
      return {
        message: l10n.t('The embedder failed: {0} Search works by words alone until it is back.', failure.message),
        actions: ['restart', 'showLog'],
      };
    case 'text-quarantined':
      return {
        message: l10n.t('{0} makes the embedder fail and is left out of the index.', subject(failure)),
        actions: ['showStatus'],
      };
    case 'process-exited':
      return {
        message: l10n.t('The index server ended unexpectedly, more often than Tessera restarts it by itself.'),
        actions: ['restart', 'showLog'],
      };
    case 'process-unresponsive':
      return { message: l10n.t('The index server did not start in time.'), actions: ['restart', 'showLog'] };
    case 'protocol-violation':
      return {
        message: l10n.t(
          'Parts of Tessera do not fit together. Reload the window; if that does not help, reinstall the extension.',
        ),
        actions: ['restart', 'showLog'],
      };
    case 'store-failed':
      return {
        message: l10n.t(
          'The index on disk could not be read or written: {0} If this stays, rebuild the index.',
          failure.message,
        ),
        actions: ['restart', 'showStatus', 'showLog'],
      };
    case 'store-locked':
      return {
        message: l10n.t('Another window or terminal is writing this index. Search works here; indexing goes on there.'),
        actions: ['refresh'],
      };
    case 'disk-full':
      return {
        message: l10n.t(
          'The disk that keeps the index is full. Free some space and index again; what was finished is kept.',
        ),
        actions: ['indexNow', 'showLog'],
      };
    case 'disposed':
      return { message: l10n.t('Tessera was shut down meanwhile. Try again.'), actions: ['restart'] };
    case 'internal':
      return {
        message: l10n.t('Something unexpected happened: {0}', failure.message),
        actions: ['restart', 'showLog'],
      };
    default:
      return assertNever(failure.code);
  }
}

/** Nothing can be searched: what that takes, as far as this window knows. */
function explainNotIndexed(failure: TesseraError): Explanation {
  const { l10n, workspace } = vscode;
  const folders = workspace.workspaceFolders ?? [];
  const onDisk = folders.map(({ uri }) => uri).filter(({ scheme }) => scheme === 'file');
  if (folders.length === 0) return { message: l10n.t('No folder is open. Open one to search it.'), actions: [] };
  if (onDisk.length === 0) {
    const message = l10n.t(
      'This workspace is virtual: its files are not on a disk Tessera can read. Clone it, or open it on a remote machine, to search it.',
    );
    return { message, actions: [] };
  }
  if (!workspace.isTrusted) {
    return {
      message: l10n.t('Nothing of this folder is indexed. Tessera indexes trusted folders only.'),
      actions: ['manageTrust'],
    };
  }
  const named = onDisk.filter(({ fsPath }) => fsPath === failure.details['folder']);
  if ((named.length === 0 ? onDisk : named).every(isSwitchedOff)) {
    return { message: l10n.t('Indexing is switched off for this folder.'), actions: ['openSettings'] };
  }
  return { message: l10n.t('{0} is not indexed yet. Index it first.', subject(failure)), actions: ['indexNow'] };
}

function isSwitchedOff(folder: vscode.Uri): boolean {
  return !vscode.workspace.getConfiguration('tessera', folder).get<boolean>('enabled', true);
}

/** Words for what a notice offers. */
export function actionLabel(action: ViewAction): string {
  const { l10n } = vscode;
  switch (action) {
    case 'indexNow':
      return l10n.t('Index Now');
    case 'pause':
      return l10n.t('Pause');
    case 'resume':
      return l10n.t('Resume');
    case 'showStatus':
      return l10n.t('Show Status');
    case 'showLog':
      return l10n.t('Show Log');
    case 'restart':
      return l10n.t('Restart');
    case 'refresh':
      return l10n.t('Search Again');
    case 'manageTrust':
      return l10n.t('Manage Trust');
    case 'openSettings':
      return l10n.t('Open Settings');
    case 'clearFilters':
      return l10n.t('Clear Filters');
    case 'openWalkthrough':
      return l10n.t('How It Works');
    default:
      return assertNever(action);
  }
}

/** Shows a failure as a notification with its actions. Cancellation is an outcome and shows nothing. */
export async function showFailure(error: unknown): Promise<void> {
  if (toTesseraError(error).code === 'cancelled') return;
  const { message, actions } = explainError(error);
  const chosen = await vscode.window.showErrorMessage(message, ...actions.map(actionLabel));
  const action = actions.find((candidate) => actionLabel(candidate) === chosen);
  if (action !== undefined) await runViewAction(action);
}

/** Every action of a notice is a command; those of the view itself are prefixed. */
export async function runViewAction(action: ViewAction): Promise<void> {
  const command = action === 'refresh' ? 'tessera.view.refresh' : `tessera.${action}`;
  await vscode.commands.executeCommand(command);
}

function subject(failure: TesseraError): string {
  const { path, folder, file, name } = failure.details;
  const value = path ?? folder ?? file ?? name;
  return value === undefined || value === null ? failure.message : String(value);
}
