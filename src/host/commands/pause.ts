import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import type { Command } from './command.ts';

export function pause(workspace: WorkspaceIndex): Command {
  return { id: 'tessera.pause', run: () => workspace.pause() };
}
