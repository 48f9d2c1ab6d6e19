import * as vscode from 'vscode';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { indexWithProgress } from './indexWithProgress.ts';
import type { Command } from './command.ts';

export function indexNow(workspace: WorkspaceIndex): Command {
  return {
    id: 'tessera.indexNow',
    run: () => indexWithProgress(workspace, { title: vscode.l10n.t('Indexing'), rebuild: false }),
  };
}
