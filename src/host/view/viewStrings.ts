import { l10n } from 'vscode';
import type { ViewStrings } from '../../protocol/view.ts';

/** The view's words in the language of the window. The view itself fills in `{0}`. */
export function viewStrings(): ViewStrings {
  return {
    queryPlaceholder: l10n.t('Ask for code in plain words'),
    queryLabel: l10n.t('Semantic search'),
    clearQuery: l10n.t('Clear'),
    cancelSearch: l10n.t('Cancel Search (Esc)'),
    scopeLabel: l10n.t('What to search'),
    scopeAll: l10n.t('All'),
    scopeCode: l10n.t('Code'),
    scopeDocs: l10n.t('Docs'),
    toggleDetails: l10n.t('Toggle Filters'),
    includeLabel: l10n.t('files to include'),
    excludeLabel: l10n.t('files to exclude'),
    useExcludeSettings: l10n.t('Use Exclude Settings'),
    languagesLabel: l10n.t('languages'),
    globPlaceholder: l10n.t('e.g. *.ts, src/**'),
    languagesPlaceholder: l10n.t('e.g. typescript, python'),
    resultsLabel: l10n.t('Search results'),
    loadMore: l10n.t('Load more'),
    searching: l10n.t('Searching…'),
    linesRange: l10n.t('lines {0} to {1}', '{0}', '{1}'),
    oneLine: l10n.t('line {0}', '{0}'),
    strength: l10n.t('{0} % as strong as the best hit', '{0}'),
    hitCount: l10n.t('{0} hits', '{0}'),
    oneHit: l10n.t('1 hit'),
    stale: l10n.t('Changed since this search'),
    why: l10n.t('Why this hit?'),
    hideWhy: l10n.t('Hide explanation'),
    openToSide: l10n.t('Open to the Side'),
    findSimilar: l10n.t('Find Similar Code'),
    dismiss: l10n.t('Dismiss'),
    copied: l10n.t('Copied'),
    moreLines: l10n.t('{0} more lines', '{0}'),
    oneMoreLine: l10n.t('1 more line'),
    similarTo: l10n.t('Similar to {0}', '{0}'),
  };
}
