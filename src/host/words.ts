import { env, l10n } from 'vscode';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `12,345`, in the person's way of writing numbers. */
export function numberWords(value: number): string {
  return value.toLocaleString(env.language);
}

/** `1 file`, `12 files`. */
export function fileWords(count: number): string {
  return count === 1 ? l10n.t('1 file') : l10n.t('{0} files', numberWords(count));
}

/** `1 chunk`, `12 chunks`. */
export function chunkWords(count: number): string {
  return count === 1 ? l10n.t('1 chunk') : l10n.t('{0} chunks', numberWords(count));
}

/** `1 line`, `12 lines`. */
export function lineWords(count: number): string {
  return count === 1 ? l10n.t('1 line') : l10n.t('{0} lines', numberWords(count));
}

/** `3.4 MB`. */
export function byteWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toLocaleString(env.language, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${UNITS[unit] ?? ''}`;
}

/** `97.4 %`. */
export function percentWords(share: number): string {
  return `${(share * 100).toLocaleString(env.language, { maximumFractionDigits: 1 })} %`;
}

/** `0.4 ms`, `105 ms`. */
export function millisecondWords(milliseconds: number): string {
  const digits = milliseconds < 10 ? 1 : 0;
  return l10n.t('{0} ms', milliseconds.toLocaleString(env.language, { maximumFractionDigits: digits }));
}

/** Roughly how long, in the largest unit that fits. */
export function durationWords(seconds: number): string {
  if (seconds < 59.5) return l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return l10n.t('{0} min', minutes);
  return l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}
