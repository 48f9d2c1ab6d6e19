import * as vscode from 'vscode';
import { Disposable, type DisposableLike } from '../../base/disposable.ts';
import { assertNever, isTesseraError } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import type { FileState } from '../../protocol/server.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import type { IndexServer } from '../folders/indexServer.ts';
import { chunkWords } from '../words.ts';
import { skipReasonWords } from './skipReasonWords.ts';

/** The state of a file is asked for when the person has settled on it. */
const SETTLE_MS = 300;

/** Says, with the language's own items, whether the file in the editor is indexed and, if not, why. */
export class LanguageStatus extends Disposable {
  readonly #workspace: WorkspaceIndex;
  readonly #server: IndexServer;
  readonly #clock: Clock;
  readonly #item: vscode.LanguageStatusItem;
  #timer: DisposableLike | undefined;
  #asking: AbortController | undefined;

  constructor(workspace: WorkspaceIndex, server: IndexServer, clock: Clock) {
    super();
    this.#workspace = workspace;
    this.#server = server;
    this.#clock = clock;
    this.#item = this.own(vscode.languages.createLanguageStatusItem('tessera.file', { scheme: 'file' }));
    this.own({ dispose: () => this.#timer?.dispose() });
    this.own({ dispose: () => this.#asking?.abort() });
  }

  start(): void {
    this.#item.name = vscode.l10n.t('Tessera: this file');
    this.#item.command = { command: 'tessera.showStatus', title: vscode.l10n.t('Show Status') };
    this.own(vscode.window.onDidChangeActiveTextEditor(() => this.#schedule()));
    this.own(this.#workspace.onOverview(() => this.#schedule()));
    this.own(this.#server.onCommitted(() => this.#schedule()));
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.dispose();
    this.#timer = this.#clock.after(SETTLE_MS, () => void this.#update());
  }

  async #update(): Promise<void> {
    this.#asking?.abort();
    const document = vscode.window.activeTextEditor?.document;
    const file = document === undefined ? undefined : this.#workspace.find(document.uri);
    if (file === undefined) {
      this.#show(vscode.l10n.t('Not in an indexed folder'), '', vscode.LanguageStatusSeverity.Information);
      return;
    }
    // A look at a file starts no server; when one runs, its answer is cheap.
    if (this.#server.state.kind !== 'running' || file.index.state.kind === 'closed') return;
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const state = await file.index.fileState(file.path, asking.signal);
      if (this.#asking === asking) this.#showState(state);
    } catch (error) {
      if (isTesseraError(error, 'cancelled') || this.isDisposed) return;
      this.#show(vscode.l10n.t('Unknown'), '', vscode.LanguageStatusSeverity.Information);
    }
  }

  #showState(state: FileState): void {
    const { l10n, LanguageStatusSeverity: severity } = vscode;
    switch (state.kind) {
      case 'indexed': {
        this.#show(l10n.t('Indexed'), chunkWords(state.chunks), severity.Information);
        return;
      }
      case 'skipped': {
        this.#show(l10n.t('Not indexed: {0}', skipReasonWords(state.reason)), state.detail, severity.Warning);
        return;
      }
      case 'ignored': {
        this.#show(l10n.t('Not indexed: ignored'), l10n.t('by an ignore file or a setting'), severity.Information);
        return;
      }
      case 'pending': {
        this.#show(l10n.t('Waiting to be indexed'), '', severity.Information);
        return;
      }
      case 'unknown': {
        this.#show(l10n.t('Not indexed yet'), '', severity.Information);
        return;
      }
      default:
        return assertNever(state);
    }
  }

  #show(text: string, detail: string, severity: vscode.LanguageStatusSeverity): void {
    this.#item.text = `$(search-sparkle) ${text}`;
    this.#item.detail = detail === '' ? 'Tessera' : `Tessera · ${detail}`;
    this.#item.severity = severity;
  }
}
