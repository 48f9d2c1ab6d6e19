import type { LogOutputChannel } from 'vscode';
import type { Command } from './command.ts';

export function showLog(channel: LogOutputChannel): Command {
  return { id: 'tessera.showLog', run: () => channel.show(true) };
}
