import { env, l10n } from 'vscode';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `12,345`, in the person's way of writing numbers. */
export function numberWords(value: number): string {
  return value.toLocaleString(env.language);
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

/** Roughly how long, in the largest unit that fits. */
export function durationWords(seconds: number): string {
  if (seconds < 60) return l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  if (seconds < 3600) return l10n.t('{0} min', Math.round(seconds / 60));
  return l10n.t('{0} h {1} min', Math.floor(seconds / 3600), Math.round((seconds % 3600) / 60));
}
