import * as vscode from 'vscode';

/** Calls the listener with each key pressed in an editor: typing, deleting, moving the cursor. */
export function onEditorKey(listener: () => void): vscode.Disposable {
  return vscode.window.onDidChangeTextEditorSelection(({ kind }) => {
    if (kind === vscode.TextEditorSelectionChangeKind.Keyboard) listener();
  });
}
