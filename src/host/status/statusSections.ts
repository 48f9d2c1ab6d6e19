import { env, l10n } from 'vscode';
import { TesseraError } from '../../base/errors.ts';
import type { ScopeMetrics } from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import { type FolderStatus, SKIP_REASONS } from '../../protocol/server.ts';
import type { StatusFileGroup, StatusSection } from '../../protocol/statusView.ts';
import { actionLabel, explainError } from '../messages.ts';
import { millisecondWords, numberWords, percentWords } from '../words.ts';
import { skipReasonWords } from './skipReasonWords.ts';

/** Longer lists help nobody and cost the page its speed. */
const MAX_FILES_PER_REASON = 200;
const MAX_LANGUAGES = 12;
const MAX_MOVES = 8;
const MAX_ERRORS = 8;

/** What the status page tells of a folder below its state and its counts. */
export function statusSections(status: FolderStatus): readonly StatusSection[] {
  return [
    ...languages(status),
    ...skipped(status),
    ...modelFacts(status),
    ...throughput(status),
    ...tunerMoves(status),
    ...lastErrors(status),
  ];
}

function languages(status: FolderStatus): readonly StatusSection[] {
  const entries = Object.entries(status.filesByLanguage).sort(([, a], [, b]) => b - a);
  const largest = entries[0]?.[1] ?? 0;
  if (largest === 0) return [];
  const rest = entries.slice(MAX_LANGUAGES).reduce((sum, [, count]) => sum + count, 0);
  const shown = entries.slice(0, MAX_LANGUAGES);
  return [
    {
      kind: 'bars',
      title: l10n.t('Languages'),
      bars: [...shown, ...(rest > 0 ? [[l10n.t('others'), rest] as const] : [])].map(([label, count]) => ({
        label,
        share: Math.min(1, count / largest),
        value: numberWords(count),
      })),
    },
  ];
}

function skipped(status: FolderStatus): readonly StatusSection[] {
  const groups = SKIP_REASONS.flatMap((reason): readonly StatusFileGroup[] => {
    const files = status.skipped.filter((file) => file.reason === reason);
    if (files.length === 0) return [];
    const rest = files.length - MAX_FILES_PER_REASON;
    return [
      {
        label: skipReasonWords(reason),
        count: numberWords(files.length),
        files: files.slice(0, MAX_FILES_PER_REASON).map(({ path, detail }) => ({ path, detail })),
        more: rest > 0 ? l10n.t('and {0} more', numberWords(rest)) : '',
      },
    ];
  });
  if (groups.length === 0) return [];
  const note = l10n.t(
    'Not counted are files left out by ignore files and exclude settings, and symbolic links, which are not followed.',
  );
  return [{ kind: 'files', title: l10n.t('Skipped files'), note, groups }];
}

function modelFacts({
  models,
  metrics,
  indexDir,
  indexName,
  embedderRestarts,
}: FolderStatus): readonly StatusSection[] {
  const facts: { label: string; value: string }[] = [];
  for (const scope of SCOPES) {
    const model = models?.[scope];
    if (model === undefined) continue;
    const value = l10n.t(
      '{0} · {1} numbers a vector · at most {2} tokens',
      model.name,
      model.dimension,
      model.maxTokens,
    );
    const devices = (model.devices ?? [model.device]).join(' + ');
    const device = model.fallbackReason === null ? devices : `${devices} (${model.fallbackReason})`;
    facts.push({ label: scopeWords(scope), value: `${value} · ${device}` });
  }
  if (metrics !== null) {
    facts.push({
      label: l10n.t('Embedder'),
      value: [
        metrics.threads === 1 ? l10n.t('1 thread') : l10n.t('{0} threads', metrics.threads),
        metrics.sessions === 1 ? l10n.t('1 session') : l10n.t('{0} sessions', metrics.sessions),
        l10n.t('{0} MiB (at most {1})', Math.round(metrics.rssMb), Math.round(metrics.peakRssMb)),
      ].join(', '),
    });
    if (metrics.gpuUtilization !== null)
      facts.push({ label: l10n.t('GPU in use'), value: percentWords(metrics.gpuUtilization) });
  }
  if (embedderRestarts > 0) facts.push({ label: l10n.t('Embedder restarts'), value: numberWords(embedderRestarts) });
  // Without an index there is only the place for one.
  if (indexName !== '') facts.push({ label: l10n.t('Index'), value: indexName });
  facts.push({ label: l10n.t('Kept in'), value: indexDir });
  return [{ kind: 'facts', title: l10n.t('Model and index'), facts }];
}

function throughput(status: FolderStatus): readonly StatusSection[] {
  const { used, earlier } = usedScopes(status);
  if (used.length === 0) return [];
  return [
    {
      kind: 'table',
      title:
        earlier === null
          ? l10n.t('Embedding on this machine')
          : l10n.t('Embedding on this machine, on {0}', new Date(earlier).toLocaleString(env.language)),
      columns: [
        l10n.t('Scope'),
        l10n.t('Tokens/s'),
        l10n.t('Texts/s'),
        l10n.t('Padding'),
        l10n.t('Budget (tokens a run)'),
        l10n.t('Run time p50 / p90 / p99'),
        l10n.t('Tuner'),
      ],
      rows: used.map(([scope, one]) => [
        scopeWords(scope),
        numberWords(Math.round(one.tokensPerSecond)),
        one.textsPerSecond < 10 ? one.textsPerSecond.toFixed(1) : numberWords(Math.round(one.textsPerSecond)),
        percentWords(one.paddingRatio),
        numberWords(one.tuner.budgetTokens),
        [one.runP50Ms, one.runP90Ms, one.runP99Ms].map(millisecondWords).join(' / '),
        tunerWords(one),
      ]),
    },
  ];
}

function tunerWords({ tuner, backoffs }: ScopeMetrics): string {
  return [
    tuner.converged ? l10n.t('settled') : l10n.t('still learning'),
    // Nothing was measured yet where the budget was known from the start.
    ...(tuner.bestTokensPerSecond < 1
      ? []
      : [l10n.t('best {0} tokens/s', numberWords(Math.round(tuner.bestTokensPerSecond)))]),
    ...(tuner.memoryCeilingTokens === null
      ? []
      : [l10n.t('memory allows {0}', numberWords(tuner.memoryCeilingTokens))]),
    ...(backoffs === 0
      ? []
      : [backoffs === 1 ? l10n.t('1 step back') : l10n.t('{0} steps back', numberWords(backoffs))]),
  ].join(', ');
}

function tunerMoves(status: FolderStatus): readonly StatusSection[] {
  const rows = usedScopes(status).used.flatMap(([scope, { tuner }]) =>
    tuner.moves
      .slice(-MAX_MOVES)
      .map((move) => [
        scopeWords(scope),
        numberWords(move.run),
        `${numberWords(move.fromTokens)} → ${numberWords(move.toTokens)}`,
        move.reason,
      ]),
  );
  if (rows.length === 0) return [];
  const columns = [l10n.t('Scope'), l10n.t('Run'), l10n.t('Budget'), l10n.t('Reason')];
  return [{ kind: 'table', title: l10n.t('Latest moves of the batch tuner'), columns, rows }];
}

/** The newest first; one that keeps coming back is said once, with what can be done about it. */
function lastErrors({ lastErrors: errors }: FolderStatus): readonly StatusSection[] {
  const latest = new Map(errors.map((error) => [`${error.code} ${error.message}`, error] as const));
  const shown = [...latest.values()].sort((a, b) => b.time.localeCompare(a.time)).slice(0, MAX_ERRORS);
  if (shown.length === 0) return [];
  return [
    {
      kind: 'errors',
      title: l10n.t('Latest errors'),
      errors: shown.map(({ time, code, message }) => ({
        time: new Date(time).toLocaleString(env.language),
        code,
        message,
        // This is the status.
        actions: explainError(new TesseraError(code, message))
          .actions.filter((action) => action !== 'showStatus')
          .map((action) => ({ action, label: actionLabel(action) })),
      })),
    },
  ];
}

/** Scopes that had work: now or, where this process has had none yet, when the folder was last indexed; then since when. */
function usedScopes({ metrics, lastFigures }: FolderStatus): {
  readonly used: readonly (readonly [Scope, ScopeMetrics])[];
  readonly earlier: string | null;
} {
  const of = (figures: FolderStatus['metrics']) =>
    SCOPES.flatMap((scope) => {
      const one = figures?.scopes[scope];
      return one === undefined || one.runs === 0 ? [] : [[scope, one] as const];
    });
  const now = of(metrics);
  if (now.length > 0 || lastFigures === null) return { used: now, earlier: null };
  return { used: of(lastFigures.metrics), earlier: lastFigures.time };
}

function scopeWords(scope: Scope): string {
  return scope === 'code' ? l10n.t('Code') : l10n.t('Docs');
}
