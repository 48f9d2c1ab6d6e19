import * as vscode from 'vscode';
import { assertNever } from '../../base/errors.ts';
import { Disposable } from '../../base/disposable.ts';
import type { Overview } from '../folders/overview.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { actionLabel, explainError } from '../messages.ts';
import type { ViewAction } from '../../protocol/view.ts';
import { indexingDetail, indexingTitle, progressOf, waitingWords } from '../view/notices.ts';
import { numberWords, percentWords } from '../words.ts';

/** Right of the language's own items, where other background work shows. */
const PRIORITY = 10;

/** One item that says what the index is doing; a click opens the status page. */
export class StatusBarItem extends Disposable {
  readonly #workspace: WorkspaceIndex;
  readonly #item = this.own(
    vscode.window.createStatusBarItem('tessera.status', vscode.StatusBarAlignment.Right, PRIORITY),
  );

  constructor(workspace: WorkspaceIndex) {
    super();
    this.#workspace = workspace;
  }

  start(): void {
    this.#item.name = vscode.l10n.t('Tessera index');
    this.#item.command = 'tessera.showStatus';
    this.own(this.#workspace.onOverview((overview) => this.#update(overview)));
    this.#update(this.#workspace.overview);
  }

  #update(overview: Overview): void {
    const content = contentOf(overview);
    if (content === undefined) {
      this.#item.hide();
      return;
    }
    const { text, label, detail, actions, background } = content;
    this.#item.text = text;
    this.#item.tooltip = tooltip(label, detail, actions);
    this.#item.backgroundColor =
      background === undefined ? undefined : new vscode.ThemeColor(`statusBarItem.${background}Background`);
    this.#item.accessibilityInformation = {
      label: [`Tessera: ${label}`, detail].filter((part) => part !== '').join('. '),
    };
    this.#item.show();
  }
}

interface Content {
  readonly text: string;
  readonly label: string;
  readonly detail: string;
  readonly actions: readonly ViewAction[];
  readonly background?: 'warning' | 'error';
}

function contentOf(overview: Overview): Content | undefined {
  const { l10n } = vscode;
  switch (overview.kind) {
    case 'no-folder':
    case 'off':
      return undefined;
    case 'starting':
      return { text: '$(loading~spin) Tessera', label: l10n.t('Starting…'), detail: '', actions: ['showLog'] };
    case 'restricted':
      return {
        text: '$(search-sparkle) Tessera',
        label: l10n.t('Restricted Mode'),
        detail: l10n.t('Only what is already indexed can be searched.'),
        actions: ['manageTrust'],
      };
    case 'idle': {
      const files =
        overview.files === 1 ? l10n.t('1 file indexed') : l10n.t('{0} files indexed', numberWords(overview.files));
      return {
        text: `$(search-sparkle) ${numberWords(overview.files)}`,
        label: files,
        detail:
          overview.chunks === 1
            ? l10n.t('1 chunk, up to date')
            : l10n.t('{0} chunks, up to date', numberWords(overview.chunks)),
        actions: ['showStatus', 'indexNow', 'pause'],
      };
    }
    case 'indexing': {
      const share = progressOf(overview);
      return {
        text: `$(sync~spin) ${share === null ? 'Tessera' : percentWords(Math.floor(share * 100) / 100)}`,
        label: indexingTitle(overview),
        detail: indexingDetail(overview),
        actions: ['showStatus', 'pause'],
      };
    }
    case 'paused':
      return {
        text: '$(debug-pause) Tessera',
        label: overview.reason === 'battery' ? l10n.t('Waiting while on battery') : l10n.t('Indexing is paused'),
        detail: waitingWords(overview.pendingFiles),
        actions: ['resume', 'showStatus'],
      };
    case 'waiting':
      return {
        text: '$(clock) Tessera',
        label: l10n.t('Another window or terminal is indexing'),
        detail: l10n.t('Search works here; indexing goes on when the other one is done.'),
        actions: ['showStatus'],
      };
    case 'degraded': {
      const explained = overview.error === undefined ? undefined : explainError(overview.error);
      return {
        text: '$(warning) Tessera',
        label: l10n.t('Search is limited'),
        detail: explained?.message ?? overview.reason,
        actions: explained?.actions ?? ['restart', 'showLog'],
        background: 'warning',
      };
    }
    case 'failed': {
      const { message, actions } = explainError(overview.error);
      return { text: '$(error) Tessera', label: l10n.t('Not working'), detail: message, actions, background: 'error' };
    }
    default:
      return assertNever(overview);
  }
}

function tooltip(label: string, detail: string, actions: readonly ViewAction[]): vscode.MarkdownString {
  const commands = actions.map((action) => (action === 'refresh' ? 'tessera.view.refresh' : `tessera.${action}`));
  const markdown = new vscode.MarkdownString('', true);
  markdown.isTrusted = { enabledCommands: commands };
  markdown.appendMarkdown('**').appendText(label).appendMarkdown('**');
  if (detail !== '') markdown.appendMarkdown('\n\n').appendText(detail);
  const links = actions.map((action, at) => `[${actionLabel(action)}](command:${commands[at] ?? ''})`);
  return markdown.appendMarkdown(`\n\n${links.join(' · ')}`);
}
