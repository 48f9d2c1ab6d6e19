import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import type { Command } from './command.ts';

export function resume(workspace: WorkspaceIndex): Command {
  return { id: 'tessera.resume', run: () => workspace.resume() };
}
