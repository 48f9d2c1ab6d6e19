import { env, l10n } from 'vscode';
import {
  type DeviceMetrics,
  type EmbedderMetrics,
  LANES,
  type ScopeMetrics,
  type TunerReport,
} from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';
import type { FolderStatus } from '../../protocol/server.ts';
import type { StatusFact, StatusSection, StatusTable } from '../../protocol/statusView.ts';
import { numberWords, millisecondWords, percentWords } from '../words.ts';
import {
  isFixed,
  laneWords,
  moveReasonWords,
  rateWords,
  runSizeWords,
  scopeWords,
  speedWords,
  threeTimes,
  tunerWords,
} from './figureWords.ts';

/** Moves of a budget shown, the last ones. */
const MAX_MOVES = 8;
const NOTHING = '–';

/** A scope that had work, and what it was like. */
type UsedScope = readonly [Scope, ScopeMetrics];
/** A row of a table over scopes: its name, and what each scope has there. */
type Figure = readonly [label: string, of: (figures: ScopeMetrics) => string];

/**
 * What embedding was like: now or, where this process has embedded nothing yet, when the folder was last indexed. What matters to most
 * comes first, the rest opens on demand. Nothing where nothing was ever embedded.
 */
export function embeddingFigures({ metrics, lastFigures }: FolderStatus): readonly StatusSection[] {
  const earlier = metrics !== null && usedScopes(metrics).length > 0 ? null : lastFigures;
  const shown = earlier?.metrics ?? metrics;
  if (shown === null) return [];
  const used = usedScopes(shown);
  if (used.length === 0) return [];
  const devices = shown.devices ?? [];
  const title =
    earlier === null
      ? l10n.t('Embedding on this machine')
      : l10n.t('Embedding on this machine, on {0}', new Date(earlier.time).toLocaleString(env.language));
  return [
    {
      kind: 'tables',
      title,
      tables: [
        scopeTable('', used, [...speeds(), ...(devices.length > 0 ? [] : batches())]),
        ...deviceTable(devices),
      ].filter(hasRows),
      details: {
        label: l10n.t('Details'),
        tables: [
          scopeTable('', used, [...amounts(), ...(devices.length > 0 ? [] : ceilings())]),
          ...devices.map((device) =>
            scopeTable(device.device, usedScopes(device), [...speeds(), ...batches(), ...amounts(), ...ceilings()]),
          ),
          waitTable(shown),
          memoryTable(used),
          moveTable(movesOf(used, devices)),
          // Of the process there is now, the facts about the model tell.
          ...(earlier === null ? [] : [processTable(earlier.metrics, earlier.restarts)]),
        ].filter(hasRows),
      },
    },
  ];
}

/** The processes that embed. `metrics` is null while there are none. */
export function embedderFacts(metrics: EmbedderMetrics | null, restarts: number): readonly StatusFact[] {
  const facts: StatusFact[] = [];
  if (metrics !== null) {
    facts.push({
      label: l10n.t('Embedder'),
      value: [
        metrics.threads === 1 ? l10n.t('1 thread') : l10n.t('{0} threads', metrics.threads),
        metrics.sessions === 1 ? l10n.t('1 session') : l10n.t('{0} sessions', metrics.sessions),
        l10n.t(
          '{0} MiB (at most {1})',
          numberWords(Math.round(metrics.rssMb)),
          numberWords(Math.round(metrics.peakRssMb)),
        ),
      ].join(', '),
    });
    if (metrics.gpuUtilization !== null)
      facts.push({ label: l10n.t('GPU in use'), value: percentWords(metrics.gpuUtilization) });
  }
  if (restarts > 0) facts.push({ label: l10n.t('Embedder restarts'), value: numberWords(restarts) });
  return facts;
}

function usedScopes({ scopes }: Pick<EmbedderMetrics, 'scopes'>): readonly UsedScope[] {
  return SCOPES.flatMap((scope) => (scopes[scope].runs === 0 ? [] : [[scope, scopes[scope]] as const]));
}

function speeds(): readonly Figure[] {
  return [
    [l10n.t('Tokens/s'), (one) => speedWords(one.recentTokensPerSecond, one.tuner.bestTokensPerSecond)],
    [l10n.t('Texts/s'), (one) => speedWords(one.recentTextsPerSecond, one.bestTextsPerSecond)],
    [l10n.t('Padding'), (one) => percentWords(one.paddingRatio)],
    [l10n.t('Run time p50 / p90 / p99'), (one) => threeTimes(one.runP50Ms, one.runP90Ms, one.runP99Ms)],
  ];
}

function batches(): readonly Figure[] {
  return [
    [l10n.t('Batch size'), ({ tuner }) => runSizeWords(tuner)],
    [l10n.t('Batch tuner'), ({ tuner }) => tunerWords(tuner)],
  ];
}

function amounts(): readonly Figure[] {
  return [
    [l10n.t('Runs'), (one) => numberWords(one.runs)],
    [l10n.t('Texts'), (one) => numberWords(one.texts)],
    [l10n.t('Tokens'), (one) => numberWords(one.realTokens)],
    [l10n.t('Tokens with padding'), (one) => numberWords(one.paddedTokens)],
    [l10n.t('Tokens/s since the start'), (one) => rateWords(one.tokensPerSecond)],
    [l10n.t('Texts/s since the start'), (one) => rateWords(one.textsPerSecond)],
    [l10n.t('Time spent tokenising'), (one) => millisecondWords(one.tokenizeMs)],
    [l10n.t('Steps back for want of memory'), (one) => numberWords(one.backoffs)],
  ];
}

/** What the size of runs comes from. Where a person fixed it, only memory has a say in it besides. */
function ceilings(): readonly Figure[] {
  const orNothing = (tokens: number | null) => (tokens === null ? NOTHING : numberWords(tokens));
  const tuned = (tuner: TunerReport, tokens: number | null) => orNothing(isFixed(tuner) ? null : tokens);
  return [
    [l10n.t('Tuner’s budget (tokens a run)'), ({ tuner }) => tuned(tuner, tuner.budgetTokens)],
    [l10n.t('Latency ceiling (tokens a run)'), ({ tuner }) => tuned(tuner, tuner.latencyCeilingTokens)],
    [l10n.t('Memory ceiling (tokens a run)'), ({ tuner }) => orNothing(tuner.memoryCeilingTokens)],
  ];
}

function scopeTable(caption: string, used: readonly UsedScope[], figures: readonly Figure[]): StatusTable {
  return {
    caption,
    columns: ['', ...used.map(([scope]) => scopeWords(scope))],
    rows: used.length === 0 ? [] : figures.map(([label, of]) => [label, ...used.map(([, one]) => of(one))]),
  };
}

/** A row for each of several devices, and each scope it had work of. */
function deviceTable(devices: readonly DeviceMetrics[]): readonly StatusTable[] {
  if (devices.length === 0) return [];
  const hasGpu = devices.some(({ gpuUtilization }) => gpuUtilization !== null);
  const ofDevice = ({ rssMb, gpuUtilization }: DeviceMetrics) => [
    l10n.t('{0} MiB', numberWords(Math.round(rssMb))),
    ...(hasGpu ? [gpuUtilization === null ? NOTHING : percentWords(gpuUtilization)] : []),
  ];
  const figures = [...speeds().slice(0, 1), ...batches().slice(0, 1)];
  return [
    {
      caption: '',
      columns: [
        l10n.t('Device'),
        l10n.t('Memory'),
        ...(hasGpu ? [l10n.t('GPU in use')] : []),
        l10n.t('Scope'),
        ...figures.map(([label]) => label),
      ],
      rows: devices.flatMap((device): readonly (readonly string[])[] => {
        const used = usedScopes(device);
        if (used.length === 0) return [[device.device, ...ofDevice(device), NOTHING, ...figures.map(() => NOTHING)]];
        return used.map(([scope, one], at) => [
          device.device,
          // Said once: it is the same for both scopes.
          ...ofDevice(device).map((words) => (at === 0 ? words : '')),
          scopeWords(scope),
          ...figures.map(([, of]) => of(one)),
        ]);
      }),
    },
  ];
}

function waitTable({ lanes }: EmbedderMetrics): StatusTable {
  return {
    caption: l10n.t('Waiting for the embedder'),
    columns: [l10n.t('Asked by'), l10n.t('Requests'), l10n.t('Wait p50 / p90 / p99')],
    rows: LANES.flatMap((lane) => {
      const { requests, waitP50Ms, waitP90Ms, waitP99Ms } = lanes[lane];
      if (requests === 0) return [];
      return [[laneWords(lane), numberWords(requests), threeTimes(waitP50Ms, waitP90Ms, waitP99Ms)]];
    }),
  };
}

function memoryTable(used: readonly UsedScope[]): StatusTable {
  const sizes = used.flatMap(([, { rssByRunTokens }]) => rssByRunTokens.map(({ upToTokens }) => upToTokens));
  const memoryAt = (size: number, { rssByRunTokens }: ScopeMetrics) => {
    const found = rssByRunTokens.find(({ upToTokens }) => upToTokens === size);
    return found === undefined ? NOTHING : l10n.t('{0} MiB', numberWords(Math.round(found.rssMb)));
  };
  return {
    caption: l10n.t('Most memory by batch size'),
    columns: [l10n.t('Tokens a run, up to'), ...used.map(([scope]) => scopeWords(scope))],
    rows: [...new Set(sizes)]
      .sort((a, b) => a - b)
      .map((size) => [numberWords(size), ...used.map(([, one]) => memoryAt(size, one))]),
  };
}

interface TunerMoves {
  /** Whose: a scope, on one of several devices. */
  readonly whose: string;
  readonly moves: TunerReport['moves'];
}

function movesOf(used: readonly UsedScope[], devices: readonly DeviceMetrics[]): readonly TunerMoves[] {
  if (devices.length === 0) return used.map(([scope, { tuner }]) => ({ whose: scopeWords(scope), moves: tuner.moves }));
  return devices.flatMap((device) =>
    usedScopes(device).map(([scope, { tuner }]) => ({
      whose: l10n.t('{0} on {1}', scopeWords(scope), device.device),
      moves: tuner.moves,
    })),
  );
}

function moveTable(all: readonly TunerMoves[]): StatusTable {
  return {
    caption: l10n.t('Latest moves of the batch tuner'),
    columns: [l10n.t('Scope'), l10n.t('Run'), l10n.t('Tokens a run'), l10n.t('Reason')],
    rows: all.flatMap(({ whose, moves }) =>
      moves
        .slice(-MAX_MOVES)
        .map(({ run, fromTokens, toTokens, reason }) => [
          whose,
          numberWords(run),
          fromTokens === toTokens ? numberWords(toTokens) : `${numberWords(fromTokens)} → ${numberWords(toTokens)}`,
          moveReasonWords(reason),
        ]),
    ),
  };
}

function processTable(metrics: EmbedderMetrics, restarts: number): StatusTable {
  return {
    caption: l10n.t('The embedder then'),
    columns: [],
    rows: embedderFacts(metrics, restarts).map(({ label, value }) => [label, value]),
  };
}

function hasRows({ rows }: StatusTable): boolean {
  return rows.length > 0;
}
