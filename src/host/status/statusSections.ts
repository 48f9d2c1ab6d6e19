import { env, l10n } from 'vscode';
import { TesseraError } from '../../base/errors.ts';
import { SCOPES } from '../../protocol/scope.ts';
import { type FolderStatus, SKIP_REASONS } from '../../protocol/server.ts';
import type { StatusFact, StatusFileGroup, StatusSection } from '../../protocol/statusView.ts';
import { actionLabel, explainError } from '../messages.ts';
import { numberWords } from '../words.ts';
import { embedderFacts, embeddingFigures } from './embeddingFigures.ts';
import { scopeWords } from './figureWords.ts';
import { skipReasonWords } from './skipReasonWords.ts';

/** Longer lists help nobody and cost the page its speed. */
const MAX_FILES_PER_REASON = 200;
const MAX_LANGUAGES = 12;
const MAX_ERRORS = 8;

/** What the status page tells of a folder below its state and its counts. */
export function statusSections(status: FolderStatus): readonly StatusSection[] {
  return [
    ...languages(status),
    ...skipped(status),
    ...modelFacts(status),
    ...embeddingFigures(status),
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
  const facts: StatusFact[] = [];
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
  facts.push(...embedderFacts(metrics, embedderRestarts));
  // Without an index there is only the place for one.
  if (indexName !== '') facts.push({ label: l10n.t('Index'), value: indexName });
  facts.push({ label: l10n.t('Kept in'), value: indexDir });
  return [{ kind: 'facts', title: l10n.t('Model and index'), facts }];
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
