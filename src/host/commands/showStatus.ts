import type { StatusPage } from '../status/statusPage.ts';
import type { Command } from './command.ts';

export function showStatus(page: Pick<StatusPage, 'show'>): Command {
  return { id: 'tessera.showStatus', run: () => page.show() };
}
