import * as vscode from 'vscode';
import type { Command } from './command.ts';

export function manageTrust(): Command {
  return { id: 'tessera.manageTrust', run: () => vscode.commands.executeCommand('workbench.trust.manage') };
}
