import * as vscode from 'vscode';
import type { IndexedFile, WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { escapeGlob } from '../searching/filterText.ts';
import type { SearchView } from '../view/searchView.ts';
import type { Command } from './command.ts';

/** From the explorer: the view with its include box set to the folder. */
export function searchInFolder(workspace: WorkspaceIndex, view: SearchView): Command {
  return {
    id: 'tessera.searchInFolder',
    run: async (resource) => {
      const file = resource instanceof vscode.Uri ? workspace.find(resource) : undefined;
      await view.ask({ include: file === undefined ? '' : globOf(file, workspace.folderNames) });
    },
  };
}

/** With several folders it begins with the name of its own. */
function globOf({ index, path }: IndexedFile, folderNames: ReadonlyMap<string, string>): string {
  const folder = folderNames.size > 1 ? folderNames.get(index.folder) : undefined;
  const parts = [folder ?? '', path].filter((part) => part !== '');
  return parts.length === 0 ? '' : `./${parts.map(escapeGlob).join('/')}`;
}
