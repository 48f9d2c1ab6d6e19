import { mergeMetrics } from '../../embedding/mergeMetrics.ts';
import type { EmbedderMetrics, ScopeMetrics } from '../../protocol/embedder.ts';
import { SCOPES, type Scope } from '../../protocol/scope.ts';

/**
 * Figures of embedders that work in turns, not side by side: amounts add up, and speeds are those of the whole time. The last
 * is the one at work now.
 */
export function metricsInTurn(all: readonly EmbedderMetrics[]): EmbedderMetrics | null {
  const [first, ...rest] = all;
  if (first === undefined) return null;
  const sum = mergeMetrics([first, ...rest]);
  const scopes = SCOPES.map((scope): [Scope, ScopeMetrics] => {
    const parts = all.map((metrics) => metrics.scopes[scope]);
    const { recentTokensPerSecond, recentTextsPerSecond } =
      parts.findLast(({ runs }) => runs > 0) ?? first.scopes[scope];
    return [
      scope,
      {
        ...sum.scopes[scope],
        tokensPerSecond: rateOf(parts.map((part) => [part.realTokens, part.tokensPerSecond])),
        textsPerSecond: rateOf(parts.map((part) => [part.texts, part.textsPerSecond])),
        recentTokensPerSecond,
        recentTextsPerSecond,
        bestTextsPerSecond: Math.max(...parts.map((part) => part.bestTextsPerSecond)),
      },
    ];
  });
  return { ...sum, scopes: Object.fromEntries(scopes) as Record<Scope, ScopeMetrics> };
}

/** Figures of processes that have ended: what they did, without what they held. */
export function ofTheEnded(metrics: EmbedderMetrics): EmbedderMetrics {
  return { ...metrics, threads: 0, sessions: 0, rssMb: 0, gpuUtilization: null };
}

/**
 * Figures of a process together with those of the processes that died in its place. What they were is its own: device, memory,
 * what its tuner knows.
 */
export function withTheDead(dead: EmbedderMetrics, present: EmbedderMetrics): EmbedderMetrics {
  const sum = metricsInTurn([ofTheEnded(dead), present]) ?? present;
  const scopes = SCOPES.map((scope): [Scope, ScopeMetrics] => {
    const { device, tuner } = present.scopes[scope];
    return [scope, { ...sum.scopes[scope], device, tuner }];
  });
  return {
    ...sum,
    scopes: Object.fromEntries(scopes) as Record<Scope, ScopeMetrics>,
    // Never at once.
    peakRssMb: Math.max(dead.peakRssMb, present.peakRssMb),
  };
}

/**
 * Figures of processes together with those that worked beside them until they were let go: all they did, at the speeds and with the tuners of
 * those that are left.
 */
export function besideTheGone(gone: EmbedderMetrics, present: EmbedderMetrics): EmbedderMetrics {
  const scopes = SCOPES.map((scope): [Scope, ScopeMetrics] => {
    const { tuner } = present.scopes[scope];
    return [scope, { ...gone.scopes[scope], ...NO_SPEED, tuner }];
  });
  return mergeMetrics([
    present,
    ofTheEnded({ ...gone, scopes: Object.fromEntries(scopes) as Record<Scope, ScopeMetrics> }),
  ]);
}

const NO_SPEED = {
  tokensPerSecond: 0,
  textsPerSecond: 0,
  recentTokensPerSecond: 0,
  recentTextsPerSecond: 0,
  bestTextsPerSecond: 0,
} as const satisfies Partial<ScopeMetrics>;

/** The rate over all parts, one after another, of amounts done at a rate each. */
function rateOf(parts: readonly (readonly [amount: number, rate: number])[]): number {
  const done = parts.filter(([amount, rate]) => amount > 0 && rate > 0);
  const amount = done.reduce((sum, [part]) => sum + part, 0);
  const seconds = done.reduce((sum, [part, rate]) => sum + part / rate, 0);
  return seconds > 0 ? amount / seconds : 0;
}
