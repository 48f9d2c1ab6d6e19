import * as vscode from 'vscode';
import type { DisposableLike } from '../../base/disposable.ts';

/** A view without rows: what it shows is the manifest's `viewsWelcome`, for windows that have nothing to search. */
export function registerStartView(): DisposableLike {
  return vscode.window.registerTreeDataProvider<never>('tessera.start', {
    getChildren: () => [],
    getTreeItem: (element) => element,
  });
}
