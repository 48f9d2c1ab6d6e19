import type { RowCommand, ViewCommand } from '../../protocol/view.ts';
import type { SearchView } from '../view/searchView.ts';
import type { Command } from './command.ts';

const VIEW_COMMANDS: Readonly<Record<string, ViewCommand>> = {
  'tessera.view.refresh': 'refresh',
  'tessera.view.clear': 'clear',
  'tessera.view.collapseAll': 'collapseAll',
  'tessera.view.toggleDetails': 'toggleDetails',
  'tessera.view.focusResults': 'focusResults',
  'tessera.nextHit': 'nextHit',
  'tessera.previousHit': 'previousHit',
};

const ROW_COMMANDS: Readonly<Record<string, RowCommand>> = {
  'tessera.row.open': 'open',
  'tessera.row.openToSide': 'openToSide',
  'tessera.row.why': 'why',
  'tessera.row.similar': 'similar',
  'tessera.row.copy': 'copy',
  'tessera.row.copyPath': 'copyPath',
  'tessera.row.copyRelativePath': 'copyRelativePath',
  'tessera.row.dismiss': 'dismiss',
};

/** Title buttons, keys and context menu of the view. The view carries them out, for it knows what is focused. */
export function viewCommands(view: SearchView): readonly Command[] {
  return [
    ...Object.entries(VIEW_COMMANDS).map(([id, command]) => ({ id, run: () => view.command(command) })),
    ...Object.entries(ROW_COMMANDS).map(([id, command]) => ({
      id,
      run: (context: unknown) => view.rowCommand(command, rowIdOf(context)),
    })),
  ];
}

/** The row a context menu was opened on; null for a key, which is about the focused row. */
function rowIdOf(context: unknown): string | null {
  if (typeof context !== 'object' || context === null || !('rowId' in context)) return null;
  return typeof context.rowId === 'string' ? context.rowId : null;
}
