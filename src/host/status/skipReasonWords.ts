import { l10n } from 'vscode';
import { assertNever } from '../../base/errors.ts';
import type { SkipReason } from '../../protocol/server.ts';

/** Why a file is not in the index, in a few words. */
export function skipReasonWords(reason: SkipReason): string {
  switch (reason) {
    case 'binary':
      return l10n.t('binary');
    case 'minified':
      return l10n.t('minified');
    case 'generated':
      return l10n.t('generated');
    case 'too-large':
      return l10n.t('too large');
    case 'secret':
      return l10n.t('likely holds secrets');
    case 'unreadable':
      return l10n.t('cannot be read');
    case 'unsupported-encoding':
      return l10n.t('unknown encoding');
    case 'empty':
      return l10n.t('empty');
    case 'excluded':
      return l10n.t('excluded');
    case 'quarantined':
      return l10n.t('makes the embedder fail');
    default:
      return assertNever(reason);
  }
}
