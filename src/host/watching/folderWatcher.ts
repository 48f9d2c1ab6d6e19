import * as vscode from 'vscode';
import { assertNever } from '../../base/errors.ts';
import type { Clock } from '../../base/clock.ts';
import { Disposable } from '../../base/disposable.ts';
import { pathInside } from '../../process/pathInside.ts';
import { ChangeCoalescer, type FolderChange } from '../../process/changeCoalescer.ts';
import { meaningOf } from './pathRelevance.ts';

/** Watches one workspace folder and hands on what changed, in few and bounded portions. */
export class FolderWatcher extends Disposable {
  readonly #folder: vscode.WorkspaceFolder;
  readonly #coalescer: ChangeCoalescer;

  constructor(folder: vscode.WorkspaceFolder, clock: Clock, handOn: (change: FolderChange) => void) {
    super();
    this.#folder = folder;
    this.#coalescer = this.own(new ChangeCoalescer(clock, handOn));
  }

  start(): void {
    const watcher = this.own(vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(this.#folder, '**')));
    const note = (uri: vscode.Uri) => this.#note(uri);
    this.own(watcher.onDidCreate(note));
    this.own(watcher.onDidChange(note));
    this.own(watcher.onDidDelete(note));
    // Told by the editor itself, these arrive sooner than from the file system; doubles are coalesced.
    this.own(vscode.workspace.onDidSaveTextDocument((document) => this.#note(document.uri, true)));
    this.own(vscode.workspace.onDidCreateFiles(({ files }) => files.forEach(note)));
    this.own(vscode.workspace.onDidDeleteFiles(({ files }) => files.forEach(note)));
    this.own(
      vscode.workspace.onDidRenameFiles(({ files }) => {
        for (const { oldUri, newUri } of files) {
          note(oldUri);
          note(newUri);
        }
      }),
    );
  }

  #note(uri: vscode.Uri, isSaved = false): void {
    if (uri.scheme !== this.#folder.uri.scheme) return;
    const inFolder = pathInside(this.#folder.uri.fsPath, uri.fsPath) ?? '';
    if (inFolder === '') return;
    const meaning = meaningOf(inFolder);
    switch (meaning) {
      case 'file':
        if (isSaved) this.#coalescer.addSaved(inFolder);
        else this.#coalescer.add(inFolder);
        break;
      case 'everything':
        this.#coalescer.addEverything(`${inFolder} changed`);
        break;
      case 'nothing':
        break;
      default:
        assertNever(meaning);
    }
  }
}
