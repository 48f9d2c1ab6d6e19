import * as vscode from 'vscode';
import type { FolderHit } from '../../protocol/server.ts';
import type { LineRange } from '../editor/hitEditor.ts';
import { queryStems } from '../searching/queryWords.ts';
import { markPassage, passageOf } from '../searching/passageLines.ts';

export interface HitItem extends vscode.QuickPickItem {
  readonly type: 'hit';
  readonly hit: FolderHit;
  readonly range: LineRange;
  readonly buttons: readonly vscode.QuickInputButton[];
}

export type PickerItem =
  | HitItem
  | (vscode.QuickPickItem & { readonly type: 'history' })
  | (vscode.QuickPickItem & { readonly type: 'message' });

/** Hits as items: name first, then where, then the line that answers. Always shown, for VS Code must not filter them again. */
export function toHitItems(hits: readonly FolderHit[], query: string, isComplete: boolean): readonly PickerItem[] {
  const { l10n } = vscode;
  if (hits.length === 0) {
    const label = isComplete
      ? l10n.t('Nothing found. Try other words, or ask for what the code does.')
      : l10n.t('Nothing found yet; indexing is not finished.');
    return [{ type: 'message', label: `$(search-stop) ${label}`, alwaysShow: true }];
  }
  const stems = queryStems(query);
  return hits.map((hit): HitItem => {
    const { lines, bestLine } = markPassage(passageOf(hit), stems);
    const best = lines.find((line) => line.number === bestLine)?.text.trim() ?? '';
    const name = hit.path.slice(hit.path.lastIndexOf('/') + 1);
    return {
      type: 'hit',
      label: `$(${hit.scope === 'docs' ? 'book' : 'code'}) ${escapeIcons(hit.symbol === '' ? name : hit.symbol)}`,
      description: escapeIcons(`${hit.path}:${bestLine}`),
      detail: escapeIcons(best),
      alwaysShow: true,
      buttons: [
        { iconPath: new vscode.ThemeIcon('split-horizontal'), tooltip: l10n.t('Open to the Side') },
        { iconPath: new vscode.ThemeIcon('sparkle'), tooltip: l10n.t('Find Similar Code') },
      ],
      hit,
      range: { startLine: hit.startLine, endLine: hit.endLine, bestLine },
    };
  });
}

export function toHistoryItems(queries: readonly string[]): readonly PickerItem[] {
  return queries.map((query) => ({
    type: 'history',
    label: query,
    iconPath: new vscode.ThemeIcon('history'),
    alwaysShow: true,
  }));
}

/** `$(name)` in code is no icon. */
function escapeIcons(text: string): string {
  return text.replaceAll('$(', '$\u200b(');
}
