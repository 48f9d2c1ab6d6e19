import * as path from 'node:path';
import * as vscode from 'vscode';
import { NO_FILTERS } from '../../protocol/hit.ts';
import type { SearchService } from '../searching/searchService.ts';
import type { SearchView } from '../view/searchView.ts';
import type { Command } from './command.ts';

const LIMIT = 30;

/** Code like the selection, like the chunk around the cursor, or like a hit. */
export function findSimilar(search: SearchService, view: SearchView): Command {
  return {
    id: 'tessera.findSimilar',
    run: async (resource, atLine) => {
      const place = placeOf(resource, atLine);
      if (place === undefined) {
        void vscode.window.showInformationMessage(vscode.l10n.t('Open a file of this workspace first.'));
        return;
      }
      const { uri, line, text } = place;
      if (!search.isInFolder(uri)) {
        const name = path.basename(uri.path);
        void vscode.window.showInformationMessage(
          vscode.l10n.t('“{0}” is in no folder Tessera can index, so nothing is known to be like it.', name),
        );
        return;
      }
      await view.showSimilar(`${path.basename(uri.fsPath)}:${line}`, (signal) =>
        search.similar({ uri, line, text, filters: NO_FILTERS, limit: LIMIT }, signal),
      );
    },
  };
}

interface Place {
  readonly uri: vscode.Uri;
  /** From 1. */
  readonly line: number;
  readonly text: string | null;
}

function placeOf(resource: unknown, atLine: unknown): Place | undefined {
  if (resource instanceof vscode.Uri && typeof atLine === 'number') return { uri: resource, line: atLine, text: null };
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return undefined;
  const { document, selection } = editor;
  const text = document.getText(selection);
  return {
    uri: document.uri,
    line: selection.start.line + 1,
    // A selected word says too little; the chunk around it says more.
    text: selection.isSingleLine || text.trim() === '' ? null : text,
  };
}
