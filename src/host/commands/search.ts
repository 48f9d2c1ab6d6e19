import type { SearchPicker } from '../palette/searchPicker.ts';
import type { Command } from './command.ts';

export function search(picker: Pick<SearchPicker, 'show'>): Command {
  return { id: 'tessera.search', run: (query) => picker.show(typeof query === 'string' ? query : '') };
}
