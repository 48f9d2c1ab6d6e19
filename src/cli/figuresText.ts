import { counted } from '../base/wording.ts';
import { type EmbedderMetrics, LANES, type ScopeMetrics } from '../protocol/embedder.ts';
import { SCOPES, type Scope } from '../protocol/scope.ts';
import type { EmbeddingFigures } from '../protocol/server.ts';

/** Moves of the budget shown, the last ones. */
const MOVES_SHOWN = 5;

/** What embedding was like, a few lines for each scope that had work and some for the processes. `--json` has every figure. */
export function figuresText({ metrics, restarts }: Omit<EmbeddingFigures, 'time'>): string[] {
  const used = SCOPES.filter((scope) => metrics.scopes[scope].runs > 0);
  return [
    ...used.flatMap((scope) => scopeLines(scope, metrics.scopes[scope])),
    ...waitLines(metrics),
    line('embedder', [
      counted(metrics.threads, 'thread'),
      counted(metrics.sessions, 'session'),
      `${whole(metrics.rssMb)} MiB, ${whole(metrics.peakRssMb)} MiB at most`,
      counted(restarts, 'restart'),
      ...(metrics.gpuUtilization === null ? [] : [`${percent(metrics.gpuUtilization)} of the GPU in use`]),
    ]),
  ];
}

function scopeLines(scope: Scope, figures: ScopeMetrics): string[] {
  const { tuner } = figures;
  const moves = tuner.moves.slice(-MOVES_SHOWN).map((move) => `${move.fromTokens} → ${move.toTokens} (${move.reason})`);
  const ceiling = tuner.memoryCeilingTokens;
  return [
    line(`  ${scope}`, [
      `${counted(figures.runs, 'run')} of ${counted(figures.texts, 'text')} on ${figures.device}`,
      `${counted(figures.realTokens, 'token')}, ${whole(figures.paddedTokens)} with padding (${percent(figures.paddingRatio)})`,
    ]),
    line('    speed', [
      speed('token', figures.tokensPerSecond, figures.recentTokensPerSecond, tuner.bestTokensPerSecond),
      speed('text', figures.textsPerSecond, figures.recentTextsPerSecond, figures.bestTextsPerSecond),
    ]),
    line('    times', [
      `runs ${threeTimes(figures.runP50Ms, figures.runP90Ms, figures.runP99Ms)}`,
      `tokenising ${milliseconds(figures.tokenizeMs)} in all`,
    ]),
    line('    batches', [
      `${counted(tuner.budgetTokens, 'padded token')} a run`,
      tuner.converged ? 'settled' : 'still learning',
      counted(figures.backoffs, 'step back', 'steps back') + ' for want of memory',
      ...(ceiling === null ? [] : [`memory allows ${whole(ceiling)}`]),
    ]),
    ...(moves.length === 0 ? [] : [line('    moves', moves)]),
    line(
      '    memory',
      figures.rssByRunTokens.map(({ upToTokens, rssMb }) => `${whole(rssMb)} MiB at ${whole(upToTokens)} tokens a run`),
    ),
  ];
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

/** The best is known after some runs only. */
function speed(unit: string, mean: number, recent: number, best: number): string {
  const atBest = best > 0 ? `, ${whole(best)} at best` : '';
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
