import * as vscode from 'vscode';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { indexWithProgress } from './indexWithProgress.ts';
import type { Command } from './command.ts';

/** Builds a fresh index beside the old one, which serves until the new one is ready: nothing to confirm. */
export function rebuild(workspace: WorkspaceIndex): Command {
  return {
    id: 'tessera.rebuild',
    run: () => indexWithProgress(workspace, { title: vscode.l10n.t('Rebuilding the index'), rebuild: true }),
  };
}
