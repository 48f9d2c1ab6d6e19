import * as vscode from 'vscode';
import { DisposableStore, type DisposableLike } from '../../base/disposable.ts';
import { showFailure } from '../messages.ts';

/** A command of the manifest. What `run` throws is shown to the person, cancellation aside. */
export interface Command {
  readonly id: string;
  readonly run: (...args: readonly unknown[]) => unknown;
}

export function registerCommands(commands: readonly Command[]): DisposableLike {
  const registered = new DisposableStore();
  for (const { id, run } of commands) {
    registered.add(
      vscode.commands.registerCommand(id, async (...args: unknown[]) => {
        try {
          return await run(...args);
        } catch (error) {
          // Not awaited: the command is over, the notification may stay for long.
          void showFailure(error);
          return undefined;
        }
      }),
    );
  }
  return registered;
}
