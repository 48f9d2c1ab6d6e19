import * as vscode from 'vscode';
import type { Command } from './command.ts';

export function openWalkthrough(extensionId: string): Command {
  return {
    id: 'tessera.openWalkthrough',
    run: () => vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#start`, false),
  };
}
