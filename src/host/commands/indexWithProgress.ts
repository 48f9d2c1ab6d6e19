import * as vscode from 'vscode';
import { TesseraError } from '../../base/errors.ts';
import type { IndexSummary } from '../../protocol/server.ts';
import type { WorkspaceIndex } from '../folders/workspaceIndex.ts';
import { abortSignalOf } from '../interop.ts';
import { indexingDetail, indexingTitle, progressOf } from '../view/notices.ts';
import { chunkWords, fileWords, numberWords } from '../words.ts';

/** Work a person asked for shows in a notification, can be cancelled, and says at the end what it did. */
export async function indexWithProgress(
  workspace: WorkspaceIndex,
  { title, rebuild }: { readonly title: string; readonly rebuild: boolean },
): Promise<void> {
  const { indexable } = workspace;
  if (indexable.length === 0) {
    throw new TesseraError('not-indexed', 'No folder of this window may be indexed.', {
      details: { name: vscode.l10n.t('This workspace') },
    });
  }
  if (indexable.some((index) => index.pausedBy !== null)) await workspace.resume();
  const summaries = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const signal = abortSignalOf(token);
      let shown = 0;
      const subscription = workspace.onOverview((overview) => {
        if (overview.kind !== 'indexing') return;
        const share = (progressOf(overview) ?? 0) * 100;
        progress.report({
          message: [indexingTitle(overview), indexingDetail(overview)].filter((part) => part !== '').join(' · '),
          increment: Math.max(0, share - shown),
        });
        shown = Math.max(shown, share);
      });
      try {
        return await Promise.all(indexable.map((index) => index.index(rebuild, signal)));
      } finally {
        subscription.dispose();
      }
    },
  );
  void vscode.window.setStatusBarMessage(`$(check) ${summaryWords(summaries)}`, 6000);
}

function summaryWords(summaries: readonly IndexSummary[]): string {
  const total = (pick: (summary: IndexSummary) => number) => summaries.reduce((sum, one) => sum + pick(one), 0);
  return vscode.l10n.t(
    'Indexed {0}: {1} embedded, {2} reused',
    fileWords(total((summary) => summary.files)),
    chunkWords(total((summary) => summary.embedded)),
    numberWords(total((summary) => summary.reused)),
  );
}
