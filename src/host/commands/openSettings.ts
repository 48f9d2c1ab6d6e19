import * as vscode from 'vscode';
import type { Command } from './command.ts';

export function openSettings(extensionId: string): Command {
  return {
    id: 'tessera.openSettings',
    run: () => vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${extensionId}`),
  };
}
