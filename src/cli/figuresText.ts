import { counted } from '../base/wording.ts';
import { assertNever } from '../base/errors.ts';
import {
  type DeviceMetrics,
  type EmbedderMetrics,
  LANES,
  type ScopeMetrics,
  type TunerReport,
} from '../protocol/embedder.ts';
import { runSizeOf } from '../protocol/runSize.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import type { EmbeddingFigures } from '../protocol/server.ts';

/** Moves of the budget shown, the last ones. */
const MOVES_SHOWN = 5;

/** What embedding was like, a few lines for each scope that had work and some for the processes. `--json` has every figure. */
export function figuresText({ metrics, restarts }: Omit<EmbeddingFigures, 'time'>): string[] {
  const used = SCOPES.filter((scope) => metrics.scopes[scope].runs > 0);
  const { devices = [] } = metrics;
  return [
    ...used.flatMap((scope) => scopeLines(scope, metrics.scopes[scope], devices)),
    ...waitLines(metrics),
    ...devices.map((device) => line(`  ${device.device}`, [`${whole(device.rssMb)} MiB`, ...gpuParts(device)])),
    line('embedder', [
      counted(metrics.threads, 'thread'),
      counted(metrics.sessions, 'session'),
      `${whole(metrics.rssMb)} MiB, ${whole(metrics.peakRssMb)} MiB at most`,
      counted(restarts, 'restart'),
      ...gpuParts(metrics),
    ]),
  ];
}

/** How large runs are and why they are not larger, as `768 padded tokens a run`. */
export function runSizeText(tuner: TunerReport): string {
  const size = runSizeOf(tuner);
  if (size.kind === 'texts') return `${counted(size.texts, 'text')} a run, as set`;
  const text = `${counted(size.tokens, 'padded token')} a run`;
  switch (size.boundBy) {
    case 'budget':
      return text;
    case 'latency':
      return `${text} for the latency ceiling (the tuner's budget is ${whole(tuner.budgetTokens)})`;
    case 'memory':
      return `${text} for the memory ceiling`;
    default:
      return assertNever(size.boundBy);
  }
}

/** What each of several devices did of the work, a line for each; none where one did all. */
export function sharesText(devices: readonly DeviceMetrics[] = []): string[] {
  return devices.map(({ device, scopes }) => {
    const sum = (pick: (figures: ScopeMetrics) => number) =>
      SCOPES.reduce((total, scope) => total + pick(scopes[scope]), 0);
    const runs = `${counted(
      sum(({ runs }) => runs),
      'run',
    )} of ${counted(
      sum(({ texts }) => texts),
      'text',
    )}`;
    return `  ${device}: ${runs}, ${counted(
      sum(({ realTokens }) => realTokens),
      'token',
    )}`;
  });
}

/** Of several devices each has a tuner of its own. */
function scopeLines(scope: Scope, figures: ScopeMetrics, devices: readonly DeviceMetrics[]): string[] {
  const used = devices.filter(({ scopes }) => scopes[scope].runs > 0);
  const names = used.length === 0 ? figures.device : used.map(({ device }) => device).join(' + ');
  return [
    line(`  ${scope}`, [
      `${counted(figures.runs, 'run')} of ${counted(figures.texts, 'text')} on ${names}`,
      `${counted(figures.realTokens, 'token')}, ${whole(figures.paddedTokens)} with padding (${percent(figures.paddingRatio)})`,
    ]),
    line('    speed', speeds(figures)),
    line('    times', [runTimes(figures), `tokenising ${milliseconds(figures.tokenizeMs)} in all`]),
    ...(devices.length === 0 ? tunerLines(figures) : []),
    line(
      '    memory',
      figures.rssByRunTokens.map(({ upToTokens, rssMb }) => `${whole(rssMb)} MiB at ${whole(upToTokens)} tokens a run`),
    ),
    ...used.flatMap(({ device, scopes }) => deviceLines(device, scopes[scope])),
  ];
}

function deviceLines(device: string, figures: ScopeMetrics): string[] {
  return [
    line(`    ${device}`, [
      `${counted(figures.runs, 'run')} of ${counted(figures.texts, 'text')}`,
      ...speeds(figures),
      runTimes(figures),
    ]),
    ...tunerLines(figures),
  ];
}

function tunerLines({ tuner, backoffs }: ScopeMetrics): string[] {
  const moves = tuner.moves.slice(-MOVES_SHOWN).map((move) => `${move.fromTokens} → ${move.toTokens} (${move.reason})`);
  const size = runSizeOf(tuner);
  const { memoryCeilingTokens, latencyCeilingTokens } = tuner;
  // What runs are as large as has been said already.
  const isTold = (bound: string) => size.kind === 'tokens' && size.boundBy === bound;
  const state = tuner.converged ? 'settled' : 'still learning';
  const memory =
    memoryCeilingTokens === null || isTold('memory') ? [] : [`memory allows ${whole(memoryCeilingTokens)}`];
  const latency =
    latencyCeilingTokens === null || isTold('latency') || size.kind === 'texts'
      ? []
      : [`the latency ceiling ${whole(latencyCeilingTokens)}`];
  return [
    line('    batches', [
      runSizeText(tuner),
      ...(size.kind === 'texts' ? [] : [state]),
      counted(backoffs, 'step back', 'steps back') + ' for want of memory',
      ...memory,
      ...latency,
    ]),
    ...(moves.length === 0 ? [] : [line('    moves', moves)]),
  ];
}

function speeds(figures: ScopeMetrics): string[] {
  return [
    speed('token', figures.tokensPerSecond, figures.recentTokensPerSecond, figures.tuner.bestTokensPerSecond),
    speed('text', figures.textsPerSecond, figures.recentTextsPerSecond, figures.bestTextsPerSecond),
  ];
}

function runTimes({ runP50Ms, runP90Ms, runP99Ms }: ScopeMetrics): string {
  return `runs ${threeTimes(runP50Ms, runP90Ms, runP99Ms)}`;
}

function gpuParts({ gpuUtilization }: Pick<EmbedderMetrics, 'gpuUtilization'>): string[] {
  return gpuUtilization === null ? [] : [`${percent(gpuUtilization)} of the GPU in use`];
}

function waitLines({ lanes }: EmbedderMetrics): string[] {
  const waits = LANES.filter((lane) => lanes[lane].requests > 0).map((lane) => {
    const { waitP50Ms, waitP90Ms, waitP99Ms } = lanes[lane];
    return `${lane} ${threeTimes(waitP50Ms, waitP90Ms, waitP99Ms)}`;
  });
  return waits.length === 0 ? [] : [line('  waits', waits)];
}

function line(label: string, parts: readonly string[]): string {
  return `${label.padEnd(11)}${label.length >= 11 ? ' ' : ''}${parts.join(', ')}`;
}

/** The best is that of so many runs: a few may be faster. */
function speed(unit: string, mean: number, recent: number, best: number): string {
  const atBest = best > 0 && best >= recent ? `, ${whole(best)} at best` : '';
  return `${counted(Math.round(mean), unit)}/s (${whole(recent)} at the end${atBest})`;
}

function threeTimes(p50: number, p90: number, p99: number): string {
  return `p50 ${milliseconds(p50)} / p90 ${milliseconds(p90)} / p99 ${milliseconds(p99)}`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : whole(ms)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
