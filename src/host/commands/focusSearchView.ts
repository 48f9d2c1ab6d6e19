import type { SearchView } from '../view/searchView.ts';
import type { Command } from './command.ts';

export function focusSearchView(view: SearchView): Command {
  return { id: 'tessera.focusSearchView', run: () => view.focus() };
}
