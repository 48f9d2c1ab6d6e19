import * as vscode from 'vscode';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import type { SearchView } from '../view/searchView.ts';
import type { Command } from './command.ts';

/** From the explorer: the view with its include box set to the folder. */
export function searchInFolder(workspace: WorkspaceIndex, view: SearchView): Command {
  return {
    id: 'tessera.searchInFolder',
    run: async (resource) => {
      const file = resource instanceof vscode.Uri ? workspace.find(resource) : undefined;
      const include = file === undefined || file.path === '' ? '' : `./${file.path}`;
      await view.ask({ include });
    },
  };
}
