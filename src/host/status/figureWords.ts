import { env, l10n } from 'vscode';
import { assertNever } from '../../base/errors.ts';
import type { Lane, TunerReport } from '../../protocol/embedder.ts';
import { runSizeOf } from '../../protocol/runSize.ts';
import type { Scope } from '../../protocol/scope.ts';
import { millisecondWords, numberWords } from '../words.ts';

export function scopeWords(scope: Scope): string {
  return scope === 'code' ? l10n.t('Code') : l10n.t('Docs');
}

/** Whose texts wait in a lane. */
export function laneWords(lane: Lane): string {
  switch (lane) {
    case 'query':
      return l10n.t('Searches');
    case 'saved':
      return l10n.t('Saved files');
    case 'bulk':
      return l10n.t('Indexing');
    default:
      return assertNever(lane);
  }
}

/** `12,345`, or `3.4` where a whole number would say little. */
export function rateWords(perSecond: number): string {
  return perSecond < 10
    ? perSecond.toLocaleString(env.language, { maximumFractionDigits: 1 })
    : numberWords(Math.round(perSecond));
}

/** How fast the last runs were and, once it is known, how fast the best of so many: a few may be faster. */
export function speedWords(lately: number, best: number): string {
  return best > 0 && best >= lately ? l10n.t('{0} (best {1})', rateWords(lately), rateWords(best)) : rateWords(lately);
}

/** `1.3 ms / 20 ms / 30 ms` */
export function threeTimes(p50: number, p90: number, p99: number): string {
  return [p50, p90, p99].map(millisecondWords).join(' / ');
}

/** How large runs are, and why they are not larger. */
export function runSizeWords(tuner: TunerReport): string {
  const size = runSizeOf(tuner);
  if (size.kind === 'texts')
    return size.texts === 1 ? l10n.t('1 text, as set') : l10n.t('{0} texts, as set', numberWords(size.texts));
  const tokens = numberWords(size.tokens);
  switch (size.boundBy) {
    case 'budget':
      return l10n.t('{0} tokens', tokens);
    case 'latency':
      return l10n.t('{0} tokens, or searches would wait too long', tokens);
    case 'memory':
      return l10n.t('{0} tokens, as memory allows no more', tokens);
    default:
      return assertNever(size.boundBy);
  }
}

/** Whether a person has set how many texts run together. */
export function isFixed(tuner: TunerReport): boolean {
  return runSizeOf(tuner).kind === 'texts';
}

/** What the tuner is about. */
export function tunerWords(tuner: TunerReport): string {
  if (isFixed(tuner)) return l10n.t('off');
  return tuner.converged ? l10n.t('settled') : l10n.t('still learning');
}

/** Why the budget was moved; what this page does not know is told as it is. */
export function moveReasonWords(reason: string): string {
  switch (reason) {
    case 'faster':
      return l10n.t('faster');
    case 'out-of-memory':
      return l10n.t('memory ran out');
    case 'resident-memory':
      return l10n.t('the memory ceiling was near');
    case 'conditions-changed':
      return l10n.t('speed has changed, sizes are tried again');
    case 'neighbour-faster':
      return l10n.t('another size was faster again and again, sizes are tried again');
    default:
      return reason;
  }
}
