import * as vscode from 'vscode';
import { Disposable } from '../../base/disposable.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';

/** Keeps the context keys the manifest's `when` clauses use. */
export class ContextKeys extends Disposable {
  readonly #workspace: WorkspaceIndex;
  #paused: boolean | undefined;

  constructor(workspace: WorkspaceIndex) {
    super();
    this.#workspace = workspace;
  }

  start(): void {
    this.own(this.#workspace.onOverview(() => this.#update()));
    this.#update();
  }

  #update(): void {
    const paused = this.#workspace.indexable.some((index) => index.pausedBy !== null);
    if (paused === this.#paused) return;
    this.#paused = paused;
    void vscode.commands.executeCommand('setContext', 'tessera.paused', paused);
  }
}
