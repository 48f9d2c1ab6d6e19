import { l10n } from 'vscode';

/** Words for a part of the ranking, as "why this hit" shows it. A part that has none yet is shown by its own name. */
export function rankingPartWords(part: string): string {
  switch (part) {
    case 'vector':
    case 'tokens':
      return l10n.t('Meaning');
    case 'text':
      return l10n.t('Words');
    case 'coverage':
      return l10n.t('Words in the file');
    case 'written':
      return l10n.t('Names spelled out');
    case 'rare':
      return l10n.t('Rare words');
    case 'definition':
      return l10n.t('Definition');
    case 'name':
      return l10n.t('File name');
    case 'folders':
      return l10n.t('Folders');
    case 'lead':
      return l10n.t('Path');
    case 'location':
      return l10n.t('Place named');
    case 'file':
      return l10n.t('Rest of file');
    case 'same-file':
      return l10n.t('Same file');
    case 'open':
      return l10n.t('Open editor');
    case 'recent':
      return l10n.t('Recent');
    case 'depth':
      return l10n.t('Depth');
    case 'test':
    case 'example':
    case 'docs':
    case 'generated':
    case 'compat':
    case 'stub':
    case 'data':
      return l10n.t('Kind of file');
    default:
      return part;
  }
}
