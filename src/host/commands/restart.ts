import type { IndexServer } from '../folders/indexServer.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import type { Command } from './command.ts';

export function restart(server: IndexServer, workspace: WorkspaceIndex): Command {
  return {
    id: 'tessera.restart',
    run: async () => {
      await server.restart();
      await Promise.all(workspace.indexable.map((index) => index.reopen()));
    },
  };
}
