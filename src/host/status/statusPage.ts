import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Clock } from '../../base/clock.ts';
import { Disposable, DisposableStore, type DisposableLike } from '../../base/disposable.ts';
import { assertNever } from '../../base/errors.ts';
import type { HostToStatus, StatusFolder, StatusToHost } from '../../protocol/statusView.ts';
import type { FolderIndex } from '../folders/folderIndex.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { runViewAction, showFailure } from '../messages.ts';
import { loadPage } from '../view/webviewDocument.ts';
import { statusFolder, unavailableFolder } from './statusModel.ts';

/** While indexing, the server has better things to do than counting for a page. */
const REFRESH_MS = 1000;

/** The status page: one panel, drawn anew while it is visible and something changes. */
export class StatusPage extends Disposable {
  readonly #extensionUri: vscode.Uri;
  readonly #workspace: WorkspaceIndex;
  readonly #clock: Clock;
  #panel: vscode.WebviewPanel | undefined;
  #timer: DisposableLike | undefined;

  constructor(extensionUri: vscode.Uri, workspace: WorkspaceIndex, clock: Clock) {
    super();
    this.#extensionUri = extensionUri;
    this.#workspace = workspace;
    this.#clock = clock;
    this.own({
      dispose: () => {
        this.#panel?.dispose();
      },
    });
  }

  show(): void {
    if (this.#panel !== undefined) {
      this.#panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      'tessera.status',
      vscode.l10n.t('Tessera: Status'),
      vscode.ViewColumn.Active,
    );
    this.#panel = panel;
    panel.iconPath = {
      light: vscode.Uri.joinPath(this.#extensionUri, 'media', 'view-light.svg'),
      dark: vscode.Uri.joinPath(this.#extensionUri, 'media', 'view-dark.svg'),
    };
    const owned = new DisposableStore();
    owned.add(panel.webview.onDidReceiveMessage((message: StatusToHost) => void this.#receive(message)));
    owned.add(this.#workspace.onOverview(() => this.#schedule()));
    owned.add(panel.onDidChangeViewState(() => this.#schedule()));
    panel.onDidDispose(() => {
      owned.dispose();
      this.#timer?.dispose();
      this.#timer = undefined;
      this.#panel = undefined;
    });
    loadPage(panel.webview, this.#extensionUri, {
      title: panel.title,
      script: 'status.js',
      styles: ['codicon.css', 'statusStyle.css'],
    });
  }

  async #receive(message: StatusToHost): Promise<void> {
    try {
      switch (message.kind) {
        case 'ready': {
          await this.#refresh();
          return;
        }
        case 'run': {
          await runViewAction(message.action);
          return;
        }
        case 'openFile': {
          const uri = vscode.Uri.file(path.join(message.folder, message.path));
          await vscode.commands.executeCommand('vscode.open', uri, { preview: true });
          return;
        }
        default:
          return assertNever(message);
      }
    } catch (error) {
      await showFailure(error);
    }
  }

  /** At most one drawing a second, the last change included. */
  #schedule(): void {
    if (this.#timer !== undefined || this.#panel?.visible !== true) return;
    this.#timer = this.#clock.after(REFRESH_MS, () => {
      this.#timer = undefined;
      void this.#refresh();
    });
  }

  async #refresh(): Promise<void> {
    const folders = await Promise.all(this.#workspace.searchable.map((index) => this.#describe(index)));
    const message: HostToStatus = {
      kind: 'model',
      model: {
        title: vscode.l10n.t('Tessera'),
        folders,
        empty: vscode.l10n.t('No folder of this window is indexed.'),
      },
    };
    await this.#panel?.webview.postMessage(message);
  }

  async #describe(index: FolderIndex): Promise<StatusFolder> {
    const name = this.#workspace.folderNames.get(index.folder) ?? index.folder;
    try {
      return statusFolder(name, await index.status(), this.#workspace.searchTrouble);
    } catch (error) {
      return unavailableFolder(name, index.folder, error);
    }
  }
}
