import * as vscode from 'vscode';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import type { Command } from './command.ts';

/** Deletes the index of one folder, chosen when there are several, after asking. */
export function clear(workspace: WorkspaceIndex): Command {
  return {
    id: 'tessera.clear',
    run: async () => {
      const index = await chooseFolder(workspace);
      if (index === undefined) return;
      const { l10n } = vscode;
      const confirmed = l10n.t('Clear Index');
      const answer = await vscode.window.showWarningMessage(
        l10n.t('Clear the index of “{0}”?', workspace.folderNames.get(index.folder) ?? index.folder),
        {
          modal: true,
          detail: l10n.t(
            'Your files stay as they are. Searching this folder needs a new index, which takes a while to make. Indexing of this folder is paused until you resume it.',
          ),
        },
        confirmed,
      );
      if (answer !== confirmed) return;
      // Otherwise the next save would bring it back.
      if (index.permission === 'index') await workspace.pause([index]);
      await index.clear();
    },
  };
}

async function chooseFolder(workspace: WorkspaceIndex) {
  const { searchable, folderNames } = workspace;
  if (searchable.length <= 1) return searchable[0];
  const chosen = await vscode.window.showQuickPick(
    searchable.map((index) => ({
      label: folderNames.get(index.folder) ?? index.folder,
      description: index.folder,
      index,
    })),
    { placeHolder: vscode.l10n.t('Clear the index of which folder?') },
  );
  return chosen?.index;
}
